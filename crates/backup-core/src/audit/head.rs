//! The last line of a journal, named.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::AuditError;
use crate::durable;

/// Names a line of a journal and, by its hash, everything before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Number of the line.
    pub seq: u64,
    /// Its hash, 64 lower-case hexadecimal digits.
    pub hash: String,
}

/// The file beside the journal that names its last line: `audit.jsonl` → `audit.jsonl.head`.
pub fn head_path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

/// What the file beside the journal says.
pub(super) enum StoredHead {
    Named(AuditHead),
    Missing,
    /// Not what we write.
    Damaged,
}

impl AuditHead {
    /// Before the first line.
    pub(super) fn start() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(64),
        }
    }

    pub(super) fn load(journal: &Path) -> Result<StoredHead, AuditError> {
        let path = head_path(journal);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(StoredHead::Missing);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Ok(StoredHead::Damaged);
            }
            Err(error) => return Err(AuditError::io("read", &path)(error)),
        };
        // Only the very bytes that we write: JSON has many ways to say the same.
        Ok(match serde_json::from_str::<Self>(&text) {
            Ok(head) if head.text() == text => StoredHead::Named(head),
            _ => StoredHead::Damaged,
        })
    }

    /// Writes the file; the journal must be locked.
    pub(super) fn store(&self, journal: &Path) -> Result<(), AuditError> {
        let path = head_path(journal);
        durable::replace_locked(&path, self.text().as_bytes())
            .map_err(AuditError::io("write", &path))
    }

    fn text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("plain fields");
        text.push('\n');
        text
    }
}
