//! Shared helpers of the tests: throwaway PostgreSQL servers.
//!
//! This crate may read the environment and panics when it cannot do what was asked: it is never part of what users run.
#![forbid(unsafe_code)]

mod server;
mod server_tls;

pub use server::{Server, ServerOptions, Stop};
