//! Files that hold secrets: keys and passphrases.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Who may be able to read a file that holds a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// Only its owner: a file with any permission for its group or for others is refused.
    #[default]
    OwnerOnly,
    /// Anyone. For secrets whose modes somebody else chooses, such as those that a container runtime mounts.
    Anyone,
}

/// Why a file that holds a key or a passphrase cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be made; one that exists is never overwritten.
    #[error("cannot create {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More people than its owner can read it.
    #[error("{} can be read by others (mode {mode:04o}): chmod 600 it", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Longer than any such file.
    #[error("{} has more than {max} bytes: it is no such file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        max: usize,
    },
    /// It is not text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the whole file, which is text of no more than `max` bytes.
pub(crate) fn read_text(
    path: &Path,
    access: FileAccess,
    max: usize,
) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Read {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if access == FileAccess::OwnerOnly && mode & 0o077 != 0 {
        return Err(KeyFileError::OpenToOthers {
            path: path.into(),
            mode,
        });
    }
    // Room for all of it from the start: a vector that grows leaves copies of the secret behind.
    let mut content = Zeroizing::new(Vec::with_capacity(max + 1));
    file.take(max as u64 + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() > max {
        return Err(KeyFileError::TooLarge {
            path: path.into(),
            max,
        });
    }
    match String::from_utf8(std::mem::take(&mut *content)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(KeyFileError::NotText { path: path.into() })
        }
    }
}

/// Makes a file that only its owner can read, and makes it durable. One that exists is left alone.
pub(crate) fn create(path: &Path, content: &str) -> Result<(), KeyFileError> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| KeyFileError::Create {
        path: path.into(),
        source,
    })
}
