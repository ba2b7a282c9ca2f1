//! The instants at which a run is due.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    SecondsFormat, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

use super::frequency::{Frequency, UnknownFrequency};
use super::history::SlotHistory;

/// An instant at which a run is due. Shown in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(DateTime<Utc>);

impl Slot {
    /// The instant.
    pub fn time(self) -> DateTime<Utc> {
        self.0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// When a configuration runs: its slots.
///
/// Where the clocks of the zone are set:
/// - A time of day that is left out (spring) is due when the clock starts again after the gap; one that comes twice (autumn) is due the first
///   time. An hourly run is due whenever the clock shows its minute: 23 or 25 times on such days.
/// - On a date that a zone left out as a whole (Samoa, 30 December 2011) no daily run is due; a weekly or monthly one is due when the gap ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// Time of day in `zone`; HOURLY uses its minute and second. Whole seconds. Default: 02:00.
    pub time: NaiveTime,
    /// The zone whose clock counts. Default: UTC.
    pub zone: Tz,
    /// For WEEKLY. Default: Sunday.
    pub weekday: Weekday,
    /// For MONTHLY: 1 to 31; the last day of months that are shorter. Default: 1.
    pub month_day: u8,
}

/// A schedule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The frequency is not one.
    #[error(transparent)]
    Frequency(#[from] UnknownFrequency),
    /// The time is not one.
    #[error("{0:?} is not a time of day (HH:MM:SS)")]
    Time(String),
    /// The zone is not in the IANA database.
    #[error("unknown time zone {0:?}: an IANA name such as Europe/Berlin, or UTC")]
    Zone(String),
    /// The day of the week is not one.
    #[error("{0:?} is not a day of the week")]
    Weekday(String),
    /// The day of the month is not one.
    #[error("{0} is not a day of the month (1 to 31)")]
    MonthDay(u8),
}

impl Schedule {
    /// A schedule with every default: 02:00 UTC; Sunday, or the first of the month.
    pub fn new(frequency: Frequency) -> Self {
        Self {
            frequency,
            time: NaiveTime::from_hms_opt(2, 0, 0).expect("a time of day"),
            zone: Tz::UTC,
            weekday: Weekday::Sun,
            month_day: 1,
        }
    }

    /// Reads a schedule as a configuration writes it; what is `None` keeps its default.
    ///
    /// # Errors
    /// When a value is not what it should be; the message names it.
    pub fn parse(
        frequency: &str,
        time: Option<&str>,
        zone: Option<&str>,
        weekday: Option<&str>,
        month_day: Option<u8>,
    ) -> Result<Self, ScheduleError> {
        let mut schedule = Self::new(frequency.parse()?);
        if let Some(text) = time {
            schedule.time = parse_time(text)?;
        }
        if let Some(text) = zone {
            schedule.zone = text
                .parse()
                .map_err(|_| ScheduleError::Zone(text.to_owned()))?;
        }
        if let Some(text) = weekday {
            schedule.weekday = text
                .parse()
                .map_err(|_| ScheduleError::Weekday(text.to_owned()))?;
        }
        if let Some(day) = month_day {
            if !(1..=31).contains(&day) {
                return Err(ScheduleError::MonthDay(day));
            }
            schedule.month_day = day;
        }
        Ok(schedule)
    }

    /// The newest slot at or before `now`; `None` for ON_DEMAND.
    pub fn previous_slot(&self, now: DateTime<Utc>) -> Option<Slot> {
        match self.frequency {
            Frequency::OnDemand => None,
            Frequency::Hourly => self.hourly_near(now).rfind(|slot| *slot <= now),
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly => {
                let mut day = self.local_day(now).checked_add_days(Days::new(1))?;
                loop {
                    day = self.last_day_until(day)?;
                    let slot = self.instant(day);
                    if slot <= now {
                        break Some(slot);
                    }
                    day = day.pred_opt()?;
                }
            }
        }
        .map(Slot)
    }

    /// The first slot after `after`; `None` for ON_DEMAND.
    pub fn next_slot(&self, after: DateTime<Utc>) -> Option<Slot> {
        match self.frequency {
            Frequency::OnDemand => None,
            Frequency::Hourly => self.hourly_near(after).find(|slot| *slot > after),
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly => {
                let mut day = self.local_day(after).checked_sub_days(Days::new(2))?;
                loop {
                    day = self.first_day_from(day)?;
                    let slot = self.instant(day);
                    if slot > after {
                        break Some(slot);
                    }
                    day = day.succ_opt()?;
                }
            }
        }
        .map(Slot)
    }

    /// The slot that waits for its run at `now`: the newest one, unless it had its run. Older ones that were missed do not come back.
    pub fn due(&self, history: &SlotHistory, now: DateTime<Utc>) -> Option<Slot> {
        self.previous_slot(now)
            .filter(|slot| !history.contains(*slot))
    }

    fn local_day(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.zone).date_naive()
    }

    /// Whether a slot belongs to `day`.
    fn has_slot(&self, day: NaiveDate) -> bool {
        match self.frequency {
            Frequency::Daily => self.exists(day),
            Frequency::Weekly => day.weekday() == self.weekday,
            Frequency::Monthly => {
                day.day() == u32::from(self.month_day).min(day.num_days_in_month().into())
            }
            Frequency::Hourly | Frequency::OnDemand => false,
        }
    }

    fn last_day_until(&self, mut day: NaiveDate) -> Option<NaiveDate> {
        while !self.has_slot(day) {
            day = day.pred_opt()?;
        }
        Some(day)
    }

    fn first_day_from(&self, mut day: NaiveDate) -> Option<NaiveDate> {
        while !self.has_slot(day) {
            day = day.succ_opt()?;
        }
        Some(day)
    }

    /// Whether the zone's calendar has `day`.
    fn exists(&self, day: NaiveDate) -> bool {
        let noon = day.and_time(NaiveTime::from_hms_opt(12, 0, 0).expect("a time of day"));
        match self.zone.from_local_datetime(&noon) {
            LocalResult::None => self.local_day(self.end_of_gap(&noon)) == day,
            _ => true,
        }
    }

    /// When the clock shows the schedule's time on `day`.
    fn instant(&self, day: NaiveDate) -> DateTime<Utc> {
        let local = day.and_time(self.time);
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(time) => time.to_utc(),
            LocalResult::Ambiguous(one, other) => one.to_utc().min(other.to_utc()),
            LocalResult::None => self.end_of_gap(&local),
        }
    }

    fn end_of_gap(&self, local: &NaiveDateTime) -> DateTime<Utc> {
        match GapInfo::new(local, &self.zone).and_then(|gap| gap.end) {
            Some(end) => end.to_utc(),
            // Every gap of the database ends; if one did not, the zone's clock would have stopped.
            None => local.and_utc(),
        }
    }

    /// The hourly slots around `time`, in order: enough to find the ones before and after it.
    fn hourly_near(&self, time: DateTime<Utc>) -> impl DoubleEndedIterator<Item = DateTime<Utc>> {
        const HOUR: i64 = 3600;
        let offset_at = |seconds: i64| {
            let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
            let offset = self.zone.offset_from_utc_datetime(&time.naive_utc());
            i64::from(offset.fix().local_minus_utc())
        };
        let wanted = i64::from(self.time.minute() * 60 + self.time.second());
        let hours = (-3..=3).map(|hour| time.timestamp() + hour * HOUR);
        // A clock that is set by part of an hour shifts the slots: each offset around has its own, as long as it holds.
        let offsets: BTreeSet<_> = hours.clone().map(offset_at).collect();
        let mut slots = Vec::new();
        for near in hours {
            for &offset in &offsets {
                let slot = (near + offset - wanted).div_euclid(HOUR) * HOUR + wanted - offset;
                if offset_at(slot) == offset {
                    slots.extend(DateTime::from_timestamp(slot, 0));
                }
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots.into_iter()
    }
}

fn parse_time(text: &str) -> Result<NaiveTime, ScheduleError> {
    NaiveTime::parse_from_str(text, "%H:%M:%S")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"))
        .ok()
        // chrono reads leap seconds; no clock of ours shows them.
        .filter(|time| time.nanosecond() < 1_000_000_000)
        .ok_or_else(|| ScheduleError::Time(text.to_owned()))
}
