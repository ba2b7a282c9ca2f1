//! The command line: what is typed, before it means anything.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// Backs up, verifies and restores an EDMS: PostgreSQL database, document storage, configuration.
#[derive(Debug, Parser)]
#[command(
    name = "edms-backup",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 complete, 1 failed, 2 wrong usage, 3 partial (something named is missing)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Configuration file [default: ./edms-backup.toml, then /etc/edms-backup/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the backups [environment: BACKUP_ROOT]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Database to connect to, postgresql://user@host:port/name. Put the password into the environment or a file rather than here
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// A file root: its name in the backup and its folder. Repeatable
    #[arg(long, global = true, value_name = "NAME=DIR", value_parser = parse_root)]
    pub(crate) files: Vec<(String, PathBuf)>,
    /// Threads and database connections to use [default: number of processors]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Print one JSON document on standard output, nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write what happens during long work to standard error, as JSON lines
    #[arg(long, global = true)]
    pub(crate) events: bool,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print long lists to their ends
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a backup
    Create(commands::create::Create),
    /// Make a new full backup of an incremental one and what it builds on
    Consolidate(commands::consolidate::Consolidate),
    /// Restore a backup, or a part of it
    Restore(commands::restore::Restore),
    /// Take a restore back
    Undo(commands::afterwards::Undo),
    /// Finish or roll back restores that were interrupted
    Recover(commands::afterwards::Recover),
    /// Delete what is kept of a restore for undo
    Forget(commands::afterwards::Forget),
    /// Check that backups are what was written
    Verify(commands::verify::Verify),
    /// List the backups of the repository
    List(commands::list::List),
    /// Show what a backup holds
    Show(commands::show::Show),
    /// Show what changed between two backups
    Diff(commands::diff::Diff),
    /// Write one entry of a backup to standard output
    Cat(commands::cat::Cat),
    /// Remove what the retention rules drop
    Prune(commands::prune::Prune),
    /// Remove one backup
    Delete(commands::delete::Delete),
    /// Put a backup under legal hold: neither retention nor `delete` removes it
    Pin(commands::pin::PinCommand),
    /// End a legal hold
    Unpin(commands::pin::Unpin),
    /// Configurations that run unattended
    #[command(subcommand)]
    Schedule(commands::schedule::Schedule),
    /// Check that all is well: database, storage, machine, backups, access rights
    Health(commands::health::Health),
    /// Show what was done, or check that the journal of it is intact
    Audit(commands::audit::Audit),
    /// Look after the records of the backups
    #[command(subcommand)]
    Catalogue(commands::catalogue::Catalogue),
    /// Make keys for sealed backups
    #[command(subcommand)]
    Key(commands::key::Key),
    /// Look at the configuration
    #[command(subcommand)]
    Config(commands::config::Config),
    /// Print a completion script for a shell
    Completions(commands::completions::Completions),
}

fn parse_root(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(folder)))
        }
        _ => Err("expected NAME=DIR, such as documents=/srv/edms/documents".to_owned()),
    }
}
