//! The error of any service, as the faces pass it on.

use crate::audit::AuditError;
use crate::config::ConfigError;
use crate::consolidate::ConsolidateError;
use crate::create::CreateError;
use crate::diff::DiffError;
use crate::failure::Explain;
use crate::opened::{CatError, OpenError};
use crate::rehearse::RehearseError;
use crate::repository::{JournalError, RepositoryError};
use crate::restore::RestoreError;
use crate::retention::RemovalError;
use crate::schedule::{SetupError, SiteError};
use crate::sealing::KeyError;
use crate::verify::VerifyError;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The request contradicts itself or lacks something.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// Something in use would be replaced, and nobody said that it may.
    #[error("{what} needs a confirmation")]
    NotConfirmed {
        /// What would be replaced.
        what: String,
    },
    /// A folder that was named cannot be looked into.
    #[error("cannot read {}", .path.display())]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No backup was made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The chain was not consolidated.
    #[error(transparent)]
    Consolidate(#[from] Box<ConsolidateError>),
    /// The backups cannot be compared.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// Nothing was restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The backup cannot be checked.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A restore could not be rehearsed.
    #[error(transparent)]
    Rehearse(#[from] RehearseError),
    /// The entry cannot be read.
    #[error(transparent)]
    Cat(#[from] CatError),
    /// The backup is not removed, or not pinned.
    #[error(transparent)]
    Removal(#[from] RemovalError),
    /// The journal cannot be checked.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The schedule cannot be used.
    #[error(transparent)]
    Schedule(#[from] SiteError),
    /// The system's scheduler cannot be told.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl ServiceError {
    /// A request that makes no sense.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// No repository is named.
    pub fn no_repository() -> Self {
        Self::usage(
            "no repository is given",
            "Name it with --repository, BACKUP_ROOT or [repository] path in the configuration file.",
        )
    }

    /// Whether what was asked for makes no sense, whatever the state of the site.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Usage { .. } | Self::Config(_) | Self::Key(_) => true,
            Self::Schedule(error) => error.is_usage(),
            _ => false,
        }
    }

    /// Whether the work ended because it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.code() == "cancelled"
    }
}

impl Explain for ServiceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::NotConfirmed { .. } => "not_confirmed",
            Self::Folder { .. } => "unreadable",
            Self::Config(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Repository(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Create(error) => error.code(),
            Self::Consolidate(error) => error.code(),
            Self::Diff(error) => error.code(),
            Self::Restore(error) => error.code(),
            Self::Verify(error) => error.code(),
            Self::Rehearse(error) => error.code(),
            Self::Cat(error) => error.code(),
            Self::Removal(error) => error.code(),
            Self::Journal(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::Schedule(error) => error.code(),
            Self::Setup(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::NotConfirmed { .. } => {
                Some("There is no terminal to ask on: say --force.".into())
            }
            Self::Folder { .. } => None,
            Self::Config(error) => error.hint(),
            Self::Key(error) => error.hint(),
            Self::Repository(error) => error.hint(),
            Self::Open(error) => error.hint(),
            Self::Create(error) => error.hint(),
            Self::Consolidate(error) => error.hint(),
            Self::Diff(error) => error.hint(),
            Self::Restore(error) => error.hint(),
            Self::Verify(error) => error.hint(),
            Self::Rehearse(error) => error.hint(),
            Self::Cat(error) => error.hint(),
            Self::Removal(error) => error.hint(),
            Self::Journal(error) => error.hint(),
            Self::Audit(error) => error.hint(),
            Self::Schedule(error) => error.hint(),
            Self::Setup(error) => error.hint(),
        }
    }
}
