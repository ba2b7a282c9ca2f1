//! Why a chain was not consolidated.

use backup_archive::{ArchivePath, ReadError};

use crate::create::CreateError;
use crate::failure::Explain;
use crate::id::BackupId;
use crate::opened::OpenError;
use crate::repository::RepositoryError;

/// Why a chain was not consolidated. It is untouched, and nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsolidateError {
    /// The backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It builds on no other.
    #[error("{id} is no incremental backup: there is nothing to consolidate")]
    NotIncremental {
        /// The backup.
        id: BackupId,
    },
    /// An archive of the chain is missing or damaged.
    #[error("the chain is not whole: {problem}")]
    Incomplete {
        /// The first thing that is missing.
        problem: String,
    },
    /// An entry cannot be read.
    #[error("the chain is not whole: {path} cannot be read")]
    Entry {
        /// The entry.
        path: ArchivePath,
        /// Why not.
        source: Box<ReadError>,
    },
    /// The table of contents of an archive cannot be read.
    #[error("a table of contents cannot be read")]
    Table(#[source] ReadError),
    /// The new archive cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
}

impl From<RepositoryError> for ConsolidateError {
    fn from(error: RepositoryError) -> Self {
        Self::Create(error.into())
    }
}

impl Explain for ConsolidateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::NotIncremental { .. } => "not_incremental",
            Self::Incomplete { .. } | Self::Entry { .. } | Self::Table(_) => "chain_broken",
            Self::Create(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::NotIncremental { .. } => {
                Some("Name an incremental backup; `edms-backup list` shows them.".into())
            }
            Self::Incomplete { .. } | Self::Entry { .. } | Self::Table(_) => Some(
                "`edms-backup verify --chain` names everything that is missing; a new full backup does not need the chain.".into(),
            ),
            Self::Create(error) => error.hint(),
        }
    }
}
