//! What can go wrong between an extracted tree and a living folder.

use std::io;
use std::path::{Path, PathBuf};

/// Why files were not put in place, or not taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// The folder holds something, and nobody said that it may be replaced.
    #[error("target folder {target:?} is not empty")]
    TargetNotEmpty {
        /// The folder.
        target: PathBuf,
    },
    /// An earlier restore into this folder was interrupted.
    #[error("restore {id} into {target:?} was interrupted")]
    Unfinished {
        /// The folder.
        target: PathBuf,
        /// Of the earlier restore.
        id: String,
    },
    /// Another process restores into this folder, or takes a restore back.
    #[error("another restore works on {target:?}")]
    Busy {
        /// The folder.
        target: PathBuf,
    },
    /// No restore of that id is kept in this folder.
    #[error("no restore {id} is kept in {target:?}")]
    NoSuchRestore {
        /// The folder.
        target: PathBuf,
        /// As asked for.
        id: String,
    },
    /// Ids become part of a file name.
    #[error("restore id {id:?} has characters besides letters, digits, `-` and `_`")]
    BadId {
        /// As given.
        id: String,
    },
    /// A file system is mounted on something that would have to be moved.
    #[error("{path:?} is a mount point and cannot be replaced")]
    MountPoint {
        /// Below the target.
        path: PathBuf,
    },
    /// A selected path lies below something in the target that is no folder.
    #[error("{path:?} is in the way: it is not a folder")]
    NotAFolder {
        /// Below the target.
        path: PathBuf,
    },
    /// A selected path was not staged.
    #[error("{path:?} was not extracted")]
    NotStaged {
        /// In the staging folder.
        path: PathBuf,
    },
    /// The journal is not what this program writes.
    #[error("journal {path:?} is damaged in line {line}: {reason}")]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {path:?}")]
    Io {
        /// A verb, such as `rename`.
        action: &'static str,
        /// What it was about.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// Swapping failed, and everything is back as it was.
    #[error("the restored files could not be put in place; {target:?} is as it was before")]
    RolledBack {
        /// The folder.
        target: PathBuf,
        /// What failed.
        source: Box<PlacementError>,
    },
    /// Swapping failed, and going back failed, too.
    #[error(
        "the restored files are half in place in {target:?} and could not be taken back ({rollback})"
    )]
    HalfPlaced {
        /// The folder.
        target: PathBuf,
        /// What failed first.
        source: Box<PlacementError>,
        /// What failed then.
        rollback: Box<PlacementError>,
    },
}

impl PlacementError {
    /// What a person can do about it, where something general can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TargetNotEmpty { .. } => Some(
                "restore into an empty folder, or use --force to replace what is there (it is kept until the restore is forgotten)",
            ),
            Self::Unfinished { .. } | Self::HalfPlaced { .. } => {
                Some("run recover first: it finishes the restore or takes it back")
            }
            Self::Busy { .. } => Some("wait until the other restore has ended"),
            Self::MountPoint { .. } => Some("make it a file root of its own, or unmount it"),
            _ => None,
        }
    }

    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}
