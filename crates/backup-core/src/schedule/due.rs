//! Running what is due.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::slot::{Schedule, ScheduleError, Slot};
use super::store::{ConfigurationState, ScheduleStore, StoreError};
use crate::config::ScheduleEntry;
use crate::id::BackupId;
use crate::kind::Status;

/// A configuration that may be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Name of the configuration.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// Whether its configuration file has it turned on; an operator's `enable` or `disable` goes before that.
    pub enabled: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// COMPLETE, PARTIAL or FAILED.
    pub status: Status,
    /// The backup that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupId>,
    /// Why it failed, or what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of a configuration that was due.
#[derive(Debug)]
pub struct DueRun {
    /// Name of the configuration.
    pub name: String,
    /// The slot.
    pub slot: Slot,
    /// What became of it.
    pub outcome: DueOutcome,
}

/// What became of a slot.
#[derive(Debug)]
pub enum DueOutcome {
    /// It was run.
    Ran(RunResult),
    /// Another process is at it.
    Busy,
    /// What is remembered of the configuration cannot be read or written. When the error came after a run, `result` has how that ended.
    Unrecorded {
        /// What happened.
        error: StoreError,
        /// How the run ended, if there was one.
        result: Option<RunResult>,
    },
}

/// Runs every configuration that is due, one after the other, in the given order.
///
/// Safe to call at any time and from several processes at once: a slot is run by one of them. `clock` is asked again for each configuration, because
/// the runs before may have taken hours. Trouble with one configuration does not keep the others from running. Only configurations that
/// were due are in the result.
pub fn run_due(
    configurations: &[Scheduled],
    store: &ScheduleStore,
    clock: &dyn Fn() -> DateTime<Utc>,
    run: &mut dyn FnMut(&Scheduled, Slot) -> RunResult,
) -> Vec<DueRun> {
    configurations
        .iter()
        .filter_map(|configuration| {
            let slot = configuration.schedule.previous_slot(clock())?;
            run_one(configuration, store, clock, run).unwrap_or_else(|error| {
                let result = None;
                let outcome = DueOutcome::Unrecorded { error, result };
                Some(configuration.became(slot, outcome))
            })
        })
        .collect()
}

impl Scheduled {
    /// The configuration that an entry of the configuration file describes.
    ///
    /// # Errors
    /// When the entry has no schedule that can be.
    pub fn from_entry(entry: &ScheduleEntry) -> Result<Self, ScheduleError> {
        Ok(Self {
            name: entry.name.clone(),
            schedule: entry.schedule()?,
            enabled: entry.enabled,
        })
    }

    fn became(&self, slot: Slot, outcome: DueOutcome) -> DueRun {
        DueRun {
            name: self.name.clone(),
            slot,
            outcome,
        }
    }

    fn due(&self, state: &ConfigurationState, now: DateTime<Utc>) -> Option<Slot> {
        let slot = self.schedule.due(&state.history, now)?;
        state.enabled.unwrap_or(self.enabled).then_some(slot)
    }
}

/// `None` when nothing is due.
fn run_one(
    configuration: &Scheduled,
    store: &ScheduleStore,
    clock: &dyn Fn() -> DateTime<Utc>,
    run: &mut dyn FnMut(&Scheduled, Slot) -> RunResult,
) -> Result<Option<DueRun>, StoreError> {
    // Most of the time nothing is due: that takes no lock and writes nothing.
    let remembered = store.load(&configuration.name)?;
    let Some(slot) = configuration.due(&remembered, clock()) else {
        return Ok(None);
    };
    let Some(mut claim) = store.claim(&configuration.name)? else {
        return Ok(Some(configuration.became(slot, DueOutcome::Busy)));
    };
    // Another process may have run it since.
    let Some(slot) = configuration.due(claim.state(), clock()) else {
        return Ok(None);
    };
    claim.begin(&configuration.schedule, slot, clock())?;
    let result = run(configuration, slot);
    let outcome = match claim.finish(&configuration.schedule, result.clone(), clock()) {
        Ok(()) => DueOutcome::Ran(result),
        Err(error) => DueOutcome::Unrecorded {
            error,
            result: Some(result),
        },
    };
    Ok(Some(configuration.became(slot, outcome)))
}
