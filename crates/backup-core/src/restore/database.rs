//! The database part of a restore.

use std::time::Duration;

use backup_db::{
    CancelToken, ConnectOptions, DumpSource, Estimate, Preflight, Problem, RestoreStats,
    RestoreStep, Strategy, Swapped, abandon_swap, choose_strategy, commit_swap, preflight,
    preflight_replace, preflight_swap, prepare_swap, restore_fresh, restore_replace,
};

use super::dump::ArchivedDump;
use super::error::RestoreError;
use super::options::{IntoDatabase, RestoreOptions};
use super::outcome::DatabasePlan;
use super::plan::engine_options;
use crate::failure::with_causes;
use crate::monitor::{Monitor, Phase};

/// A database that is restored, or ready to take the place of the live one.
pub(super) struct RestoredDatabase {
    pub(super) stats: RestoreStats,
    pub(super) into: IntoDatabase,
    connect: ConnectOptions,
    id: String,
}

/// How the database would be restored, what stands in the way, and what is worth knowing before.
pub(super) fn plan(
    connect: &ConnectOptions,
    dump: &ArchivedDump<'_>,
    options: &RestoreOptions,
) -> (DatabasePlan, Vec<String>, Vec<String>) {
    let tables = dump.stats().tables.len() as u64;
    let mut plan = DatabasePlan {
        target: connect.to_string(),
        into: options.into.unwrap_or(IntoDatabase::Fresh),
        by_rule: options.into.is_none(),
        part: options.is_part_of_database(),
        tables: if options.tables.is_empty() {
            tables
        } else {
            options.tables.len() as u64
        },
        rows: dump.manifest().rows(),
        creates: None,
        replaces: None,
        keeps: None,
        estimated_ms: 0,
        blocked_ms: 0,
    };
    match look(connect, dump, options) {
        Ok((into, found)) => {
            plan.into = into;
            plan.describe(connect, into, &found, options);
            let problems = found.problems.iter().map(described).collect();
            (plan, problems, found.warnings)
        }
        Err(error) => (plan, vec![with_causes(&error)], Vec::new()),
    }
}

/// The way to restore: as asked for, or as the database and the role allow; and what that way finds.
fn look(
    connect: &ConnectOptions,
    dump: &ArchivedDump<'_>,
    options: &RestoreOptions,
) -> Result<(IntoDatabase, Preflight), RestoreError> {
    let engine = engine_options(options)?;
    let into = match options.into {
        Some(into) => into,
        None => choose_strategy(connect, dump, &engine)?.into(),
    };
    Ok((into, check(connect, dump, into, &engine)?))
}

/// What stands in the way of filling the database as an empty one: of a living one, what it holds.
pub(super) fn unconfirmed(
    connect: &ConnectOptions,
    dump: &ArchivedDump<'_>,
    options: &RestoreOptions,
) -> Result<Vec<String>, RestoreError> {
    let found = check(
        connect,
        dump,
        IntoDatabase::Fresh,
        &engine_options(options)?,
    )?;
    Ok(found.problems.iter().map(described).collect())
}

fn check(
    connect: &ConnectOptions,
    dump: &ArchivedDump<'_>,
    into: IntoDatabase,
    engine: &backup_db::RestoreOptions,
) -> Result<Preflight, RestoreError> {
    Ok(match into {
        IntoDatabase::Fresh => preflight(connect, dump, engine)?,
        IntoDatabase::Swap => preflight_swap(connect, dump, engine, "check")?,
        IntoDatabase::Replace => preflight_replace(connect, dump, engine)?,
    })
}

impl DatabasePlan {
    fn describe(
        &mut self,
        connect: &ConnectOptions,
        into: IntoDatabase,
        found: &Preflight,
        options: &RestoreOptions,
    ) {
        let name = connect.database();
        match into {
            IntoDatabase::Fresh => self.creates = (!found.exists).then(|| name.to_owned()),
            IntoDatabase::Swap => {
                self.creates = Some(format!("{name}__edms_new_ID"));
                self.replaces = Some(name.to_owned());
                self.keeps = Some(format!("{name}__edms_old_ID"));
            }
            // Of a part, what is not selected stays; the text of the plan says so.
            IntoDatabase::Replace => self.replaces = Some(name.to_owned()),
        }
        let estimate = Estimate::new(found.bytes, options.jobs, into.into(), options.verify);
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.estimated_ms = ms(estimate.total);
        self.blocked_ms = ms(estimate.blocked);
    }
}

impl From<Strategy> for IntoDatabase {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Fresh => Self::Fresh,
            Strategy::Swap => Self::Swap,
            Strategy::Replace => Self::Replace,
        }
    }
}

impl From<IntoDatabase> for Strategy {
    fn from(into: IntoDatabase) -> Self {
        match into {
            IntoDatabase::Fresh => Self::Fresh,
            IntoDatabase::Swap => Self::Swap,
            IntoDatabase::Replace => Self::Replace,
        }
    }
}

/// A problem and the way out.
fn described(problem: &Problem) -> String {
    match problem.hint() {
        Some(hint) => format!("{problem} ({hint})"),
        None => problem.to_string(),
    }
}

/// Restores the database; a swap is prepared only, see [`RestoredDatabase::commit`].
pub(super) fn restore(
    dump: &ArchivedDump<'_>,
    id: &str,
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<RestoredDatabase, RestoreError> {
    let connect = options.database.as_ref().ok_or(RestoreError::NoDatabase)?;
    let engine = engine_options(options)?;
    let progress = DatabaseProgress {
        monitor,
        cancel: engine.cancel.clone(),
    };
    let into = options.into.unwrap_or(IntoDatabase::Fresh);
    let stats = match into {
        IntoDatabase::Fresh => restore_fresh(connect, dump, &engine, &progress)?,
        IntoDatabase::Swap => prepare_swap(connect, dump, &engine, id, &progress)?,
        IntoDatabase::Replace => restore_replace(connect, dump, &engine, &progress)?,
    };
    Ok(RestoredDatabase {
        stats,
        into,
        connect: connect.clone(),
        id: id.to_owned(),
    })
}

impl RestoredDatabase {
    /// Name of the database that has, or will have, what was restored.
    pub(super) fn name(&self) -> &str {
        self.connect.database()
    }

    /// Makes a swap: from here on the restored database is the live one. Other strategies have nothing left to do.
    pub(super) fn commit(&self) -> Result<Option<Swapped>, RestoreError> {
        match self.into {
            IntoDatabase::Swap => Ok(Some(commit_swap(&self.connect, &self.id)?)),
            IntoDatabase::Fresh | IntoDatabase::Replace => Ok(None),
        }
    }

    /// Drops what was prepared for a swap that does not happen.
    pub(super) fn abandon(&self) -> Result<(), RestoreError> {
        match self.into {
            IntoDatabase::Swap => Ok(abandon_swap(&self.connect, &self.id)?),
            IntoDatabase::Fresh | IntoDatabase::Replace => Ok(()),
        }
    }
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
