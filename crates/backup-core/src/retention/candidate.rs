//! What retention needs to know of a backup.

use chrono::{DateTime, Utc};

use crate::id::BackupId;
use crate::kind::Status;
use crate::record::BackupRecord;

/// A backup as retention sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The backup's id; its kind is part of it.
    pub id: BackupId,
    /// When the backup began.
    pub created_at: DateTime<Utc>,
    /// How it ended.
    pub status: Status,
    /// The backup that it builds on.
    pub base: Option<BackupId>,
    /// Under legal hold: never dropped by a rule.
    pub pinned: bool,
    /// A backup that needs it although it is not among the candidates: one that is being made, or whose record cannot be read.
    pub needed_by: Option<BackupId>,
    /// The configuration that made it; `None` for one made by hand.
    pub configuration: Option<String>,
    /// Size of its archive in bytes.
    pub stored_bytes: u64,
}

impl Candidate {
    /// A backup made by hand that needs no other, is not pinned and of size 0: the starting point for the rest of the fields.
    pub fn new(id: BackupId, created_at: DateTime<Utc>, status: Status) -> Self {
        Self {
            id,
            created_at,
            status,
            base: None,
            pinned: false,
            needed_by: None,
            configuration: None,
            stored_bytes: 0,
        }
    }

    /// The backup that a record describes.
    pub fn from_record(record: &BackupRecord, pinned: bool) -> Self {
        Self {
            id: record.id.clone(),
            created_at: record.created_at,
            status: record.status,
            base: record.base.clone(),
            pinned,
            needed_by: None,
            configuration: record.configuration.clone(),
            stored_bytes: record.bytes_stored,
        }
    }
}
