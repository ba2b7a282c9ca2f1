//! Why a backup cannot be opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::ReadError;
use backup_archive::seal::UnsealError;

use crate::failure::Explain;
use crate::manifest::ManifestError;

/// Why a backup cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be opened.
    #[error("cannot open {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is a folder, a device or the like.
    #[error("{} is not a file", .path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The archive is sealed, and cannot be opened.
    #[error("{} cannot be unsealed", .path.display())]
    Sealed {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: UnsealError,
    },
    /// The archive cannot be read at all.
    #[error("{} is not a readable backup archive", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ReadError>,
    },
    /// It is an archive, but has no manifest: not one of ours, or cut before its end.
    #[error("{} has no manifest: it is not a backup made by this program, or it was cut short", .path.display())]
    NoManifest {
        /// The archive.
        path: PathBuf,
    },
    /// The manifest is damaged, or made by a newer program.
    #[error("the manifest of {} cannot be used", .path.display())]
    Manifest {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<ManifestError>,
    },
    /// The bytes that hold the manifest are damaged.
    #[error("the manifest of {} is damaged: {reason}", .path.display())]
    ManifestDamaged {
        /// The archive.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
}

impl OpenError {
    /// Whether it is sealed, and no key that was given opens it.
    pub(crate) fn needs_a_key(&self) -> bool {
        matches!(
            self,
            Self::Sealed {
                source: UnsealError::NeedsIdentity { .. }
                    | UnsealError::NeedsPassphrase
                    | UnsealError::WrongIdentity { .. }
                    | UnsealError::WrongPassphrase,
                ..
            }
        )
    }
}

/// Why the manifest of an archive is not to be had.
#[derive(Debug, Clone)]
pub(super) enum ManifestLoss {
    Missing,
    Damaged(String),
    Unusable(Arc<ManifestError>),
}

impl ManifestLoss {
    /// As an error about the archive at `path`.
    pub(super) fn of(&self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Missing => OpenError::NoManifest { path },
            Self::Damaged(reason) => OpenError::ManifestDamaged {
                path,
                reason: reason.clone(),
            },
            Self::Unusable(source) => OpenError::Manifest {
                path,
                source: Arc::clone(source),
            },
        }
    }
}

impl Explain for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => "not_found",
            Self::File { .. } => "unreadable",
            Self::NotAFile { .. } => "not_a_file",
            Self::Sealed { source, .. } => source.code(),
            Self::Archive { source, .. } => match **source {
                ReadError::UnsupportedVersion { .. } | ReadError::UnsupportedFeatures { .. } => {
                    "archive_newer"
                }
                ReadError::Refused { .. } => "hostile_archive",
                ReadError::Limit { .. } => "archive_limit",
                _ => "not_an_archive",
            },
            Self::NoManifest { .. } => "not_a_backup",
            Self::Manifest { source, .. } => match **source {
                ManifestError::Newer { .. } => "archive_newer",
                _ => "manifest_damaged",
            },
            Self::ManifestDamaged { .. } => "manifest_damaged",
        }
    }

    fn hint(&self) -> Option<String> {
        if let Self::Sealed { source, .. } = self {
            return source.hint();
        }
        match self.code() {
            "not_found" => Some("`edms-backup list` shows the backups of the repository.".into()),
            "archive_newer" => Some("Use the program version that made it, or a newer one.".into()),
            "not_an_archive" => Some("Compare the file with its .sha256; `tar tzf` shows whether any of it can be read.".into()),
            "manifest_damaged" | "not_a_backup" => Some(
                "`edms-backup verify` names what is damaged; files can still be restored with --only files.".into(),
            ),
            _ => None,
        }
    }
}
