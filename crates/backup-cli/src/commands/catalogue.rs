//! `catalogue rebuild`: the records, made anew from the archives.

use backup_core::request::RebuildRequest;
use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Catalogue {
    /// Make every record anew from its archive, and remove records without one
    Rebuild,
}

impl Catalogue {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let Self::Rebuild = self;
        let rebuilt = RebuildRequest {}.run(&context.site()?)?;
        if context.json() {
            output::json(&rebuilt)?;
        } else {
            let mut text = format!(
                "{} records written, {} were right, {} files without an archive removed\n",
                rebuilt.written.len(),
                rebuilt.unchanged,
                rebuilt.removed.len()
            );
            for archive in &rebuilt.unreadable {
                text += &format!(
                    "cannot be read: {}: {}\n",
                    archive.path.display(),
                    archive.error.message
                );
            }
            text += &output::warnings(&rebuilt.warnings, usize::MAX);
            output::text(&text)?;
        }
        Ok(if rebuilt.unreadable.is_empty() {
            Exit::Complete
        } else {
            Exit::Partial
        })
    }
}
