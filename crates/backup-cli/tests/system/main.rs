//! The whole system through its command line, on real PostgreSQL servers and real folders.

mod acceptance;
mod bad_input;
mod chain;
mod closure;
mod crash;
mod damage;
mod faults;
mod hostile;
mod interop;
mod killed_restore;
mod memory;
mod real_edms;
mod rescue;
mod sealed;
mod support;
mod unattended;
