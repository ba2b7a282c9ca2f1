//! Incremental backups, and what can be done with the chains that they make.

mod consolidation;
mod difference;
mod increment;
mod links;
mod store;
