//! Why a backup is not removed.

use crate::audit::AuditError;
use crate::failure::{Explain, is_full};
use crate::id::BackupId;
use crate::repository::RepositoryError;

/// Why a backup is not removed, or not pinned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemovalError {
    /// It is under legal hold.
    #[error("{id} is pinned{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Pinned {
        /// The backup.
        id: BackupId,
        /// Why it is.
        reason: Option<String>,
    },
    /// Others cannot be restored without it.
    #[error("{id} is needed by {}", list(.by))]
    Needed {
        /// The backup.
        id: BackupId,
        /// Those that build on it.
        by: Vec<BackupId>,
    },
    /// It is one of the last good ones.
    #[error(
        "{id} is one of the last {good} complete backups of its configuration; {floor} are kept in any case"
    )]
    LastGood {
        /// The backup.
        id: BackupId,
        /// How many complete ones there are.
        good: usize,
        /// How many are kept in any case.
        floor: usize,
    },
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// It was done, and could not be written down.
    #[error("it is done, but cannot be noted in the audit journal")]
    Unrecorded(#[source] AuditError),
}

fn list(ids: &[BackupId]) -> String {
    let names: Vec<_> = ids.iter().map(BackupId::as_str).collect();
    names.join(", ")
}

impl Explain for RemovalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Pinned { .. } => "pinned",
            Self::Needed { .. } => "backup_needed",
            Self::LastGood { .. } => "last_good_backup",
            Self::Repository(error) => error.code(),
            Self::Unrecorded(error) if is_full(&error.source) => "no_space",
            Self::Unrecorded(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Pinned { id, .. } => format!("`edms-backup unpin {id}` ends the hold."),
            Self::Needed { .. } => {
                "Remove those first, newest first, or `edms-backup consolidate` the newest of them."
                    .into()
            }
            Self::LastGood { .. } => {
                "Make a new backup first, or say --force to remove it all the same.".into()
            }
            Self::Repository(error) => return error.hint(),
            Self::Unrecorded(error) => return error.hint(),
        })
    }
}
