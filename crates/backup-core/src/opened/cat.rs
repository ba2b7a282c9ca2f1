//! One entry, written out.

use std::io::{self, Write};

use backup_archive::{ArchivePath, EntryKind, ReadError};

use super::OpenedBackup;
use crate::failure::Explain;

/// Why an entry cannot be written out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatError {
    /// No such path in the archive.
    #[error("the backup has no entry {path:?}")]
    NoSuchEntry {
        /// What was asked for.
        path: String,
    },
    /// The entry is a folder or a link.
    #[error("{path:?} is not a file")]
    NotAFile {
        /// What was asked for.
        path: String,
    },
    /// The entry cannot be read.
    #[error("cannot read {path:?}")]
    Read {
        /// What was asked for.
        path: String,
        /// Why not.
        source: Box<ReadError>,
    },
    /// The entry is damaged; what was written before is not to be trusted.
    #[error("cannot read {path:?} to its end")]
    Damaged {
        /// What was asked for.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The output takes no more.
    #[error("cannot write {path:?}")]
    Write {
        /// What was asked for.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

impl Explain for CatError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchEntry { .. } => "no_such_entry",
            Self::NotAFile { .. } => "not_a_file",
            Self::Read { .. } | Self::Damaged { .. } => "damaged",
            Self::Write { .. } => "output",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchEntry { .. } => Some("`edms-backup show --entries` lists them.".into()),
            _ => None,
        }
    }
}

/// Writes the content of one file to `out`; a hard link gives the content of its target. Reads only what holds it.
///
/// # Errors
/// When there is no such file, it is damaged (known only after its last byte), or `out` fails.
pub fn cat(backup: &OpenedBackup, path: &str, out: &mut dyn Write) -> Result<(), CatError> {
    let no_such_entry = || CatError::NoSuchEntry {
        path: path.to_owned(),
    };
    let damaged = |source| CatError::Read {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut wanted = ArchivePath::new(path).map_err(|_| no_such_entry())?;
    let entry = loop {
        let entry = backup
            .reader()
            .find(&wanted)
            .map_err(damaged)?
            .ok_or_else(no_such_entry)?;
        match entry.kind {
            EntryKind::File => break entry,
            // A hard link names a file, never another link.
            EntryKind::HardLink { target } if target != wanted => wanted = target,
            _ => {
                return Err(CatError::NotAFile {
                    path: path.to_owned(),
                });
            }
        }
    };
    let mut reader = backup.chain().read(&entry).map_err(damaged)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let len = match io::Read::read(&mut reader, &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) => {
                return Err(CatError::Damaged {
                    path: path.to_owned(),
                    source: error,
                });
            }
        };
        out.write_all(&buffer[..len])
            .map_err(|source| CatError::Write {
                path: path.to_owned(),
                source,
            })?;
    }
}
