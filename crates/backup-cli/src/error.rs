//! Errors of the command itself, beside those of the services.

use backup_core::request::ServiceError;
use backup_core::schedule::SetupError;
use backup_core::{CatError, ConfigError, Explain, Failure, OpenError, RestoreError};

use crate::exit::Exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The answer was not yes.
    #[error("not confirmed: nothing was changed")]
    Declined,
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Errors of single services, where a command calls one itself.
macro_rules! from_service {
    ($($error:ty),*) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::Service(error.into())
            }
        })*
    };
}
from_service!(ConfigError, OpenError, RestoreError, CatError, SetupError);

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Service(ServiceError::usage(message, hint))
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Service(error) if error.is_usage() => Exit::Usage,
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
            Self::Declined => "declined",
            Self::Output(_) => "output",
            Self::Service(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Declined | Self::Output(_) => None,
            Self::Service(error) => error.hint(),
        }
    }
}
