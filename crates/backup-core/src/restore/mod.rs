//! Bringing a backup back.
//!
//! ```text
//! stage files ──> restore database ──> swap files in
//! ```
//! Everything that can fail happens beside the live system: files are extracted into staging folders and checked there, and the
//! database is filled while it is still empty. Only renames are left then, under a journal. When anything fails, what was there
//! before is still there.

mod dump;
mod error;
mod files;
mod options;
mod outcome;
mod plan;

use std::collections::BTreeMap;
use std::time::Instant;

use backup_db::{CancelToken, RestoreStats, RestoreStep, restore_fresh};
use chrono::Utc;

pub use error::RestoreError;
pub use options::{Component, IntoDatabase, RestoreOptions};
pub use outcome::{DatabasePlan, RestoreOutcome, RestorePlan, RootPlan};

use crate::create::elapsed_ms;
use crate::id::restore_id;
use crate::kind::Status;
use crate::monitor::{Monitor, Phase};
use dump::ArchivedDump;
use files::StagedRoot;
use plan::Prepared;

/// Says what a restore would do, and what stands in its way. Touches nothing.
///
/// # Errors
/// When the backup cannot be read, or the options make no sense for it. What stands in the way of the restore itself is in
/// [`RestorePlan::problems`].
pub fn plan_restore(
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<RestorePlan, RestoreError> {
    monitor.phase(Phase::Preparing, None);
    let backup = crate::opened::OpenedBackup::open(&options.source)?;
    Ok(Prepared::new(&backup, options)?.plan(options))
}

/// Restores a backup, or the part of it that the options select.
///
/// # Errors
/// What was there before is still there, unless the error says otherwise. Damaged entries are no error: the result is PARTIAL, and
/// names them.
pub fn restore(
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<RestoreOutcome, RestoreError> {
    let began = Instant::now();
    monitor.phase(Phase::Preparing, None);
    let backup = crate::opened::OpenedBackup::open(&options.source)?;
    let prepared = Prepared::new(&backup, options)?;
    let plan = prepared.plan(options);
    if !plan.problems.is_empty() {
        return Err(RestoreError::Preflight {
            problems: plan.problems,
        });
    }
    let id = restore_id(Utc::now()).map_err(RestoreError::Random)?;
    let mut warnings = plan.warnings;
    let staged = files::stage_all(&backup, &prepared, &id, options, monitor)?;
    let database = match &prepared.dump {
        Some(dump) => Some(restore_database(dump, options, monitor)?),
        None => None,
    };
    monitor.phase(Phase::Finishing, None);
    if monitor.is_cancelled() && database.is_none() {
        return Err(RestoreError::Cancelled);
    }
    let mut outcome = RestoreOutcome {
        id,
        status: if prepared.losses.is_empty() {
            Status::Complete
        } else {
            Status::Partial
        },
        into: database.as_ref().map(|_| IntoDatabase::Fresh),
        database: database.as_ref().map(|stats| stats.database.clone()),
        tables: 0,
        rows: 0,
        files: staged.iter().map(StagedRoot::files).sum(),
        placed: BTreeMap::new(),
        verified: options.verify,
        previous: BTreeMap::new(),
        duration_ms: 0,
        warnings: Vec::new(),
    };
    for root in &staged {
        if !root.failed().is_empty() {
            outcome.status = Status::Partial;
        }
        warnings.extend(root.failed().iter().cloned());
        warnings.extend(root.notes().iter().cloned());
    }
    files::place_all(staged, &mut outcome)?;
    if let Some(stats) = database {
        outcome.tables = stats.tables;
        outcome.rows = stats.rows;
        warnings.extend(stats.warnings);
    }
    outcome.warnings = warnings;
    outcome.duration_ms = elapsed_ms(began);
    Ok(outcome)
}

fn restore_database(
    dump: &ArchivedDump<'_>,
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<RestoreStats, RestoreError> {
    let connect = options.database.as_ref().ok_or(RestoreError::NoDatabase)?;
    let engine = plan::engine_options(options)?;
    let progress = DatabaseProgress {
        monitor,
        cancel: engine.cancel.clone(),
    };
    Ok(restore_fresh(connect, dump, &engine, &progress)?)
}

/// Passes the engine's progress on, and the wish to stop back.
struct DatabaseProgress<'a> {
    monitor: &'a dyn Monitor,
    cancel: CancelToken,
}

impl backup_db::RestoreProgress for DatabaseProgress<'_> {
    fn step(&self, step: RestoreStep, total: u64) {
        match step {
            RestoreStep::Data => self.monitor.phase(Phase::Database, Some(total)),
            RestoreStep::Verify => self.monitor.phase(Phase::Verifying, Some(total)),
            // Counted in objects, not bytes: the phase alone is shown.
            _ => self.monitor.phase(Phase::Database, None),
        }
    }

    fn advance(&self, amount: u64) {
        self.monitor.advance(amount);
        if self.monitor.is_cancelled() {
            self.cancel.cancel();
        }
    }
}
