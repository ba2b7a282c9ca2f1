//! Shared helpers of the tests: throwaway PostgreSQL servers, trees of odd files.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod tree;
pub mod user;
