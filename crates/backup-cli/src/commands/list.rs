//! `list`: the catalogue.

use backup_core::request::ListRequest;
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let listing = ListRequest {}.run(&context.site()?)?;
        for (path, error) in &listing.unreadable {
            eprintln!("warning: {}: {error}", path.display());
        }
        if context.json() {
            output::json(&listing.backups)?;
        } else {
            let mut text = format!(
                "{:<39} {:<9} {:<19} {:>10} {:>8} {:>10}\n",
                "ID", "STATUS", "CREATED (UTC)", "SIZE", "FILES", "ROWS"
            );
            for listed in &listing.backups {
                let record = &listed.record;
                let pinned = if listed.pinned { "  pinned" } else { "" };
                text += &format!(
                    "{:<39} {:<9} {:<19} {:>10} {:>8} {:>10}{pinned}\n",
                    record.id,
                    record.status,
                    record.created_at.format("%Y-%m-%d %H:%M:%S"),
                    output::size(record.bytes_stored),
                    record.files,
                    record.rows
                );
            }
            if listing.backups.is_empty() {
                text = "no backups yet\n".to_owned();
            }
            output::text(&text)?;
        }
        Ok(Exit::Complete)
    }
}
