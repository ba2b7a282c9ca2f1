//! A passphrase that shows nowhere and is wiped from memory.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyError;
use crate::{FileAccess, private_file};

/// A passphrase to seal or open with. Wiped when dropped; `Debug` does not show it.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Longest passphrase file, in bytes.
    const MAX_FILE_LEN: usize = 4096;

    /// # Errors
    /// [`KeyError::EmptyPassphrase`]
    pub fn new(text: impl Into<Zeroizing<String>>) -> Result<Self, KeyError> {
        let text = text.into();
        if text.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        Ok(Self(text))
    }

    /// From a file of one line. The line ending, if there is one, is no part of it; spaces are.
    ///
    /// # Errors
    /// The file cannot be read, others could read it too, it is empty or has several lines.
    pub fn read(path: &Path, access: FileAccess) -> Result<Self, KeyError> {
        let text = private_file::read_text(path, access, Self::MAX_FILE_LEN)?;
        Self::from_line(&text).map_err(|source| KeyError::InFile {
            path: path.into(),
            source: Box::new(source),
        })
    }

    fn from_line(text: &str) -> Result<Self, KeyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains('\n') {
            return Err(KeyError::SeveralLines);
        }
        Self::new(line.to_owned())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}
