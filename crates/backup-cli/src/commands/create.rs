//! `create`: makes a backup.

use std::path::PathBuf;

use backup_core::request::CreateRequest;
use backup_core::{BackupKind, Status, TaskOutcome};
use clap::{Args, ValueEnum};

use super::archive::Archive;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::SealKeys;
use crate::output;

/// Warnings that are printed; `--json` has all.
const SHOWN_WARNINGS: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What the backup contains
    #[arg(value_enum)]
    kind: Kind,
    /// What an incremental backup builds on, an id or the path of an archive [default: the newest backup with the same file roots]
    #[arg(long, value_name = "ID|PATH")]
    base: Option<String>,
    /// Incremental: read every file, instead of those alone whose size, times or inode differ from the base
    #[arg(long)]
    paranoid: bool,
    /// Incremental: hold the database too, as a whole
    #[arg(long)]
    include_database: bool,
    #[command(flatten)]
    archive: Archive,
    /// A system configuration file to include. Repeatable
    #[arg(long, value_name = "PATH")]
    config_file: Vec<PathBuf>,
    /// Name of the configuration that this backup belongs to; one job of a configuration runs at a time
    #[arg(long, value_name = "NAME")]
    configuration: Option<String>,
    /// Accept a file root that is empty or shrank sharply since the last backup
    #[arg(long)]
    allow_shrunken: bool,
    /// Dump a server that is newer than any that this program knows
    #[arg(long)]
    any_version: bool,
    /// Export: accounts keep their names, their passwords become unusable. The default
    #[arg(long, conflicts_with = "exclude_users")]
    include_users: bool,
    /// Export: replace people by pseudonyms
    #[arg(long)]
    exclude_users: bool,
    #[command(flatten)]
    keys: SealKeys,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Database, files and system configuration
    Full,
    /// The database alone
    Database,
    /// The file roots alone
    Files,
    /// A migration package: everything but passwords and secrets, with its own restore script
    Export,
    /// The files that changed since a base backup
    Incremental,
}

impl Create {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = CreateRequest {
            kind: match self.kind {
                Kind::Full => BackupKind::Full,
                Kind::Database => BackupKind::Database,
                Kind::Files => BackupKind::Files,
                Kind::Export => BackupKind::Export,
                Kind::Incremental => BackupKind::Incremental,
            },
            output: self.archive.output,
            config_file: self.config_file,
            configuration: self.configuration,
            compression: self.archive.compression.into(),
            level: self.archive.level,
            no_verify: self.archive.no_verify,
            no_sha256: self.archive.no_sha256,
            allow_shrunken: self.allow_shrunken,
            any_version: self.any_version,
            include_users: self.include_users,
            exclude_users: self.exclude_users,
            base: self.base,
            paranoid: self.paranoid,
            include_database: self.include_database,
        };
        let site = context.site_with(Some(&self.keys))?;
        let progress = context.progress();
        let result = request.run(&site, &progress);
        progress.finish();
        report(context, &result?)
    }
}

/// Prints what came of a backup; the exit code says it too.
pub(super) fn report(context: &Context, outcome: &TaskOutcome) -> Result<Exit, CommandError> {
    if context.json() {
        output::json(outcome)?;
    } else if !context.quiet() {
        output::text(&describe(outcome, context.lines(SHOWN_WARNINGS)))?;
    }
    Ok(outcome.record.status.into())
}

fn describe(outcome: &TaskOutcome, shown: usize) -> String {
    let record = &outcome.record;
    let mut text = format!("{} {}\n", record.status, record.id);
    if record.tables > 0 {
        text += &format!(
            "  database  {} tables, {} rows\n",
            record.tables, record.rows
        );
    }
    if let Some(base) = &record.base {
        text += &format!("  base      {base}\n");
    }
    if record.files > 0 {
        text += &format!("  files     {}\n", record.files);
    }
    text += &format!(
        "  size      {} from {}, in {}\n  archive   {}\n",
        output::size(record.bytes_stored),
        output::size(record.bytes_read),
        output::duration(record.duration_ms),
        record.path.display()
    );
    for id in &outcome.pruned {
        text += &format!("  removed   {id}: its configuration need not keep it\n");
    }
    if !record.warnings.is_empty() {
        text += if record.status == Status::Partial {
            "missing or changed, and notes:\n"
        } else {
            "notes:\n"
        };
        text += &output::warnings(&record.warnings, shown);
    }
    text
}
