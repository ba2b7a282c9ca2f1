//! When configurations are due, for faces that keep them in a place of their own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::schedule::{Available, DefaultEntry, Schedule, ScheduleError, Slot, default_entries};

/// Asks for the slots of schedules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotsRequest {
    /// The schedules.
    pub schedule: Vec<ScheduleRequest>,
    /// The time from which to look.
    pub now: DateTime<Utc>,
}

/// A schedule; fields as in `[[schedule]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// HOURLY, DAILY, WEEKLY, MONTHLY or ON_DEMAND.
    pub frequency: String,
    /// `HH:MM:SS`.
    #[serde(default)]
    pub schedule_time: Option<String>,
    /// IANA name. Default: UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// The slots around a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Slots {
    /// The newest that has come.
    pub previous: Option<Slot>,
    /// The first that comes.
    pub next: Option<Slot>,
}

/// Asks for the configurations that a site begins with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDefaultsRequest {
    /// IANA name.
    pub time_zone: String,
}

impl SlotsRequest {
    /// The slots of each schedule, in order.
    ///
    /// # Errors
    /// [`ServiceError::Usage`] when a schedule cannot be.
    pub fn run(&self) -> Result<Vec<Slots>, ServiceError> {
        let slots = |request: &ScheduleRequest| {
            let schedule = Schedule::parse(
                &request.frequency,
                request.schedule_time.as_deref(),
                request.time_zone.as_deref(),
                None,
                None,
            )?;
            Ok(Slots {
                previous: schedule.previous_slot(self.now),
                next: schedule.next_slot(self.now),
            })
        };
        self.schedule
            .iter()
            .map(slots)
            .collect::<Result<_, ScheduleError>>()
            .map_err(|error| {
                ServiceError::usage(error.to_string(), "Fields are those of [[schedule]].")
            })
    }
}

impl ScheduleDefaultsRequest {
    /// The configurations that this site begins with.
    pub fn run(&self, site: &Site) -> Vec<DefaultEntry> {
        let settings = &site.settings;
        let available = Available {
            database: settings.database.is_some(),
            files: !settings.files.is_empty(),
            repository: settings.repository.is_some(),
        };
        default_entries(available, &self.time_zone)
    }
}
