//! Backup, restore and verification of an EDMS: database, document storage and configuration.
#![forbid(unsafe_code)]

pub mod audit;
pub mod capture;
mod durable;
mod failure;
mod id;
mod kind;
mod monitor;
pub mod placement;
pub mod retention;
pub mod schedule;

pub use failure::{Explain, Failure};
pub use id::{BackupId, InvalidId};
pub use kind::{BackupKind, Status, UnknownKind};
pub use monitor::{Monitor, Phase, Recording, Silent};
