//! The database part of a restore.

use backup_db::{
    CancelToken, ConnectOptions, Preflight, RestoreStats, RestoreStep, Swapped, abandon_swap,
    commit_swap, preflight, preflight_replace, preflight_swap, prepare_swap, restore_fresh,
    restore_replace,
};

use super::dump::ArchivedDump;
use super::error::RestoreError;
use super::options::{IntoDatabase, RestoreOptions};
use super::plan::engine_options;
use crate::monitor::{Monitor, Phase};

/// A database that is restored, or ready to take the place of the live one.
pub(super) struct RestoredDatabase {
    pub(super) stats: RestoreStats,
    pub(super) into: IntoDatabase,
    connect: ConnectOptions,
    id: String,
}

/// What stands in the way, and what is worth knowing before.
pub(super) fn check(
    connect: &ConnectOptions,
    dump: &ArchivedDump<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let engine = engine_options(options)?;
    Ok(match options.database_mode() {
        IntoDatabase::Fresh => preflight(connect, dump, &engine)?,
        IntoDatabase::Swap => preflight_swap(connect, dump, &engine, "check")?,
        IntoDatabase::Replace => preflight_replace(connect, dump, &engine)?,
    })
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
    let into = options.database_mode();
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
