//! Backup, restore and verification of an EDMS: database, document storage and configuration.
#![forbid(unsafe_code)]

pub mod capture;
pub mod placement;
