//! What is restored, and how.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::{CancelToken, ObjectKind, TableName};

/// How a dump is restored.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// Connections that load rows and build indexes. Default: one per processor.
    pub jobs: NonZeroUsize,
    /// Whether objects get the owners that they had; otherwise they belong to the restoring role. Default: yes.
    pub owners: bool,
    /// Whether privileges are restored. Default: yes.
    pub privileges: bool,
    /// Roles to replace, old name to new.
    pub role_map: BTreeMap<String, String>,
    /// When not empty: only these tables with their rows, and what they need. The partitions of a table belong to it.
    pub tables: Vec<TableName>,
    /// When not empty: only what is in these schemas, and what that needs; together with `tables`, both.
    pub schemas: Vec<String>,
    /// Schema and rows, or one of them. Default: both.
    pub parts: Parts,
    /// Whether to read everything back and compare it with the dump. Default: no.
    pub verify: bool,
    /// Whether a server may be tried that is older than the dump's, or newer than any that is known here. Default: no.
    pub any_version: bool,
    /// Cancels the restore.
    pub cancel: CancelToken,
}

/// What of the selected objects is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parts {
    /// Definitions and rows.
    #[default]
    All,
    /// Definitions alone: tables are empty, sequences stand at their beginning.
    Schema,
    /// Rows alone, and where sequences stand: into tables that are there.
    Data,
}

impl Parts {
    pub(crate) fn have_rows(self) -> bool {
        self != Self::Schema
    }

    /// Whether records of a kind are wanted.
    pub(crate) fn hold(self, kind: ObjectKind) -> bool {
        let is_content = matches!(
            kind,
            ObjectKind::SequenceValue | ObjectKind::Refresh | ObjectKind::LargeObject
        );
        match self {
            Self::All => true,
            Self::Schema => !is_content,
            Self::Data => is_content && kind != ObjectKind::LargeObject,
        }
    }
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            owners: true,
            privileges: true,
            role_map: BTreeMap::new(),
            tables: Vec::new(),
            schemas: Vec::new(),
            parts: Parts::All,
            verify: false,
            any_version: false,
            cancel: CancelToken::new(),
        }
    }
}

impl RestoreOptions {
    /// Whether only some tables or schemas are restored.
    pub(crate) fn is_partial(&self) -> bool {
        !(self.tables.is_empty() && self.schemas.is_empty())
    }

    /// Whether a database in use keeps everything but what is selected.
    pub(crate) fn is_selective(&self) -> bool {
        self.is_partial() || self.parts == Parts::Data
    }

    /// The role that takes the place of `role`.
    pub(crate) fn role(&self, role: &str) -> String {
        self.role_map
            .get(role)
            .map_or_else(|| role.to_owned(), String::clone)
    }
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreStats {
    /// Name of the database that was filled.
    pub database: String,
    /// Whether the restore created it.
    pub created: bool,
    /// Tables that got their rows.
    pub tables: u64,
    /// Rows loaded.
    pub rows: u64,
    /// Bytes of COPY text loaded.
    pub bytes: u64,
    /// Large objects loaded.
    pub large_objects: u64,
    /// Whether everything was read back and compared.
    pub verified: bool,
    /// What should be told to a person.
    pub warnings: Vec<String>,
}

/// What a restore is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreStep {
    /// Creating what rows need; counted in objects.
    PreData,
    /// Loading rows; counted in bytes of COPY text and of large objects.
    Data,
    /// Indexes, constraints, triggers and the rest; counted in objects.
    PostData,
    /// Statistics for the planner; counted in tables.
    Analyze,
    /// Reading back and comparing; counted in bytes of COPY text.
    Verify,
}

/// Watches a restore; called from several threads.
pub trait RestoreProgress: Sync {
    /// A step begins.
    fn step(&self, step: RestoreStep, total: u64);
    /// So much more of the step is done.
    fn advance(&self, amount: u64);
}

/// Watches nothing.
impl RestoreProgress for () {
    fn step(&self, _step: RestoreStep, _total: u64) {}
    fn advance(&self, _amount: u64) {}
}
