//! `delete`: removes one backup.

use backup_core::request::DeleteRequest;
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Id of the backup, or an unambiguous beginning of it
    id: String,
    /// Do not ask, and remove it even if it is one of the last good ones of its configuration
    #[arg(long)]
    force: bool,
}

impl Delete {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site()?;
        let mut request = DeleteRequest {
            id: self.id,
            force: self.force,
        };
        if !request.force {
            // A refusal comes before the question.
            let record = request.plan(&site)?;
            let about = format!("{} ({})\n", record.id, output::size(record.bytes_stored));
            context.confirm(
                &format!("deleting {}", record.id),
                &format!("{about}This deletes it for good."),
            )?;
            request.force = true;
        }
        let deleted = request.run(&site)?;
        if context.json() {
            output::json(&deleted)?;
        } else if !context.quiet() {
            output::text(&format!(
                "deleted {}, {} are free\n{}",
                deleted.id,
                output::size(deleted.freed_bytes),
                output::warnings(&deleted.warnings, usize::MAX)
            ))?;
        }
        Ok(Exit::Complete)
    }
}
