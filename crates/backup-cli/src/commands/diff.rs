//! `diff`: what changed between two backups.

use backup_core::request::DiffRequest;
use backup_core::{Change, DatabaseDifference, Difference, FileChange};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::OpenKeys;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The first backup: archive path or backup id
    from: String,
    /// The second
    to: String,
    #[command(flatten)]
    keys: OpenKeys,
}

impl Diff {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site_with(Some(&self.keys))?;
        let request = DiffRequest {
            from: self.from,
            to: self.to,
        };
        if context.json() {
            output::json(&request.run(&site)?)?;
            return Ok(Exit::Complete);
        }
        let mut printed = Ok(());
        let difference = request.run_with(&site, &mut |entry| {
            if printed.is_ok() {
                printed = output::text(&line(&entry));
            }
        })?;
        printed?;
        output::text(&describe(&difference))?;
        Ok(Exit::Complete)
    }
}

fn line(entry: &FileChange) -> String {
    let what = match entry.what.as_slice() {
        [] => String::new(),
        what => format!("  ({})", what.join(", ")),
    };
    let path = output::printable(&entry.path);
    format!("{} {path}{what}\n", sign(entry.change))
}

fn sign(change: Change) -> char {
    match change {
        Change::Added => '+',
        Change::Removed => '-',
        Change::Changed => '~',
    }
}

fn describe(difference: &Difference) -> String {
    let mut text = String::new();
    match &difference.database {
        None => text += "database: one of the backups holds none, so it is not compared\n",
        Some(database) => text += &describe_database(database),
    }
    text += &format!(
        "{} -> {}: {} added, {} removed, {} changed\n",
        difference.from, difference.to, difference.added, difference.removed, difference.changed
    );
    text
}

fn describe_database(database: &DatabaseDifference) -> String {
    let rows = |rows: Option<u64>| rows.map_or_else(|| "none".to_owned(), |rows| rows.to_string());
    let mut text = String::new();
    for table in &database.tables {
        text += &format!(
            "{} table {}: rows {} -> {}\n",
            sign(table.change),
            output::printable(&table.table),
            rows(table.rows_before),
            rows(table.rows_after)
        );
    }
    for (object, change) in &database.schema {
        text += &format!("{} {}\n", sign(*change), output::printable(object));
    }
    if database.large_objects {
        text += "~ large objects\n";
    }
    if database.is_same() {
        text += "database: the same\n";
    }
    text
}
