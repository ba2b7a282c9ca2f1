//! PostgreSQL to a schema model and streams of COPY segments, and back, over the wire protocol alone.
//!
//! A [`Snapshot`] is a database as of one moment: its schema as SQL ([`Script`]), its rows as [`Segment`]s that several connections read at
//! once, a digest for each table. [`restore_fresh`] puts that into a new or empty database, [`prepare_swap`] and [`commit_swap`] into one
//! that takes the place of a live one, [`restore_replace`] into a live one in a single transaction. [`digest_tables`] and [`compare`] tell
//! whether two databases hold the same rows without keeping any. Where a dump is kept is the business of a [`DumpSource`].
//!
//! ```no_run
//! use backup_db::{ConnectOptions, MemoryDump, RestoreOptions, Snapshot, SnapshotOptions, restore_fresh};
//!
//! let source = ConnectOptions::from_url("postgresql://edms@db/edms")?;
//! let dump = MemoryDump::take(Snapshot::open(&source, &SnapshotOptions::default())?)?;
//! let target = ConnectOptions::from_url("postgresql://edms@db/edms_copy")?;
//! let stats = restore_fresh(&target, &dump, &RestoreOptions { verify: true, ..RestoreOptions::default() }, &())?;
//! assert!(stats.verified);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod cancel;
mod catalogue;
mod compare;
mod connect;
mod contents;
mod coverage;
mod digest;
mod error;
mod model;
mod order;
mod quote;
mod render;
mod restore;
mod schema;
mod schema_difference;
mod script;
mod secret;
mod segment;
mod server_info;
mod session;
mod settings;
mod snapshot;
mod table;

pub use cancel::CancelToken;
use compare::digest_segments;
pub use compare::{Difference, compare, digest_tables};
pub use connect::{ConnectError, ConnectOptions, ConnectSources, SslMode};
pub use contents::{DatabaseContents, DatabaseDifferences, read_schema, same_wording};
pub use digest::{InvalidRowDigest, RowDigest};
pub use error::QueryError;
pub use restore::{
    BoxError, DumpSource, Estimate, LargeObjectSource, MemoryDump, Parts, Preflight, Problem,
    RestoreError, RestoreOptions, RestoreProgress, RestoreStats, RestoreStep, Scratch, Strategy,
    SwapState, Swapped, abandon_swap, choose_strategy, commit_swap, discard_swap, list_swaps,
    preflight, preflight_replace, preflight_swap, prepare_swap, restore_fresh, restore_replace,
    swap_state, undo_swap,
};
pub use schema::{NEWEST_MAJOR, OLDEST_MAJOR, READ_SETTINGS, Schema, SchemaError};
pub use schema_difference::{SchemaComparison, SchemaDifference, compare_schemas};
pub use script::{ObjectKind, Record, Script, ScriptError, Section, TableName};
pub use secret::Secret;
pub use segment::{LargeObjectPiece, Segment};
pub use server_info::{ExtensionInfo, ServerInfo};
pub use session::{Canceller, CopyInError, Notice, Session};
pub use snapshot::{
    Blocker, DumpError, DumpStats, LargeObjectPieces, LargeObjectStats, Segments, Snapshot,
    SnapshotOptions, TableRewrite,
};
pub use table::{TableInfo, TableStats};
