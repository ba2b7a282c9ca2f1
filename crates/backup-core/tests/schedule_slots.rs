//! The slots of a schedule, against an oracle that watches the zone's clock.

use std::collections::BTreeSet;

use backup_core::schedule::{Frequency, Schedule, SlotHistory};
use chrono::{
    DateTime, Datelike, Days, DurationRound, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    Timelike, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn schedule(frequency: &str, time: &str, zone: &str) -> Schedule {
    Schedule::parse(frequency, Some(time), Some(zone), None, None).unwrap()
}

/// The slots from `from` on, `count` of them, as times of the zone's clock.
fn local_slots(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let mut slots = Vec::new();
    let mut after = at(from) - TimeDelta::seconds(1);
    for _ in 0..count {
        after = schedule.next_slot(after).unwrap().time();
        let local = after.with_timezone(&schedule.zone);
        slots.push(local.format("%Y-%m-%d %H:%M %z").to_string());
    }
    slots
}

#[test]
fn a_time_in_the_gap_is_due_when_the_clock_starts_again() {
    let daily = schedule("DAILY", "02:30:00", "Europe/Berlin");
    assert_eq!(
        local_slots(&daily, "2026-03-28T00:00:00Z", 3),
        [
            "2026-03-28 02:30 +0100",
            "2026-03-29 03:00 +0200",
            "2026-03-30 02:30 +0200"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    let daily = schedule("DAILY", "02:30", "Europe/Berlin");
    assert_eq!(
        local_slots(&daily, "2026-10-24T00:00:00Z", 3),
        [
            "2026-10-24 02:30 +0200",
            "2026-10-25 02:30 +0200",
            "2026-10-26 02:30 +0100"
        ]
    );
}

#[test]
fn hourly_runs_follow_the_hours_that_pass() {
    let hourly = schedule("HOURLY", "00:15:00", "Europe/Berlin");
    assert_eq!(
        local_slots(&hourly, "2026-03-29T00:00:00Z", 3),
        [
            "2026-03-29 01:15 +0100",
            "2026-03-29 03:15 +0200",
            "2026-03-29 04:15 +0200"
        ]
    );
    assert_eq!(
        local_slots(&hourly, "2026-10-25T00:00:00Z", 3),
        [
            "2026-10-25 02:15 +0200",
            "2026-10-25 02:15 +0100",
            "2026-10-25 03:15 +0100"
        ]
    );
    let half_hour_zone = schedule("HOURLY", "00:00:00", "Asia/Kolkata");
    assert_eq!(
        local_slots(&half_hour_zone, "2026-01-01T00:00:00Z", 1),
        ["2026-01-01 06:00 +0530"]
    );
}

#[test]
fn a_date_that_was_left_out_has_no_daily_run() {
    let daily = schedule("DAILY", "02:00:00", "Pacific/Apia");
    assert_eq!(
        local_slots(&daily, "2011-12-29T00:00:00Z", 3),
        [
            "2011-12-29 02:00 -1000",
            "2011-12-31 02:00 +1400",
            "2012-01-01 02:00 +1400"
        ]
    );
    let monthly = Schedule::parse(
        "MONTHLY",
        Some("02:00"),
        Some("Pacific/Apia"),
        None,
        Some(30),
    )
    .unwrap();
    assert_eq!(
        local_slots(&monthly, "2011-12-01T00:00:00Z", 2),
        ["2011-12-31 00:00 +1400", "2012-01-30 02:00 +1400"]
    );
}

#[test]
fn weeks_and_months_have_a_day() {
    let weekly = schedule("WEEKLY", "04:00", "UTC");
    assert_eq!(
        local_slots(&weekly, "2026-01-01T00:00:00Z", 1),
        ["2026-01-04 04:00 +0000"]
    );
    let friday = Schedule::parse("WEEKLY", None, None, Some("friday"), None).unwrap();
    assert_eq!(
        local_slots(&friday, "2026-01-01T00:00:00Z", 1),
        ["2026-01-02 02:00 +0000"]
    );
    let monthly = schedule("MONTHLY", "04:00", "UTC");
    assert_eq!(
        local_slots(&monthly, "2026-01-02T00:00:00Z", 1),
        ["2026-02-01 04:00 +0000"]
    );
    let last = Schedule::parse("MONTHLY", None, None, None, Some(31)).unwrap();
    assert_eq!(
        local_slots(&last, "2028-02-01T00:00:00Z", 3),
        [
            "2028-02-29 02:00 +0000",
            "2028-03-31 02:00 +0000",
            "2028-04-30 02:00 +0000"
        ]
    );
}

#[test]
fn on_demand_is_never_due() {
    let schedule = Schedule::new(Frequency::OnDemand);
    assert_eq!(schedule.next_slot(Utc::now()), None);
    assert_eq!(schedule.previous_slot(Utc::now()), None);
}

#[test]
fn refuses_what_is_no_schedule() {
    let error = |time, zone, weekday, month_day| {
        Schedule::parse("daily", time, zone, weekday, month_day)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(Some("25:00"), None, None, None),
        "\"25:00\" is not a time of day (HH:MM:SS)"
    );
    assert_eq!(
        error(Some("23:59:60"), None, None, None),
        "\"23:59:60\" is not a time of day (HH:MM:SS)"
    );
    assert_eq!(
        error(None, Some("Berlin"), None, None),
        "unknown time zone \"Berlin\": an IANA name such as Europe/Berlin, or UTC"
    );
    assert_eq!(
        error(None, None, Some("Funday"), None),
        "\"Funday\" is not a day of the week"
    );
    assert_eq!(
        error(None, None, None, Some(0)),
        "0 is not a day of the month (1 to 31)"
    );
    assert_eq!(
        Schedule::parse("YEARLY", None, None, None, None)
            .unwrap_err()
            .to_string(),
        "unknown frequency \"YEARLY\": HOURLY, DAILY, WEEKLY, MONTHLY or ON_DEMAND"
    );
}

#[test]
fn missed_slots_are_caught_up_once_and_jumps_run_nothing_twice() {
    let daily = schedule("DAILY", "02:00", "UTC");
    let mut history = SlotHistory::default();
    let mut tick = |now: &str| {
        let slot = daily.due(&history, at(now))?;
        history.record(slot, &daily);
        Some(slot.to_string())
    };
    assert_eq!(
        tick("2026-01-01T03:00:00Z").as_deref(),
        Some("2026-01-01T02:00:00Z")
    );
    assert_eq!(tick("2026-01-01T23:00:00Z"), None);
    // Down for a week: one run.
    assert_eq!(
        tick("2026-01-08T12:00:00Z").as_deref(),
        Some("2026-01-08T02:00:00Z")
    );
    assert_eq!(tick("2026-01-08T12:05:00Z"), None);
    // The clock is set back over a run: not again. Over slots that were missed: they get the run they never had.
    assert_eq!(tick("2026-01-08T03:00:00Z"), None);
    assert_eq!(tick("2026-01-01T05:00:00Z"), None);
    assert_eq!(
        tick("2026-01-03T05:00:00Z").as_deref(),
        Some("2026-01-03T02:00:00Z")
    );
    // Far ahead for a moment, and back: life goes on.
    assert_eq!(
        tick("2099-05-05T05:00:00Z").as_deref(),
        Some("2099-05-05T02:00:00Z")
    );
    assert_eq!(tick("2026-01-08T13:00:00Z"), None);
    assert_eq!(
        tick("2026-01-09T02:00:00Z").as_deref(),
        Some("2026-01-09T02:00:00Z")
    );
}

#[test]
fn a_history_without_gaps_stays_small() {
    let hourly = schedule("HOURLY", "00:00", "Australia/Lord_Howe");
    let mut history = SlotHistory::default();
    let mut slot = hourly.next_slot(at("2026-01-01T00:00:00Z")).unwrap();
    for _ in 0..10_000 {
        history.record(slot, &hourly);
        assert!(history.contains(slot));
        slot = hourly.next_slot(slot.time()).unwrap();
    }
    assert!(serde_json::to_string(&history).unwrap().len() < 100);
}

/// How finely the oracle watches; every zone's clock is set by multiples of this in the years that are tried.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// The slots in `[from, to)`, found by watching the clock of the zone go: one is due when the clock first shows its time or a later one.
fn watch(schedule: &Schedule, from: DateTime<Utc>, to: DateTime<Utc>) -> BTreeSet<DateTime<Utc>> {
    let mut slots = BTreeSet::new();
    let mut dates_shown = BTreeSet::new();
    let mut waiting: Option<NaiveDateTime> = None;
    let mut now = from - TimeDelta::days(2);
    while now < to {
        let clock = now.with_timezone(&schedule.zone).naive_local();
        dates_shown.insert(clock.date());
        if schedule.frequency == Frequency::Hourly {
            if clock.minute() == schedule.time.minute() {
                slots.insert(now);
            }
        } else {
            let mut next = waiting.unwrap_or_else(|| clock.date().and_time(NaiveTime::MIN));
            while clock >= next {
                let day = next.date();
                let is_day = match schedule.frequency {
                    Frequency::Weekly => day.weekday() == schedule.weekday,
                    Frequency::Monthly => day.day() == month_day(schedule, day),
                    _ => dates_shown.contains(&day),
                };
                if is_day && next.time() == schedule.time {
                    slots.insert(now);
                }
                next = (day + Days::new(1)).and_time(schedule.time);
            }
            waiting = Some(next);
        }
        now += STEP;
    }
    slots.retain(|slot| *slot >= from);
    slots
}

fn month_day(schedule: &Schedule, day: NaiveDate) -> u32 {
    let next_month = (day.with_day(1).unwrap() + chrono::Months::new(1))
        .pred_opt()
        .unwrap();
    u32::from(schedule.month_day).min(next_month.day())
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    (
        prop::sample::select(&Frequency::ALL[..4]),
        0..96_u32,
        prop::sample::select(&TZ_VARIANTS[..]),
        0..7_u8,
        1..=31_u8,
    )
        .prop_map(|(frequency, quarter, zone, weekday, month_day)| Schedule {
            frequency,
            time: NaiveTime::from_hms_opt(quarter / 4, quarter % 4 * 15, 0).unwrap(),
            zone,
            weekday: chrono::Weekday::try_from(weekday).unwrap(),
            month_day,
        })
}

/// Compares `next_slot` and `previous_slot` with the oracle in `[from, to)`.
fn assert_agrees(schedule: &Schedule, from: DateTime<Utc>, to: DateTime<Utc>) {
    let expected = watch(schedule, from, to);
    let mut found = BTreeSet::new();
    let mut after = from - TimeDelta::nanoseconds(1);
    while let Some(slot) = schedule
        .next_slot(after)
        .map(|slot| slot.time())
        .filter(|slot| *slot < to)
    {
        assert!(slot > after, "{schedule:?} stands still at {slot}");
        assert_eq!(
            schedule.previous_slot(slot).map(|slot| slot.time()),
            Some(slot)
        );
        if let Some(previous) = found.last() {
            let just_before = slot - TimeDelta::nanoseconds(1);
            assert_eq!(
                schedule.previous_slot(just_before).map(|slot| slot.time()),
                Some(*previous),
                "{schedule:?}"
            );
        }
        found.insert(slot);
        after = slot;
    }
    // Some clocks were set at one minute past midnight; the oracle sees that at its next look.
    let seen: BTreeSet<_> = found
        .into_iter()
        .map(|slot| {
            (slot + STEP - TimeDelta::seconds(1))
                .duration_trunc(STEP)
                .unwrap()
        })
        .collect();
    assert_eq!(seen, expected, "{schedule:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_clock_of_any_zone(schedule in any_schedule(), day in 0..13_000_i64) {
        let from = at("1991-01-01T00:00:00Z") + TimeDelta::days(day);
        assert_agrees(&schedule, from, from + TimeDelta::days(50));
    }
}

/// Zones whose clocks do odd things: half hours, changes at midnight, a date left out, two changes a year at Ramadan, no changes.
const ODD: [Tz; 12] = [
    Tz::Australia__Lord_Howe,
    Tz::America__Sao_Paulo,
    Tz::Asia__Beirut,
    Tz::Pacific__Apia,
    Tz::Africa__Casablanca,
    Tz::Asia__Kathmandu,
    Tz::America__St_Johns,
    Tz::Asia__Pyongyang,
    Tz::Antarctica__Troll,
    Tz::America__Caracas,
    Tz::Pacific__Kiritimati,
    Tz::America__Nuuk,
];

#[test]
fn agrees_with_the_clock_of_odd_zones_when_they_change() {
    for zone in ODD {
        for quarter in [0, 1, 10, 95] {
            let schedule = Schedule {
                zone,
                time: NaiveTime::from_hms_opt(quarter / 4, quarter % 4 * 15, 0).unwrap(),
                ..Schedule::new(Frequency::Daily)
            };
            for change in changes(zone) {
                assert_agrees(
                    &schedule,
                    change - TimeDelta::days(3),
                    change + TimeDelta::days(3),
                );
                let hourly = Schedule {
                    frequency: Frequency::Hourly,
                    ..schedule
                };
                assert_agrees(
                    &hourly,
                    change - TimeDelta::days(1),
                    change + TimeDelta::days(1),
                );
            }
        }
    }
}

/// The days from 2005 to 2026 on which the zone's offset changes.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    use chrono::{Offset, TimeZone};
    let first = at("2005-01-01T00:00:00Z");
    let offset = |day: i64| {
        zone.offset_from_utc_datetime(&(first + TimeDelta::days(day)).naive_utc())
            .fix()
    };
    (0..8_000)
        .filter(|day| offset(*day) != offset(day + 1))
        .map(|day| first + TimeDelta::days(day))
        .collect()
}
