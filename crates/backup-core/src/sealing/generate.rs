//! A new key pair.

use std::path::{Path, PathBuf};

use backup_archive::seal::{Identity, KeyError};
use chrono::{SecondsFormat, Utc};
use serde::Serialize;

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedKey {
    /// The new file with the identity, mode 0600: whoever has it opens what is sealed for the recipient.
    pub path: PathBuf,
    /// The recipient, `age1…`: no secret, for the machines that make backups.
    pub recipient: String,
}

/// Makes a key pair and writes the identity to a new file.
///
/// # Errors
/// [`KeyError::File`] when the file cannot be made, or is there already.
pub fn generate_key(path: &Path) -> Result<GeneratedKey, KeyError> {
    let identity = Identity::generate()?;
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    identity.create_file(path, &now)?;
    Ok(GeneratedKey {
        path: path.to_owned(),
        recipient: identity.recipient().to_string(),
    })
}
