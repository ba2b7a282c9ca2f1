//! Backup, restore and verification of an EDMS: PostgreSQL database, document storage, configuration.
//!
//! The crate composes `backup-archive` (a seekable tar) and `backup-db` (PostgreSQL over the wire) into services. It prints nothing and reads
//! no environment: options in, results out; progress and warnings go to a [`Monitor`].
//!
//! - [`create`] makes a backup, into a repository or at a path; [`run_task`] also tells those who want to know, and lets retention follow.
//! - [`audit::AuditTrail`] has the services with a line in the journal for each; [`schedule`], [`retention`] and [`health`] keep a site going unattended.
//! - [`verify()`] checks one; [`OpenedBackup`] and [`cat`] look into one.
//! - [`plan_restore`] says what a restore would do, [`restore()`] does it.
//! - [`request`] has what the faces ask for, in the terms of the command line.
//! - [`Repository`] is the folder of backups; [`Settings`] bring options, environment and configuration file together.
//!
//! Every error can [`Explain`] itself: a stable code, and what to do.
#![forbid(unsafe_code)]

pub mod audit;
pub mod capture;
mod closure;
mod config;
mod consolidate;
mod create;
mod database_errors;
mod diff;
mod dump_layout;
mod durable;
mod export;
mod failure;
pub mod health;
mod id;
mod kind;
mod manifest;
mod monitor;
pub mod notify;
mod opened;
pub mod placement;
mod record;
pub mod redact;
mod rehearse;
mod repository;
pub mod request;
mod restore;
pub mod retention;
pub mod sanitize;
pub mod schedule;
pub mod sealing;
mod task;
mod verify;

pub use backup_archive::Compression;
pub use backup_db::{ConnectError, ConnectOptions, ConnectSources, Parts, Secret};
pub use closure::{ClosureReport, Findings};
pub use config::{
    ConfigError, ConfigFile, DatabaseSection, NotifySection, Overrides, ReferenceRule,
    RepositorySection, SanitizeSection, ScheduleEntry, Settings, SourceGuardSection, SystemSection,
};
pub use consolidate::{ConsolidateError, ConsolidateOptions, consolidate};
pub use create::{Base, CreateError, CreateOptions, Destination, create, default_jobs};
pub use diff::{
    Change, DatabaseDifference, DiffError, Difference, FileChange, TableDifference, diff,
};
pub use failure::{Explain, Failure};
pub use id::{BackupId, InvalidId};
pub use kind::{BackupKind, Status, UnknownKind};
pub use manifest::{
    ConfigManifest, ConsolidatedManifest, DatabaseManifest, FileCount, HolderManifest,
    IncrementalManifest, Issue, MANIFEST_PATH, MANIFEST_VERSION, Manifest, ManifestError,
    RenamedFile, RootManifest,
};
pub use monitor::{Monitor, Phase, Recording, Silent};
pub use opened::{Archives, CatError, Contents, Link, LinkProblem, OpenError, OpenedBackup, cat};
pub use record::BackupRecord;
pub use rehearse::{
    LastRehearsal, Rehearsal, RehearseError, RehearseOptions, ScratchFolder, rehearse,
};
pub use repository::{
    JournalError, Listing, Pin, REPOSITORY_VERSION, Rebuilt, Repository, RepositoryError,
    UnreadableArchive,
};
pub use restore::{
    Component, DatabasePlan, IntoDatabase, RestoreError, RestoreOptions, RestoreOutcome,
    RestorePlan, RestoreTargets, RootPlan, Settled, TableRows, forget, plan_restore, recover,
    restore, table_rows, undo,
};
pub use task::{BackupTask, TaskOutcome, run_task};
pub use verify::{DamagedPart, VerifyError, VerifyOptions, VerifyOutcome, VerifyStatus, verify};
