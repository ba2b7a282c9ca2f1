//! `restore`: brings a backup, or a part of it, back.

use std::path::PathBuf;

use backup_core::request::{RestoreRequest, Restored, ServiceError};
use backup_core::{Component, IntoDatabase, RestoreOutcome, RestorePlan, plan_restore};
use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::OpenKeys;
use crate::output;

/// Warnings that are printed; `--json` has all.
const SHOWN_WARNINGS: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// Archive path or backup id
    source: String,
    /// Restore this component alone
    #[arg(long, value_enum, value_name = "COMPONENT", conflicts_with_all = ["skip_database", "skip_files"])]
    only: Option<Only>,
    /// Leave the database as it is
    #[arg(long)]
    skip_database: bool,
    /// Leave the files as they are
    #[arg(long)]
    skip_files: bool,
    /// Restore only files that match, such as 'documents/2026/**'; a folder brings what is below it. Repeatable
    #[arg(long, value_name = "GLOB")]
    path: Vec<String>,
    /// Restore only this table. Repeatable. In a database in use its rows are replaced, in one transaction; everything else stays
    #[arg(long, value_name = "SCHEMA.TABLE")]
    table: Vec<String>,
    /// Restore only what is in this schema of the database. Repeatable
    #[arg(long, value_name = "NAME")]
    schema: Vec<String>,
    /// Restore definitions without rows
    #[arg(long, conflicts_with = "data_only")]
    schema_only: bool,
    /// Restore rows into tables that are there, in one transaction
    #[arg(long)]
    data_only: bool,
    /// Put files (and configuration) here, each root in a folder of its name, instead of where they belong
    #[arg(long, value_name = "DIR")]
    target: Option<PathBuf>,
    /// How the database is restored [default: fresh when it is empty or new; else swap, or replace when the role may not create databases]
    #[arg(long, value_enum)]
    into: Option<Into>,
    /// Leave everything to the connecting role
    #[arg(long)]
    no_owner: bool,
    /// Leave privileges out
    #[arg(long)]
    no_privileges: bool,
    /// Give what belongs to OLD to NEW. Repeatable
    #[arg(long, value_name = "OLD=NEW", value_parser = parse_role)]
    role_map: Vec<(String, String)>,
    /// Compare every restored table and file with the backup
    #[arg(long)]
    verify: bool,
    /// Try a server that is older than the backup's, or newer than any that this program knows
    #[arg(long)]
    any_version: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace what is there, without asking
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    keys: OpenKeys,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Only {
    Database,
    Files,
    Config,
}

impl From<Only> for Component {
    fn from(only: Only) -> Self {
        match only {
            Only::Database => Self::Database,
            Only::Files => Self::Files,
            Only::Config => Self::Config,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Into {
    /// An empty or new database
    Fresh,
    /// Beside the live one, compared, then exchanged with it; the old one is kept for undo
    Swap,
    /// In place, in one transaction; no undo
    Replace,
}

impl From<Into> for IntoDatabase {
    fn from(into: Into) -> Self {
        match into {
            Into::Fresh => Self::Fresh,
            Into::Swap => Self::Swap,
            Into::Replace => Self::Replace,
        }
    }
}

fn parse_role(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => {
            Ok((old.to_owned(), new.to_owned()))
        }
        _ => Err("expected OLD=NEW, such as edms_prod_user=edms".to_owned()),
    }
}

impl Restore {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site_with(Some(&self.keys))?;
        let mut request = RestoreRequest {
            source: self.source,
            only: self.only.map(Component::from),
            skip_database: self.skip_database,
            skip_files: self.skip_files,
            path: self.path,
            table: self.table,
            schema: self.schema,
            schema_only: self.schema_only,
            data_only: self.data_only,
            target: self.target,
            into: self.into.map(IntoDatabase::from),
            no_owner: self.no_owner,
            no_privileges: self.no_privileges,
            role_map: self.role_map.into_iter().collect(),
            verify: self.verify,
            dry_run: self.dry_run,
            force: self.force,
            any_version: self.any_version,
        };
        let progress = context.progress();
        let mut result = request.run(&site, &progress);
        // What is live is replaced after a confirmation only.
        if let Err(ServiceError::NotConfirmed { .. }) = &result {
            let plan = plan_restore(&request.options(&site)?, &progress)?;
            confirm(context, &plan)?;
            request.force = true;
            // What was confirmed is what happens.
            request.into = plan.database.map(|database| database.into);
            result = request.run(&site, &progress);
        }
        progress.finish();
        match result? {
            Restored::Plan(plan) => {
                if context.json() {
                    output::json(&plan)?;
                } else {
                    output::text(&plan.to_string())?;
                }
                Ok(if plan.problems.is_empty() {
                    Exit::Complete
                } else {
                    Exit::Failed
                })
            }
            Restored::Done(outcome) => {
                if context.json() {
                    output::json(&outcome)?;
                } else if !context.quiet() {
                    output::text(&describe(&outcome, context.lines(SHOWN_WARNINGS)))?;
                }
                Ok(outcome.status.into())
            }
        }
    }
}

/// Asks on the terminal; without one nothing is replaced.
fn confirm(context: &Context, plan: &RestorePlan) -> Result<(), CommandError> {
    let what = plan.replaced().join(", ");
    context.confirm(
        &format!("replacing {what}"),
        &format!("{plan}This replaces {what}."),
    )
}

fn describe(outcome: &RestoreOutcome, shown: usize) -> String {
    let mut text = format!("{} {}\n", outcome.status, outcome.id);
    if let Some(database) = &outcome.database {
        text += &format!(
            "  database  {} tables, {} rows into {database}\n",
            outcome.tables, outcome.rows
        );
    }
    for (root, folder) in &outcome.placed {
        text += &format!("  files     {root} into {}\n", folder.display());
    }
    for (name, kept) in &outcome.previous {
        text += &format!("  kept      {name} as it was: {kept}\n");
    }
    if !outcome.previous.is_empty() {
        text += &format!(
            "  `edms-backup undo {id}` takes this restore back, `edms-backup forget {id}` deletes what is kept\n",
            id = outcome.id
        );
    }
    text += &format!(
        "  {} files in {}{}\n",
        outcome.files,
        output::duration(outcome.duration_ms),
        if outcome.verified {
            ", everything compared with the backup"
        } else {
            ""
        }
    );
    if !outcome.warnings.is_empty() {
        text += "warnings:\n";
        text += &output::warnings(&outcome.warnings, shown);
    }
    text
}
