//! What a configuration asks to be kept.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono_tz::Tz;

use crate::config::ScheduleEntry;
use crate::schedule::ScheduleError;

/// The floor when nothing else is said.
pub const DEFAULT_FLOOR: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// What to keep of the backups of one configuration. A backup stays when any rule keeps it; without any rule all of them stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRules {
    /// Keep what is younger than so many days of 24 hours.
    pub retention_days: Option<u32>,
    /// Keep at most so many of those that `retention_days` keeps; alone, keep the so many newest. Complete ones come first: a partial backup
    /// never takes the place of a complete one. What the calendar rules keep is kept besides.
    pub max_backups: Option<u32>,
    /// Keep the last backup of each of the last so many days that have one.
    pub keep_daily: Option<u32>,
    /// The same for weeks, which begin on Monday.
    pub keep_weekly: Option<u32>,
    /// The same for months.
    pub keep_monthly: Option<u32>,
    /// Where days, weeks and months begin. Default: UTC.
    pub zone: Tz,
    /// So many of the newest complete, restorable backups stay in any case, old as they may be. Default: 3; a smaller `max_backups` lowers it,
    /// to no less than one.
    pub floor: NonZeroU32,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self {
            retention_days: None,
            max_backups: None,
            keep_daily: None,
            keep_weekly: None,
            keep_monthly: None,
            zone: Tz::UTC,
            floor: DEFAULT_FLOOR,
        }
    }
}

impl RetentionRules {
    /// Whether anything at all limits how long backups are kept.
    pub fn is_unlimited(&self) -> bool {
        [
            self.retention_days,
            self.max_backups,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
        ]
        .iter()
        .all(Option::is_none)
    }

    /// The rules that an entry of the configuration file describes.
    ///
    /// # Errors
    /// [`ScheduleError::Zone`].
    pub fn from_entry(entry: &ScheduleEntry) -> Result<Self, ScheduleError> {
        let zone = match &entry.time_zone {
            Some(name) => name
                .parse()
                .map_err(|_| ScheduleError::Zone(name.clone()))?,
            None => Tz::UTC,
        };
        Ok(Self {
            retention_days: entry.retention_days,
            max_backups: entry.max_backups,
            keep_daily: entry.keep_daily,
            keep_weekly: entry.keep_weekly,
            keep_monthly: entry.keep_monthly,
            zone,
            floor: entry
                .keep_minimum
                .and_then(NonZeroU32::new)
                .unwrap_or(DEFAULT_FLOOR),
        })
    }

    /// How many complete backups stay in any case.
    pub(crate) fn effective_floor(&self) -> usize {
        let wanted = self.max_backups.map_or(u32::MAX, |most| most.max(1));
        self.floor.get().min(wanted) as usize
    }
}

/// The rules of every configuration that uses a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Rules by name of the configuration.
    pub configurations: BTreeMap<String, RetentionRules>,
    /// Rules for backups made by hand and for those of configurations that are gone. `None` keeps them all.
    pub others: Option<RetentionRules>,
}

impl RetentionPolicy {
    /// The policy that a configuration file describes. `others_days` is `BACKUP_RETENTION_DAYS`: for how many days backups are kept that no entry made;
    /// without it they stay.
    ///
    /// # Errors
    /// [`ScheduleError::Zone`].
    pub fn from_entries(
        entries: &[ScheduleEntry],
        others_days: Option<u32>,
    ) -> Result<Self, ScheduleError> {
        let configurations = entries
            .iter()
            .map(|entry| Ok((entry.name.clone(), RetentionRules::from_entry(entry)?)))
            .collect::<Result<_, ScheduleError>>()?;
        let others = others_days.map(|days| RetentionRules {
            retention_days: Some(days),
            ..RetentionRules::default()
        });
        Ok(Self {
            configurations,
            others,
        })
    }

    /// The same, with no rules but those of configuration `name`.
    #[must_use]
    pub fn of(self, name: &str) -> Self {
        Self {
            configurations: self
                .rules(Some(name))
                .map(|rules| (name.to_owned(), *rules))
                .into_iter()
                .collect(),
            others: None,
        }
    }

    /// The rules for backups of `configuration`.
    pub fn rules(&self, configuration: Option<&str>) -> Option<&RetentionRules> {
        configuration
            .and_then(|name| self.configurations.get(name))
            .or(self.others.as_ref())
    }
}

/// The same rules for every configuration; each is still counted by itself.
impl From<RetentionRules> for RetentionPolicy {
    fn from(rules: RetentionRules) -> Self {
        Self {
            configurations: BTreeMap::new(),
            others: Some(rules),
        }
    }
}
