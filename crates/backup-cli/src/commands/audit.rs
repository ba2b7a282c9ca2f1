//! `audit`: what was done, and whether the journal of it is intact.

use backup_core::audit::{AuditEntry, AuditReport};
use backup_core::request::{AuditRequest, Audited};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// Lines that are printed; `--verbose` and `--json` have all.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Check that no line was changed, removed, inserted or moved
    #[arg(long)]
    verify: bool,
}

impl Audit {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = AuditRequest {
            verify: self.verify,
        };
        let audited = request.run(&context.site()?)?;
        if context.json() {
            output::json(&audited)?;
        } else {
            match &audited {
                Audited::Report(report) => output::text(&describe_report(report))?,
                Audited::Entries(entries) => {
                    let first = entries.len().saturating_sub(context.lines(SHOWN));
                    for entry in &entries[first..] {
                        output::text(&describe(entry))?;
                    }
                }
            }
        }
        Ok(match audited {
            Audited::Report(report) if !report.is_intact() => Exit::Failed,
            _ => Exit::Complete,
        })
    }
}

fn describe_report(report: &AuditReport) -> String {
    let mut text = format!("{} entries", report.entries);
    if let (Some(first), Some(last)) = (report.first, report.last) {
        let format = "%Y-%m-%d %H:%M:%S UTC";
        text += &format!(", {} to {}", first.format(format), last.format(format));
    }
    text += if report.is_intact() {
        ": intact\n"
    } else {
        ": NOT INTACT\n"
    };
    for problem in &report.problems {
        text += &format!("  {}\n", output::printable(&problem.to_string()));
    }
    for seq in &report.repairs {
        text += &format!("  entry {seq} tells of a repair after a crash\n");
    }
    text
}

fn describe(entry: &AuditEntry) -> String {
    let mut line = format!(
        "{:>6}  {}  {:<8} {:<12} {}  {}@{} ({})",
        entry.seq,
        entry.time.format("%Y-%m-%d %H:%M:%S"),
        entry.result,
        entry.action,
        entry.subject,
        entry.who.user,
        entry.who.host,
        entry.who.face
    );
    if let Some(message) = entry.details["error"]["message"].as_str() {
        line += &format!("  {message}");
    }
    output::printable(&line) + "\n"
}
