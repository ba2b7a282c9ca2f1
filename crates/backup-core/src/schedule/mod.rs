//! When backups are made.
//!
//! A [`Schedule`] turns a frequency, a time of day and a zone into *slots*: the instants at which a run is due. [`SlotHistory`] remembers which
//! slots had their run, so that each has at most one whatever the clock does, and missed ones are caught up by one run.
//!
//! Nothing here runs by itself: a timer of the system ([`systemd`], [`crontab`]) calls `schedule run-due` every few minutes, which is [`run_due`] over a
//! [`ScheduleStore`].
//!
//! ```
//! use backup_core::schedule::{Frequency, Schedule, SlotHistory};
//! let daily = Schedule { zone: chrono_tz::Europe::Berlin, ..Schedule::new(Frequency::Daily) };
//! let now = "2026-03-29T12:00:00Z".parse().unwrap();
//! let mut history = SlotHistory::default();
//! let slot = daily.due(&history, now).unwrap();
//! // 02:00 does not exist on this day in Berlin: the clock goes from 02:00 to 03:00, which is 01:00 UTC.
//! assert_eq!(slot.to_string(), "2026-03-29T01:00:00Z");
//! history.record(slot, &daily);
//! assert!(daily.due(&history, now).is_none());
//! ```

mod change;
pub mod crontab;
mod defaults;
mod due;
mod frequency;
mod history;
mod runner;
mod site;
mod slot;
mod store;
pub mod systemd;

pub use change::{CreatedDefaults, create_defaults, note_setup, set_enabled};
pub use defaults::{Available, DefaultEntry, default_entries, to_toml};
pub use due::{DueOutcome, DueRun, RunResult, Scheduled, run_due};
pub use frequency::{Frequency, UnknownFrequency};
pub use history::SlotHistory;
pub use runner::{CommandRunner, Runner, SetupError};
pub use site::{Caller, ConfigurationStatus, SiteError, SiteRun, configurations, run_site};
pub use slot::{Schedule, ScheduleError, Slot};
pub use store::{Attempt, Claim, ConfigurationState, LastRun, ScheduleStore, StoreError};
