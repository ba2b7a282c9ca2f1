//! What a backup contains and how it ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a backup contains. Written in lower case everywhere (`full`), except in schedules (`FULL`); both are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    /// Database, every file root and the system configuration.
    #[serde(alias = "FULL")]
    Full,
    /// The database alone.
    #[serde(alias = "DATABASE")]
    Database,
    /// The file roots alone.
    #[serde(alias = "FILES")]
    Files,
    /// The files that changed since a base backup.
    #[serde(alias = "INCREMENTAL")]
    Incremental,
    /// A migration package: a full backup without passwords that carries its own restore script.
    #[serde(alias = "EXPORT")]
    Export,
}

impl BackupKind {
    /// Every kind, in the order in which they are documented.
    pub const ALL: [Self; 5] = [
        Self::Full,
        Self::Database,
        Self::Files,
        Self::Incremental,
        Self::Export,
    ];

    /// Whether backups of this kind contain the database.
    pub fn has_database(self) -> bool {
        matches!(self, Self::Full | Self::Database | Self::Export)
    }

    /// Whether backups of this kind contain files.
    pub fn has_files(self) -> bool {
        matches!(
            self,
            Self::Full | Self::Files | Self::Incremental | Self::Export
        )
    }

    /// The name as stored and shown: lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Database => "database",
            Self::Files => "files",
            Self::Incremental => "incremental",
            Self::Export => "export",
        }
    }
}

impl fmt::Display for BackupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a kind of backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of backup {0:?}: full, database, files, incremental or export")]
pub struct UnknownKind(String);

impl FromStr for BackupKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// How a backup or a restore ended. Comes from evidence: anything named as missing makes it [`Status::Partial`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Everything asked for is there.
    Complete,
    /// Usable, but something named is missing.
    Partial,
    /// Not usable.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Complete => "COMPLETE",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
        })
    }
}
