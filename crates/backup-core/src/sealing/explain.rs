//! What to do when a key does not fit.

use backup_archive::seal::{KeyError, UnsealError};

use crate::failure::Explain;

impl Explain for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "key_file",
            Self::InFile { source, .. } | Self::Line { source, .. } => source.code(),
            Self::UnsupportedRecipient { .. } | Self::UnsupportedIdentity { .. } => {
                "key_unsupported"
            }
            Self::EmptyPassphrase | Self::SeveralLines => "passphrase",
            Self::Randomness => "no_random_bytes",
            _ => "key_malformed",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::InFile { source, .. } | Self::Line { source, .. } => return source.hint(),
            Self::File(_) => "Key files are the owner's alone (mode 0600), and an existing one is never overwritten.".into(),
            Self::EmptyPassphrase | Self::SeveralLines => "A passphrase file holds one line that is not empty.".into(),
            Self::Randomness => return None,
            _ => "`edms-backup key generate` makes an identity and prints its recipient.".into(),
        })
    }
}

impl Explain for UnsealError {
    fn code(&self) -> &'static str {
        match self {
            Self::NeedsPassphrase | Self::NeedsIdentity { .. } => "sealed",
            Self::WrongPassphrase | Self::WrongIdentity { .. } => "wrong_key",
            Self::DamagedHeader { .. } => "seal_header_damaged",
            Self::Truncated { .. } | Self::DamagedEnd { .. } | Self::DamagedChunk { .. } => {
                "seal_damaged"
            }
            Self::UnsupportedVersion => "archive_newer",
            Self::Armored | Self::NotSealed => "not_an_archive",
            Self::Limit { .. } => "archive_limit",
            _ => "unreadable",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self.code() {
            "sealed" => "Name the key with --identity-file or --passphrase-file, or under [encryption]; without one, `verify --quick` still compares the file with its SHA-256.".into(),
            "wrong_key" => "Take the identity of one of the recipients that the backup was sealed for.".into(),
            "seal_header_damaged" => "The few bytes that hold the key are damaged: nothing in this file can be opened. Take another copy of it.".into(),
            _ => return None,
        })
    }
}
