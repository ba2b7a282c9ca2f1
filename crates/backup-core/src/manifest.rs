//! `manifest.toml`: what a backup holds, written as its last entry.
//!
//! A backup without a manifest was not finished. Everything a restore needs to decide before it touches anything is here: what
//! the database was, which tables with how many rows, which file roots, and what is missing by name.

use std::collections::BTreeMap;

use backup_db::{DumpStats, ServerInfo};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audit::AuditHead;
use crate::closure::ClosureReport;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::sanitize::Change;

/// The version of the manifest that this crate writes, and the newest that it reads.
pub const MANIFEST_VERSION: u32 = 1;

/// Path of the manifest inside an archive.
pub const MANIFEST_PATH: &str = "manifest.toml";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this structure: 1.
    pub manifest_version: u32,
    /// The backup's id.
    pub id: BackupId,
    /// What kind of backup this is.
    pub kind: BackupKind,
    /// COMPLETE, or PARTIAL when [`Manifest::issues`] names something.
    pub status: Status,
    /// When the backup began.
    pub created_at: DateTime<Utc>,
    /// How long it took until the manifest was written, in milliseconds.
    pub duration_ms: u64,
    /// The name of the configuration that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The program and its version.
    pub program: String,
    /// The host that made it; empty in migration packages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// What is missing or not as it was, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// What is worth knowing but takes nothing away: skipped sockets, for example.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Issue>,
    /// What is other in this migration package than in the database it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanitized: Vec<Change>,
    /// The database, if it is part of the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseManifest>,
    /// The file roots, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, RootManifest>,
    /// The system configuration files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<ConfigManifest>,
    /// Whether every row has its file, where `[[references]]` say which; in backups of database and files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureReport>,
    /// The last line of the repository's audit journal when the backup began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditHead>,
    /// What an incremental backup builds on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<IncrementalManifest>,
    /// What a consolidated backup was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consolidated: Option<ConsolidatedManifest>,
}

/// Something that is missing, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The path inside the archive, or the name of the object.
    pub path: String,
    /// What is the matter with it.
    pub reason: String,
}

/// The database as it was at the recovery point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatabaseManifest {
    /// When the snapshot was taken: the recovery point.
    pub snapshot_at: DateTime<Utc>,
    /// The server and the database: version, encoding, collation.
    pub server: ServerInfo,
    /// Every table with its number of rows and their digest; all large objects together.
    #[serde(flatten)]
    pub stats: DumpStats,
}

impl DatabaseManifest {
    /// Rows in all tables.
    pub fn rows(&self) -> u64 {
        self.stats.tables.iter().map(|table| table.rows).sum()
    }
}

/// One file root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootManifest {
    /// Where it was on the host.
    pub source: String,
    /// Regular files, hard links included.
    pub files: u64,
    /// Folders, the root included.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// One system configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigManifest {
    /// The path inside the archive.
    pub path: String,
    /// Where it was on the host.
    pub source: String,
}

/// What an incremental backup builds on, and how it differs from that. `files` of the manifest counts all of its files, wherever
/// their content is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncrementalManifest {
    /// The backup that the files were compared with.
    pub base: BackupId,
    /// Files that are new or changed: their content is in this archive.
    pub stored: FileCount,
    /// Files whose content is in other archives.
    pub referenced: FileCount,
    /// Files that have another path than in the base, and the same content.
    pub renamed: u64,
    /// Files and links of the base that are gone; renamed ones are not counted.
    pub deleted: u64,
    /// The archives that hold the content of the others. They are all that a restore needs besides this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<HolderManifest>,
    /// The first of the renamed files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_files: Vec<RenamedFile>,
    /// The first of the deleted files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_files: Vec<String>,
}

/// A number of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCount {
    /// How many.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl FileCount {
    /// Counts one more.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// An archive that holds content of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderManifest {
    /// The backup that it belongs to.
    pub id: BackupId,
    /// What it holds of this one.
    #[serde(flatten)]
    pub count: FileCount,
}

/// A file that has another path than in the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenamedFile {
    /// Its path in the base.
    pub from: String,
    /// Its path now.
    pub to: String,
}

/// What a consolidated backup was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidatedManifest {
    /// The incremental backup whose state it holds.
    pub from: BackupId,
    /// When.
    pub at: DateTime<Utc>,
    /// The backup that the database was taken from, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_from: Option<BackupId>,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not TOML, or not the fields that a manifest has.
    #[error("the manifest cannot be read")]
    Malformed(#[source] Box<toml::de::Error>),
    /// Made by a newer program.
    #[error("the manifest has version {found}, this program knows up to {MANIFEST_VERSION}")]
    Newer {
        /// The version in the file.
        found: u32,
    },
}

impl Manifest {
    /// The manifest as text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a manifest has nothing that TOML cannot hold")
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError::Newer`] before anything else is looked at, so that a newer manifest is named as such.
    pub fn from_toml(text: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Version {
            manifest_version: u32,
        }
        let malformed = |error| ManifestError::Malformed(Box::new(error));
        let Version { manifest_version } = toml::from_str(text).map_err(malformed)?;
        if manifest_version > MANIFEST_VERSION {
            return Err(ManifestError::Newer {
                found: manifest_version,
            });
        }
        toml::from_str(text).map_err(malformed)
    }
}
