//! Bringing a backup back.
//!
//! ```text
//! stage files ──> restore database ──> swap files in
//! ```
//! Everything that can fail happens beside the live system: files are extracted into staging folders and checked there, and the
//! database is filled while it is still empty. Only renames are left then, under a journal. When anything fails, what was there
//! before is still there.

mod afterwards;
mod compare;
mod database;
mod dump;
mod error;
mod files;
mod options;
mod outcome;
mod plan;
mod table_rows;

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::Utc;

pub(crate) use dump::ArchivedDump;

pub use afterwards::{RestoreTargets, Settled, forget, recover, undo};
pub use error::RestoreError;
pub use options::{Component, IntoDatabase, RestoreOptions};
pub use outcome::{DatabasePlan, RestoreOutcome, RestorePlan, RootPlan};
pub use table_rows::{TableRows, table_rows};

use crate::create::elapsed_ms;
use crate::id::restore_id;
use crate::kind::Status;
use crate::monitor::{Monitor, Phase};
use crate::opened::OpenedBackup;
use crate::placement::PlacementError;
use database::RestoredDatabase;
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
    let backup = OpenedBackup::open_chain(&options.source, &options.archives)?;
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
    let backup = OpenedBackup::open_chain(&options.source, &options.archives)?;
    let prepared = Prepared::new(&backup, options)?;
    let plan = prepared.plan(options);
    if let Some(target) = prepared.occupied_target(options) {
        return Err(PlacementError::TargetNotEmpty { target }.into());
    }
    if !plan.problems.is_empty() {
        return Err(RestoreError::Preflight {
            problems: plan.problems,
        });
    }
    let options = &confirmed(&prepared, &plan, options)?;
    let id = restore_id(Utc::now()).map_err(RestoreError::Random)?;
    let mut warnings = plan.warnings;
    let staged = files::stage_all(&backup, &prepared, &id, options, monitor)?;
    let database = match &prepared.dump {
        Some(dump) => Some(database::restore(dump, &id, options, monitor)?),
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
        into: database.as_ref().map(|database| database.into),
        database: database.as_ref().map(|database| database.name().to_owned()),
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
    if let Err(error) = files::place_all(staged, &mut outcome) {
        if let Some(database) = &database {
            database.abandon()?;
        }
        return Err(error);
    }
    if let Some(database) = database {
        finish_database(&database, &mut outcome)?;
        outcome.tables = database.stats.tables;
        outcome.rows = database.stats.rows;
        warnings.extend(database.stats.warnings);
    }
    files::settle(&mut outcome)?;
    outcome.warnings = warnings;
    outcome.duration_ms = elapsed_ms(began);
    Ok(outcome)
}

/// The options with the way that the plan chose for the database. A living database is replaced only when somebody said so: by naming a way,
/// or by `force`.
fn confirmed(
    prepared: &Prepared<'_>,
    plan: &RestorePlan,
    options: &RestoreOptions,
) -> Result<RestoreOptions, RestoreError> {
    let mut options = options.clone();
    if let (Some(database), Some(connect), Some(dump)) =
        (&plan.database, &options.database, &prepared.dump)
    {
        if database.by_rule && database.into != IntoDatabase::Fresh && !options.force {
            return Err(RestoreError::Preflight {
                problems: database::unconfirmed(connect, dump, &options)?,
            });
        }
        options.into = Some(database.into);
    }
    Ok(options)
}

/// Exchanges the databases of a swap, the last step of all: before it, everything can still go back.
fn finish_database(
    database: &RestoredDatabase,
    outcome: &mut RestoreOutcome,
) -> Result<(), RestoreError> {
    match database.commit() {
        Ok(Some(swapped)) => {
            outcome.previous.insert("database".to_owned(), swapped.kept);
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            files::take_back(outcome)?;
            database.abandon()?;
            Err(error)
        }
    }
}
