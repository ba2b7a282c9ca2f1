//! `cat`: one entry to standard output.

use std::io::Write;

use backup_core::cat;
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::OpenKeys;

#[derive(Debug, Args)]
pub(crate) struct Cat {
    /// Archive path or backup id
    source: String,
    /// Path of the entry inside the archive, as `show` prints it
    path: String,
    #[command(flatten)]
    keys: OpenKeys,
}

impl Cat {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        if context.json() {
            return Err(CommandError::usage(
                "cat writes the entry itself, not JSON",
                "Leave --json out; `show --json` describes the entry.",
            ));
        }
        let backup = context.site_with(Some(&self.keys))?.open(&self.source)?;
        let mut out = std::io::stdout().lock();
        cat(&backup, &self.path, &mut out)?;
        out.flush()?;
        Ok(Exit::Complete)
    }
}
