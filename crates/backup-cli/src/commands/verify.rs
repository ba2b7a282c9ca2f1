//! `verify`: checks that backups are what was written.

use std::path::PathBuf;

use backup_core::request::VerifyRequest;
use backup_core::{VerifyOutcome, VerifyStatus};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::OpenKeys;
use crate::output;

/// Damaged entries that are printed; `--json` has all.
const SHOWN_ENTRIES: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Archive paths or backup ids
    #[arg(required = true)]
    source: Vec<String>,
    /// Check the stored bytes only, without unpacking them
    #[arg(long)]
    quick: bool,
    /// Restore into a scratch database beside the configured one and a scratch folder, compare everything, and remove them
    #[arg(long)]
    rehearse: bool,
    /// Make the scratch folder here [default: in the repository, or beside the archive]
    #[arg(long, value_name = "DIR", requires = "rehearse")]
    scratch: Option<PathBuf>,
    /// Also check the archives that an incremental backup refers to
    #[arg(long)]
    chain: bool,
    #[command(flatten)]
    keys: OpenKeys,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site_with(Some(&self.keys))?;
        let mut outcomes = Vec::new();
        for source in &self.source {
            let request = VerifyRequest {
                source: source.clone(),
                quick: self.quick,
                rehearse: self.rehearse,
                scratch: self.scratch.clone(),
                chain: self.chain,
            };
            let progress = context.progress();
            let result = request.run(&site, &progress);
            progress.finish();
            let outcome = result?;
            if !context.quiet() {
                output::text(&describe(source, &outcome, context.lines(SHOWN_ENTRIES)))?;
            }
            outcomes.push(outcome);
        }
        if context.json() {
            match outcomes.as_slice() {
                [one] => output::json(one)?,
                all => output::json(&all)?,
            }
        }
        let damaged = outcomes
            .iter()
            .any(|outcome| outcome.status == VerifyStatus::Damaged);
        Ok(if damaged {
            Exit::Failed
        } else {
            Exit::Complete
        })
    }
}

fn describe(source: &str, outcome: &VerifyOutcome, shown: usize) -> String {
    if outcome.status == VerifyStatus::Ok {
        let mut text = format!("{source}: ok, {} entries\n", outcome.entries);
        if let Some(rehearsal) = &outcome.rehearsal {
            text += &format!(
                "  restored and compared: {} tables, {} rows, {} files, in {}\n",
                rehearsal.tables,
                rehearsal.rows,
                rehearsal.files,
                output::duration(rehearsal.duration_ms)
            );
            text += &output::warnings(&rehearsal.notes, shown);
        }
        return text;
    }
    let mut text = format!(
        "{source}: DAMAGED, {} of {} entries are hit\n",
        outcome.damaged.len(),
        outcome.entries
    );
    for entry in outcome.damaged.iter().take(shown) {
        text += &format!(
            "  {}: {}\n",
            output::printable(&entry.path),
            output::printable(&entry.reason)
        );
    }
    if outcome.damaged.len() > shown {
        text += &format!(
            "  … and {} more (--json lists them all)\n",
            outcome.damaged.len() - shown
        );
    }
    if outcome.rehearsal.is_none() {
        text += "everything else can be restored\n";
    }
    text
}
