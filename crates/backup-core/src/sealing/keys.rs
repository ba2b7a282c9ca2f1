//! Which files hold the keys of a site.

use std::path::{Path, PathBuf};

use backup_archive::FileAccess;
use backup_archive::seal::{Identity, KeyError, Keyring, Passphrase, Recipient, SealFor};
use serde::Deserialize;

/// Where container runtimes mount secrets; they choose the modes there.
const RUNTIME_SECRETS: &str = "/run/secrets";

/// `[encryption]`: who can open what is made here, and what opens it here. Making sealed backups needs recipients alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncryptionSection {
    /// Recipients, `age1…`.
    pub recipients: Vec<String>,
    /// A file of recipients, one per line.
    pub recipients_file: Option<PathBuf>,
    /// A file of identities, for verification and restore on this machine.
    pub identity_file: Option<PathBuf>,
    /// A file with the passphrase, in place of recipients and identities.
    pub passphrase_file: Option<PathBuf>,
}

impl EncryptionSection {
    /// Whether backups are to be sealed.
    pub fn seals(&self) -> bool {
        !self.recipients.is_empty()
            || self.recipients_file.is_some()
            || self.passphrase_file.is_some()
    }

    /// Who can open what is sealed now; `None` when nothing is to be sealed.
    ///
    /// # Errors
    /// A key file that cannot be used, or both recipients and a passphrase.
    pub fn seal_for(&self) -> Result<Option<SealFor>, KeyError> {
        let mut recipients = Vec::new();
        for text in &self.recipients {
            recipients.push(text.parse::<Recipient>()?);
        }
        if let Some(path) = &self.recipients_file {
            recipients.extend(Recipient::read_list(path)?);
        }
        Ok(match &self.passphrase_file {
            _ if !recipients.is_empty() => Some(SealFor::Recipients(recipients)),
            Some(path) => Some(SealFor::Passphrase(read_passphrase(path)?)),
            None => None,
        })
    }

    /// What opens sealed backups here; nothing when no key is named.
    ///
    /// # Errors
    /// A key file that cannot be used.
    pub fn keyring(&self) -> Result<Keyring, KeyError> {
        let mut keys = Keyring::default();
        if let Some(path) = &self.identity_file {
            keys.identities = Identity::read_list(path, access_to(path))?;
        }
        if let Some(path) = &self.passphrase_file {
            keys.passphrases.push(read_passphrase(path)?);
        }
        Ok(keys)
    }

    pub(crate) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.recipients_file
            .iter_mut()
            .chain(&mut self.identity_file)
            .chain(&mut self.passphrase_file)
    }
}

fn read_passphrase(path: &Path) -> Result<Passphrase, KeyError> {
    Passphrase::read(path, access_to(path))
}

fn access_to(path: &Path) -> FileAccess {
    if path.starts_with(RUNTIME_SECRETS) {
        FileAccess::Anyone
    } else {
        FileAccess::OwnerOnly
    }
}
