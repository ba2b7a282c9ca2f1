//! Why a repository, or its journal, cannot be used.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::{DESCRIPTION, REPOSITORY_VERSION};
use crate::audit::AuditError;
use crate::failure::{Explain, is_full};

/// A repository that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// No repository there.
    #[error("there is no backup repository at {}", .path.display())]
    Missing {
        /// The folder that was looked at.
        path: PathBuf,
    },
    /// Made by a newer program.
    #[error("the repository {} has version {found}, this program knows up to {REPOSITORY_VERSION}", .path.display())]
    Newer {
        /// The repository.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// `repository.toml` or a record is not what it should be.
    #[error("{} is damaged", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// No such backup.
    #[error("no backup {id:?} in the repository {}", .path.display())]
    NoSuchBackup {
        /// What was asked for.
        id: String,
        /// The repository.
        path: PathBuf,
    },
    /// Another job of the same configuration is at work.
    #[error("another job of configuration {configuration:?} is running ({holder})")]
    Busy {
        /// The configuration.
        configuration: String,
        /// Host and process.
        holder: String,
    },
    /// The file to be written is there already.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// An operation of the file system failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// The journal of a repository cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The journal cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Explain for JournalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Repository(error) => error.code(),
            Self::Audit(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Repository(error) => error.hint(),
            Self::Audit(error) => error.hint(),
        }
    }
}

impl RepositoryError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

impl Explain for RepositoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "no_repository",
            Self::Newer { .. } => "repository_newer",
            Self::Malformed { .. } => "repository_damaged",
            Self::NoSuchBackup { .. } => "no_such_backup",
            Self::Busy { .. } => "busy",
            Self::Exists { .. } => "output_exists",
            Self::Io { source, .. } if is_full(source) => "no_space",
            Self::Io { .. } => "repository_io",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => {
                "Name the folder with --repository or BACKUP_ROOT; `edms-backup create` makes it."
                    .into()
            }
            Self::Newer { .. } => "Use the program version that made it, or a newer one.".into(),
            Self::Malformed { path, .. } if path.file_name() == Some(OsStr::new(DESCRIPTION)) => {
                "Restore repository.toml: one line, `repository_version = 1`.".into()
            }
            Self::Malformed { .. } => {
                "Remove the damaged record: it is read from the archive again.".into()
            }
            Self::NoSuchBackup { .. } => {
                "`edms-backup list` shows the backups; a path to an archive works too.".into()
            }
            Self::Busy { .. } => {
                "Wait until it has finished; nothing needs to be unlocked by hand.".into()
            }
            Self::Exists { .. } => {
                "Name another file, or move that one away: nothing is overwritten.".into()
            }
            Self::Io { source, .. } if is_full(source) => {
                "Free space on that file system, or choose another repository.".into()
            }
            Self::Io { .. } => return None,
        })
    }
}
