//! How a command ends.

use std::process::ExitCode;

use backup_core::Status;

/// How a command ended, as its exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, nothing missing.
    Complete,
    /// Not done, or damage was found.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// Done, but something named is missing.
    Partial,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Complete => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
        })
    }
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Complete => Self::Complete,
            Status::Partial => Self::Partial,
            Status::Failed => Self::Failed,
        }
    }
}
