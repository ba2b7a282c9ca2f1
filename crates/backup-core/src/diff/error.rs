//! Why two backups cannot be compared.

use std::path::PathBuf;

use backup_archive::ReadError;

use crate::failure::Explain;
use crate::opened::{OpenError, OpenedBackup};
use crate::restore::RestoreError;

/// Why two backups cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A backup cannot be opened, or has lost its manifest.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A table of contents cannot be read.
    #[error("cannot read the table of contents of {}", .path.display())]
    Table {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: Box<ReadError>,
    },
    /// The entries are not in the order of a walk: not made by this program.
    #[error("the files in {} are not in order", .path.display())]
    Unordered {
        /// The archive.
        path: PathBuf,
    },
    /// The schema in an archive cannot be read.
    #[error("cannot read the schema in {}", .path.display())]
    Schema {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: Box<RestoreError>,
    },
}

impl DiffError {
    pub(super) fn table(backup: &OpenedBackup) -> impl FnOnce(ReadError) -> Self {
        let path = backup.path().to_owned();
        move |source| Self::Table {
            path,
            source: Box::new(source),
        }
    }

    pub(super) fn schema(backup: &OpenedBackup) -> impl FnOnce(RestoreError) -> Self {
        let path = backup.path().to_owned();
        move |source| Self::Schema {
            path,
            source: Box::new(source),
        }
    }
}

impl Explain for DiffError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::Table { .. } => "damaged",
            Self::Unordered { .. } => "not_a_backup",
            Self::Schema { source, .. } => source.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Table { .. } => Some("`edms-backup verify` names what is damaged.".into()),
            Self::Unordered { .. } => None,
            Self::Schema { source, .. } => source.hint(),
        }
    }
}
