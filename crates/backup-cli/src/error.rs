//! Errors of the command itself, beside those of the services.

use backup_core::{
    CatError, ConfigError, CreateError, Explain, Failure, OpenError, RepositoryError, RestoreError,
    VerifyError,
};

use crate::exit::Exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The options contradict each other or lack something.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// A destructive command was not confirmed.
    #[error("{what} needs a confirmation")]
    NotConfirmed { what: String },
    /// The answer was not yes.
    #[error("not confirmed: nothing was changed")]
    Declined,
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Create(#[from] CreateError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Cat(#[from] CatError),
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Config(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    pub(crate) fn failure(&self) -> Failure {
        Failure::from(self)
    }
}

impl Explain for CommandError {
    fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::NotConfirmed { .. } => "not_confirmed",
            Self::Declined => "declined",
            Self::Output(_) => "output",
            Self::Config(error) => error.code(),
            Self::Repository(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Create(error) => error.code(),
            Self::Restore(error) => error.code(),
            Self::Verify(error) => error.code(),
            Self::Cat(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::NotConfirmed { .. } => {
                Some("There is no terminal to ask on: say --force.".into())
            }
            Self::Declined | Self::Output(_) => None,
            Self::Config(error) => error.hint(),
            Self::Repository(error) => error.hint(),
            Self::Open(error) => error.hint(),
            Self::Create(error) => error.hint(),
            Self::Restore(error) => error.hint(),
            Self::Verify(error) => error.hint(),
            Self::Cat(error) => error.hint(),
        }
    }
}
