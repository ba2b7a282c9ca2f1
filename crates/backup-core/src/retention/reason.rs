//! Why a backup is kept or dropped.

use std::fmt;

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use crate::id::BackupId;

/// Why a backup is kept or dropped. Shown, and written to JSON, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Kept: under legal hold.
    Pinned,
    /// Kept: nothing limits the backups of its configuration.
    NoRules,
    /// Kept: dated later than now, so that its age is unknown.
    Future,
    /// Kept: younger than `retention_days`.
    Young {
        /// The rule.
        retention_days: u32,
    },
    /// Kept: among the newest that `max_backups` allows.
    Recent {
        /// Its place, from 1.
        place: u32,
        /// The rule.
        max_backups: u32,
    },
    /// Kept: the last of a day.
    Daily {
        /// The day.
        day: NaiveDate,
        /// The rule.
        keep_daily: u32,
    },
    /// Kept: the last of a week.
    Weekly {
        /// The Monday of the week.
        monday: NaiveDate,
        /// The rule.
        keep_weekly: u32,
    },
    /// Kept: the last of a month.
    Monthly {
        /// The first day of the month.
        first: NaiveDate,
        /// The rule.
        keep_monthly: u32,
    },
    /// Kept: one of the newest complete backups.
    Floor {
        /// Its place, from 1.
        place: u32,
        /// How many stay in any case.
        floor: u32,
    },
    /// Kept: nothing newer is complete.
    Newest,
    /// Kept: another kept backup builds on it.
    NeededBy(BackupId),
    /// Dropped: failed, so that there is nothing to restore.
    Failed,
    /// Dropped: as old as `retention_days` or older.
    Old {
        /// Full days since it was made.
        age_days: i64,
        /// The rule.
        retention_days: u32,
    },
    /// Dropped: there are `max_backups` others.
    Surplus {
        /// The rule.
        max_backups: u32,
    },
    /// Dropped: not the last of any day, week or month that is kept.
    NotSelected,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => write!(f, "pinned"),
            Self::NoRules => write!(f, "no retention rule applies"),
            Self::Future => write!(f, "dated in the future: its age is unknown"),
            Self::Young { retention_days } => {
                write!(f, "younger than {retention_days} days (retention_days)")
            }
            Self::Recent { place, max_backups } => {
                write!(
                    f,
                    "number {place} of the newest (max_backups {max_backups})"
                )
            }
            Self::Daily { day, keep_daily } => {
                write!(f, "newest of day {day} (keep_daily {keep_daily})")
            }
            Self::Weekly {
                monday,
                keep_weekly,
            } => write!(
                f,
                "newest of the week of {monday} (keep_weekly {keep_weekly})"
            ),
            Self::Monthly {
                first,
                keep_monthly,
            } => write!(
                f,
                "newest of month {} (keep_monthly {keep_monthly})",
                first.format("%Y-%m")
            ),
            Self::Floor { place, floor } => {
                write!(
                    f,
                    "number {place} of the newest complete ones (floor {floor})"
                )
            }
            Self::Newest => write!(f, "newest, though not complete"),
            Self::NeededBy(id) => write!(f, "needed by {id}"),
            Self::Failed => write!(f, "failed: nothing to restore"),
            Self::Old {
                age_days,
                retention_days,
            } => write!(f, "{age_days} days old (retention_days {retention_days})"),
            Self::Surplus { max_backups } => {
                write!(
                    f,
                    "more than {max_backups} newer or complete ones (max_backups)"
                )
            }
            Self::NotSelected => write!(f, "not the newest of a day, week or month that is kept"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
