//! Why nothing, or not everything, was extracted.

use std::io;

use crate::{ArchivePath, Damage, ReadError};

/// Why an extraction ended. Before the first of [`ExtractError::Target`] nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The archive cannot be read.
    #[error("cannot read the archive")]
    Read(#[from] ReadError),
    /// A symbolic link points out of the target, and the options say to refuse that.
    #[error("entry {path} is a symbolic link that leaves the target folder")]
    SymlinkEscapes {
        /// The entry.
        path: ArchivePath,
    },
    /// A hard link names something that is not below the folder to be extracted.
    #[error("entry {path} is a hard link to {target}, which is outside of what is extracted")]
    HardLinkEscapes {
        /// The entry.
        path: ArchivePath,
        /// What it names.
        target: ArchivePath,
    },
    /// More than the options allow.
    #[error("more than {max} {what} are to be extracted")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// The file system of the target is too small.
    #[error("{needed} bytes are to be extracted but only {available} are free in the target")]
    NoSpace {
        /// Bytes to be written, at least.
        needed: u64,
        /// Bytes free for this user.
        available: u64,
    },
    /// The target cannot take what it should: the disk is full or fails, or permissions are missing. What was extracted so far is
    /// still there.
    #[error("cannot {action} {path} in the target")]
    Target {
        /// A verb, such as `write`.
        action: &'static str,
        /// Path in the archive.
        path: ArchivePath,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// The target folder itself cannot be used.
    #[error("cannot {action} the target folder")]
    Root {
        /// A verb, such as `open`.
        action: &'static str,
        /// The answer of the operating system.
        source: io::Error,
    },
}

/// An entry that could not be extracted while others could.
#[derive(Debug)]
pub struct FailedEntry {
    /// Its path in the archive.
    pub path: ArchivePath,
    /// Why.
    pub reason: FailReason,
}

/// Why one entry could not be extracted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailReason {
    /// The archive is damaged where it is.
    #[error("it is damaged: {0}")]
    Damaged(#[from] Damage),
    /// It is a hard link to an entry that is missing or has failed.
    #[error("it is a hard link to {0}, which is not there")]
    LinkTarget(ArchivePath),
    /// Something of that name is there already: an earlier entry, or a file of the target.
    #[error("something of the same name is there")]
    Exists,
    /// The file system of the target cannot have such a name.
    #[error("the target cannot hold it: {0}")]
    Name(io::Error),
    /// Metadata could not be set.
    #[error("its metadata cannot be set: {0}")]
    Metadata(io::Error),
}
