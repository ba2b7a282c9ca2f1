//! One file per command: options in, one service called, result printed.

pub(crate) mod afterwards;
mod archive;
pub(crate) mod audit;
pub(crate) mod cat;
pub(crate) mod catalogue;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod consolidate;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod health;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod pin;
pub(crate) mod prune;
pub(crate) mod restore;
pub(crate) mod schedule;
pub(crate) mod show;
pub(crate) mod verify;
