//! `[[schedule]]`: one configuration, what it makes, when, and for how long that is kept.

use std::path::{Path, PathBuf};

use backup_archive::Compression;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::kind::BackupKind;
use crate::retention::RetentionRules;
use crate::schedule::{Schedule, ScheduleError};

/// One `[[schedule]]` entry. The C interface and the Django application describe their configurations with the same fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEntry {
    /// Unique name: the configuration's name.
    pub name: String,
    /// What to make.
    pub backup_type: BackupKind,
    /// An INCREMENTAL one holds the database too, as a whole. Default: false.
    #[serde(default)]
    pub include_database: bool,
    /// HOURLY, DAILY, WEEKLY, MONTHLY or ON_DEMAND.
    pub frequency: String,
    /// Whether it runs; `schedule enable` and `disable` go before this. Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `HH:MM:SS` in `time_zone`; 02:00 when left out. HOURLY uses its minute and second.
    pub schedule_time: Option<String>,
    /// IANA name; UTC when left out.
    pub time_zone: Option<String>,
    /// For WEEKLY: `monday` or `mon`, and so on; Sunday when left out.
    pub weekday: Option<String>,
    /// For MONTHLY: 1 to 31, the last day of shorter months; the first when left out.
    pub month_day: Option<u8>,
    /// Keep backups for so many days.
    pub retention_days: Option<u32>,
    /// Keep so many backups at most.
    pub max_backups: Option<u32>,
    /// Keep the newest backup of each of so many days.
    pub keep_daily: Option<u32>,
    /// Keep the newest backup of each of so many weeks.
    pub keep_weekly: Option<u32>,
    /// Keep the newest backup of each of so many months.
    pub keep_monthly: Option<u32>,
    /// So many of the newest complete backups stay whatever the other rules say; 3 when left out, at least 1.
    pub keep_minimum: Option<u32>,
    /// Repository of this configuration, when it is not the common one.
    pub storage_path: Option<PathBuf>,
    /// Compress the archive; true when left out.
    pub compression_enabled: Option<bool>,
    /// Seal the archive; when left out, as `[encryption]` says.
    pub encryption_enabled: Option<bool>,
}

fn yes() -> bool {
    true
}

impl ScheduleEntry {
    /// An entry that says nothing but this.
    pub fn new(
        name: impl Into<String>,
        backup_type: BackupKind,
        frequency: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            backup_type,
            include_database: false,
            frequency: frequency.into(),
            enabled: true,
            schedule_time: None,
            time_zone: None,
            weekday: None,
            month_day: None,
            retention_days: None,
            max_backups: None,
            keep_daily: None,
            keep_weekly: None,
            keep_monthly: None,
            keep_minimum: None,
            storage_path: None,
            compression_enabled: None,
            encryption_enabled: None,
        }
    }

    /// When it runs.
    ///
    /// # Errors
    /// When frequency, time, zone or day is not one.
    pub fn schedule(&self) -> Result<Schedule, ScheduleError> {
        Schedule::parse(
            &self.frequency,
            self.schedule_time.as_deref(),
            self.time_zone.as_deref(),
            self.weekday.as_deref(),
            self.month_day,
        )
    }

    /// How its archives are compressed.
    pub fn compression(&self) -> Compression {
        match self.compression_enabled {
            Some(false) => Compression::None,
            _ => Compression::default(),
        }
    }

    /// Where its backups go: its own repository, or the `common` one.
    pub fn repository<'a>(&'a self, common: Option<&'a Path>) -> Option<&'a Path> {
        self.storage_path.as_deref().or(common)
    }

    /// Refuses what cannot be, so that it is said when the file is read and not at night.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refused = |key: &str, reason: String| ConfigError::Value {
            place: format!("[[schedule]] {}{key}", self.name),
            reason,
        };
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return Err(refused("", "an entry needs a name in one line".into()));
        }
        if self.keep_minimum == Some(0) {
            return Err(refused(
                " keep_minimum",
                "the last good backup is never dropped: 1 or more".into(),
            ));
        }
        self.schedule()
            .and_then(|_| RetentionRules::from_entry(self))
            .map(drop)
            .map_err(|error| refused("", error.to_string()))
    }
}
