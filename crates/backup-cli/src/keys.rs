//! Options that name keys.

use std::path::PathBuf;

use backup_core::request::SiteRequest;
use clap::Args;

/// Whom to seal for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sealing")]
pub(crate) struct SealKeys {
    /// Seal the archive for this recipient. Repeatable [default: those of the configuration]
    #[arg(long, value_name = "age1…", conflicts_with = "passphrase_file")]
    recipient: Vec<String>,
    /// Seal the archive for the recipients in this file, one per line
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    recipients_file: Option<PathBuf>,
    /// Seal the archive with the passphrase in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Identities: they open the sealed backups that this one builds on, and let it be read back entry by entry
    #[arg(long, value_name = "FILE")]
    identity_file: Option<PathBuf>,
}

/// What opens sealed archives.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sealed backups")]
pub(crate) struct OpenKeys {
    /// Identities that open sealed archives [default: that of the configuration]
    #[arg(long, value_name = "FILE")]
    identity_file: Option<PathBuf>,
    /// A file with the passphrase that opens sealed archives
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Puts keys into a request.
pub(crate) trait Keys {
    fn put_into(&self, request: &mut SiteRequest);
}

impl Keys for SealKeys {
    fn put_into(&self, request: &mut SiteRequest) {
        request.recipient.clone_from(&self.recipient);
        request.recipients_file.clone_from(&self.recipients_file);
        request.passphrase_file.clone_from(&self.passphrase_file);
        request.identity_file.clone_from(&self.identity_file);
    }
}

impl Keys for OpenKeys {
    fn put_into(&self, request: &mut SiteRequest) {
        request.identity_file.clone_from(&self.identity_file);
        request.passphrase_file.clone_from(&self.passphrase_file);
    }
}
