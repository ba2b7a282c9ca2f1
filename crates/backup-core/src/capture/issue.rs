//! What could not be captured, and what was left out on purpose.

use std::fmt;
use std::io;

use backup_archive::ArchivePath;

/// Something of the source that is missing from the backup: it makes the backup PARTIAL.
#[derive(Debug)]
pub struct Issue {
    /// Where it would be in the archive.
    pub path: ArchivePath,
    /// Why it is missing, or not to be trusted.
    pub reason: IssueReason,
}

/// Why something is missing.
#[derive(Debug)]
#[non_exhaustive]
pub enum IssueReason {
    /// It cannot be read: for a folder, nothing below it is in the backup.
    Unreadable(io::Error),
    /// It was there when its folder was listed, and gone when it was to be read.
    Vanished,
    /// It is in the backup, but without some of its extended attributes.
    AttributesUnreadable(io::Error),
}

impl IssueReason {
    /// Tells a thing that has gone from one that cannot be read.
    pub fn from_error(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Vanished,
            _ => Self::Unreadable(error),
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl fmt::Display for IssueReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::Vanished => f.write_str("vanished while it was read"),
            Self::AttributesUnreadable(error) => {
                write!(f, "extended attributes cannot be read: {error}")
            }
        }
    }
}

/// Why something was left out although nothing went wrong: it does not make a backup PARTIAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SkipReason {
    /// A UNIX socket: only its server can make it again.
    Socket,
    /// A named pipe.
    Fifo,
    /// A block or character device.
    Device,
    /// A pattern of the options says so.
    Excluded,
    /// It is one of the folders to leave out, such as the repository itself.
    ExcludedFolder,
    /// The staging folder of a restore, or the old files that one keeps.
    RestoreFolder,
    /// A folder on another file system, and the options say to stay on one.
    OtherFileSystem,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket => "a socket",
            Self::Fifo => "a named pipe",
            Self::Device => "a device",
            Self::Excluded => "excluded by a pattern",
            Self::ExcludedFolder => "an excluded folder",
            Self::RestoreFolder => "kept by a restore",
            Self::OtherFileSystem => "on another file system",
        })
    }
}
