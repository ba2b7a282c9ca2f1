//! `key generate`: makes a key for sealed backups.

use std::path::PathBuf;

use backup_core::request::ServiceError;
use backup_core::sealing::generate_key;
use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make an identity, which opens sealed backups, and print its recipient, for which they are sealed
    Generate {
        /// The new file of the identity, mode 0600. Keep it away from the machine that makes the backups, and a copy elsewhere
        #[arg(long, value_name = "FILE", default_value = "edms-backup.key")]
        output: PathBuf,
    },
}

impl Key {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let Self::Generate { output } = self;
        let key = generate_key(&output).map_err(ServiceError::Key)?;
        if context.json() {
            output::json(&key)?;
        } else {
            output::text(&format!("{}\n", key.recipient))?;
        }
        Ok(Exit::Complete)
    }
}
