//! One file per command: options in, one service called, result printed.

pub(crate) mod afterwards;
pub(crate) mod cat;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod restore;
pub(crate) mod show;
pub(crate) mod verify;
