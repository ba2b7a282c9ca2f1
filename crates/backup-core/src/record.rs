//! The record of one backup: what lists show, kept beside the archive as a small TOML file.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audit::AuditHead;
use crate::closure::ClosureReport;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::manifest::Manifest;
use crate::rehearse::LastRehearsal;

/// What is known of a backup without opening its archive. The command line's `create --json` and `list --json` print it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// The backup's id.
    pub id: BackupId,
    /// What kind of backup this is.
    pub kind: BackupKind,
    /// COMPLETE or PARTIAL; a failed backup has no record.
    pub status: Status,
    /// When the backup began.
    pub created_at: DateTime<Utc>,
    /// The archive. Stored as a bare file name (beside the record); absolute once loaded.
    pub path: PathBuf,
    /// SHA-256 of the archive file, hex, unless it was turned off.
    pub sha256: Option<String>,
    /// The backup that this one builds on.
    pub base: Option<BackupId>,
    /// The configuration that asked for it.
    pub configuration: Option<String>,
    /// Files in the backup.
    pub files: u64,
    /// Tables in the backup.
    pub tables: u64,
    /// Rows in all tables.
    pub rows: u64,
    /// Bytes read from database and files.
    pub bytes_read: u64,
    /// Size of the archive in bytes.
    pub bytes_stored: u64,
    /// How long the backup took, in milliseconds.
    pub duration_ms: u64,
    /// What is missing, and what else is worth knowing.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Whether the backup could be restored when that was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rehearsal: Option<LastRehearsal>,
    /// Whether every row has its file, where `[[references]]` say which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureReport>,
    /// The last line of the audit journal when the backup began: a journal that was cut or forged since does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditHead>,
}

impl BackupRecord {
    /// The record of the archive at `path` that holds `manifest`.
    pub fn from_manifest(
        manifest: &Manifest,
        path: PathBuf,
        bytes_stored: u64,
        sha256: Option<String>,
    ) -> Self {
        let (tables, rows, table_bytes) = manifest.database.as_ref().map_or((0, 0, 0), |db| {
            (
                db.stats.tables.len() as u64,
                db.rows(),
                db.stats.tables.iter().map(|table| table.bytes).sum(),
            )
        });
        let file_bytes: u64 = match &manifest.incremental {
            Some(incremental) => incremental.stored.bytes,
            None => manifest.files.values().map(|root| root.bytes).sum(),
        };
        Self {
            id: manifest.id.clone(),
            kind: manifest.kind,
            status: manifest.status,
            created_at: manifest.created_at,
            path,
            sha256,
            base: manifest
                .incremental
                .as_ref()
                .map(|incremental| incremental.base.clone()),
            configuration: manifest.configuration.clone(),
            files: manifest.files.values().map(|root| root.files).sum(),
            tables,
            rows,
            bytes_read: table_bytes + file_bytes,
            bytes_stored,
            duration_ms: manifest.duration_ms,
            warnings: manifest
                .issues
                .iter()
                .chain(&manifest.notes)
                .map(|issue| format!("{}: {}", issue.path, issue.reason))
                .collect(),
            last_rehearsal: None,
            closure: manifest.closure.clone(),
            audit: manifest.audit.clone(),
        }
    }

    /// The record as it is stored beside its archive, of which it names only the file.
    pub(crate) fn to_toml(&self) -> String {
        let mut stored = self.clone();
        stored.path = self.path.file_name().unwrap_or_default().into();
        toml::to_string(&stored).expect("a record has nothing that TOML cannot hold")
    }
}
