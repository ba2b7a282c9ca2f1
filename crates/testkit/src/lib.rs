//! Shared helpers of the tests: throwaway PostgreSQL servers, trees of odd files.
//!
//! This crate may read the environment and panics when it cannot do what was asked: it is never part of what users run.
#![forbid(unsafe_code)]

pub mod client;
pub mod dump;
mod server;
mod server_tls;
pub mod tree;
pub mod user;

pub use server::{Server, ServerOptions, Stop};
