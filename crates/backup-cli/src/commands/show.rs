//! `show`: what a backup holds.

use backup_core::request::ShowRequest;
use backup_core::{IncrementalManifest, Manifest};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::OpenKeys;
use crate::output;

/// Warnings that are printed; `--json` has all.
const SHOWN_WARNINGS: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Archive path or backup id
    source: String,
    /// List every entry
    #[arg(long)]
    entries: bool,
    #[command(flatten)]
    keys: OpenKeys,
}

impl Show {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site_with(Some(&self.keys))?;
        if context.json() {
            let request = ShowRequest {
                source: self.source,
                entries: self.entries,
            };
            output::json(&request.run(&site)?)?;
            return Ok(Exit::Complete);
        }
        let backup = site.open(&self.source)?;
        let manifest = backup.require_manifest()?;
        output::text(&describe(manifest, context.lines(SHOWN_WARNINGS)))?;
        if self.entries {
            for entry in backup.contents() {
                let entry = entry?;
                let holder = entry.archive.map(|id| format!("  in {id}"));
                output::text(&format!(
                    "{:<9} {:>12} {}{}\n",
                    entry.kind,
                    entry.size,
                    output::printable(&entry.path),
                    output::printable(&holder.unwrap_or_default())
                ))?;
            }
        }
        Ok(Exit::Complete)
    }
}

fn describe(manifest: &Manifest, shown: usize) -> String {
    let mut text = format!(
        "{} {}\n  made      {} UTC on {} by {}\n",
        manifest.status,
        manifest.id,
        manifest.created_at.format("%Y-%m-%d %H:%M:%S"),
        manifest.host,
        manifest.program
    );
    if let Some(database) = &manifest.database {
        text += &format!(
            "  database  {} on PostgreSQL {}: {} tables, {} rows, as of {} UTC\n",
            database.server.database,
            database.server.version,
            database.stats.tables.len(),
            database.rows(),
            database.snapshot_at.format("%Y-%m-%d %H:%M:%S%.3f")
        );
        for table in &database.stats.tables {
            text += &format!(
                "    {:>10} rows {:>10}  {}.{}\n",
                table.rows,
                output::size(table.bytes),
                output::printable(&table.schema),
                output::printable(&table.name)
            );
        }
    }
    for (name, root) in &manifest.files {
        text += &format!(
            "  files     {name}: {} files, {} folders, {} links, {} from {}\n",
            root.files,
            root.directories,
            root.symlinks,
            output::size(root.bytes),
            root.source
        );
    }
    if let Some(incremental) = &manifest.incremental {
        text += &changes(incremental, shown);
    }
    if let Some(consolidated) = &manifest.consolidated {
        text += &format!(
            "  made of   {} at {} UTC\n",
            consolidated.from,
            consolidated.at.format("%Y-%m-%d %H:%M:%S")
        );
    }
    for file in &manifest.config {
        text += &format!("  config    {} from {}\n", file.path, file.source);
    }
    if let Some(closure) = &manifest.closure {
        text += &format!(
            "  rows      {} name a file: {} missing, {} with another checksum ({} compared), {} files without a row, {} rows without a rule\n",
            closure.rows,
            closure.missing.count,
            closure.mismatching.count,
            closure.compared,
            closure.orphaned.count,
            closure.unpicked.count
        );
    }
    for (title, list) in [("missing", &manifest.issues), ("notes", &manifest.notes)] {
        if !list.is_empty() {
            let lines: Vec<String> = list
                .iter()
                .map(|issue| format!("{}: {}", issue.path, issue.reason))
                .collect();
            text += &format!("{title}:\n{}", output::warnings(&lines, shown));
        }
    }
    text
}

/// How an incremental backup differs from its base, and where the content of its files is.
fn changes(incremental: &IncrementalManifest, shown: usize) -> String {
    let mut text = format!(
        "  base      {}: {} files new or changed ({}), {} renamed, {} deleted\n",
        incremental.base,
        incremental.stored.files,
        output::size(incremental.stored.bytes),
        incremental.renamed,
        incremental.deleted
    );
    for holder in &incremental.holders {
        text += &format!(
            "  needs     {}: {} files ({})\n",
            holder.id,
            holder.count.files,
            output::size(holder.count.bytes)
        );
    }
    let renamed = incremental.renamed_files.iter();
    let renamed: Vec<String> = renamed
        .map(|file| format!("{} -> {}", file.from, file.to))
        .collect();
    for (title, list, count) in [
        ("renamed", &renamed, incremental.renamed),
        ("deleted", &incremental.deleted_files, incremental.deleted),
    ] {
        if count > 0 {
            text += &format!("{title}:\n{}", output::warnings(list, shown));
        }
    }
    text
}
