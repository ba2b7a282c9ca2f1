//! The whole system through its command line, on real PostgreSQL servers and real folders.

mod acceptance;
mod bad_input;
mod chain;
mod crash;
mod damage;
mod hostile;
mod interop;
mod killed_restore;
mod memory;
mod real_edms;
mod support;
mod unattended;
