//! Running what is due, from several processes, through crashes.

use std::cell::Cell;
use std::fs;

use backup_core::Status;
use backup_core::schedule::{
    DueOutcome, DueRun, Frequency, RunResult, Schedule, ScheduleStore, Scheduled, StoreError,
    run_due,
};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn daily(name: &str) -> Scheduled {
    Scheduled {
        name: name.to_owned(),
        schedule: Schedule::new(Frequency::Daily),
        enabled: true,
    }
}

fn result(status: Status) -> RunResult {
    RunResult {
        status,
        backup: None,
        message: None,
    }
}

fn store() -> (TempDir, ScheduleStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ScheduleStore::new(folder.path().join("schedule"));
    (folder, store)
}

/// Runs what is due at `now`; every run ends with `status`.
fn tick(
    store: &ScheduleStore,
    configurations: &[Scheduled],
    now: &str,
    status: Status,
) -> Vec<String> {
    run_due(configurations, store, &|| at(now), &mut |_, _| {
        result(status)
    })
    .into_iter()
    .map(
        |DueRun {
             name,
             slot,
             outcome,
         }| match outcome {
            DueOutcome::Ran(result) => format!("{name} {slot} {}", result.status),
            other => format!("{name} {slot} {other:?}"),
        },
    )
    .collect()
}

#[test]
fn runs_once_and_remembers() {
    let (_folder, store) = store();
    let both = [daily("a"), daily("b/ü")];
    assert_eq!(
        tick(&store, &both, "2026-01-05T09:00:00Z", Status::Complete),
        [
            "a 2026-01-05T02:00:00Z COMPLETE",
            "b/ü 2026-01-05T02:00:00Z COMPLETE"
        ]
    );
    assert!(tick(&store, &both, "2026-01-05T23:00:00Z", Status::Complete).is_empty());
    assert_eq!(
        tick(&store, &both[..1], "2026-01-06T02:00:00Z", Status::Failed),
        ["a 2026-01-06T02:00:00Z FAILED"]
    );
    // A failed run is a run.
    assert!(tick(&store, &both[..1], "2026-01-06T02:05:00Z", Status::Complete).is_empty());
    let state = store.load("a").unwrap();
    assert_eq!(state.failing_streak, 1);
    assert_eq!(state.last_run.unwrap().result.status, Status::Failed);
    assert_eq!(state.attempt, None);
}

#[test]
fn what_an_operator_says_goes_before_the_configuration() {
    let (_folder, store) = store();
    let off = Scheduled {
        enabled: false,
        ..daily("a")
    };
    let now = "2026-01-05T09:00:00Z";
    assert!(tick(&store, std::slice::from_ref(&off), now, Status::Complete).is_empty());
    store.set_enabled("a", true).unwrap();
    assert_eq!(tick(&store, &[off], now, Status::Complete).len(), 1);
    store.set_enabled("a", false).unwrap();
    assert!(
        tick(
            &store,
            &[daily("a")],
            "2026-01-09T09:00:00Z",
            Status::Complete
        )
        .is_empty()
    );
}

#[test]
fn the_clock_is_asked_again_after_a_long_run() {
    let (_folder, store) = store();
    let now = Cell::new(at("2026-01-05T01:00:00Z"));
    let mut slots = Vec::new();
    run_due(
        &[daily("a"), daily("b")],
        &store,
        &|| now.get(),
        &mut |configuration, slot| {
            slots.push(format!("{} {slot}", configuration.name));
            now.set(now.get() + TimeDelta::hours(2));
            result(Status::Complete)
        },
    );
    assert_eq!(slots, ["a 2026-01-04T02:00:00Z", "b 2026-01-05T02:00:00Z"]);
}

#[test]
fn a_configuration_that_runs_is_left_alone() {
    let (_folder, store) = store();
    let claim = store.claim("a").unwrap().unwrap();
    assert!(store.claim("a").unwrap().is_none());
    let both = [daily("a"), daily("b")];
    let now = "2026-01-05T09:00:00Z";
    assert_eq!(
        tick(&store, &both, now, Status::Complete),
        [
            "a 2026-01-05T02:00:00Z Busy",
            "b 2026-01-05T02:00:00Z COMPLETE"
        ]
    );
    // It can be turned off meanwhile, and the run's end does not forget that.
    store.set_enabled("a", false).unwrap();
    drop(claim);
    assert!(tick(&store, &both, now, Status::Complete).is_empty());
}

#[test]
fn a_run_that_was_cut_short_gets_one_more() {
    let (_folder, store) = store();
    let schedule = Schedule::new(Frequency::Daily);
    for (now, due) in [
        ("2026-01-05T09:00:00Z", true),
        ("2026-01-05T09:05:00Z", true),
        ("2026-01-05T09:10:00Z", false),
    ] {
        let mut claim = store.claim("a").unwrap().unwrap();
        let slot = schedule.due(&claim.state().history, at(now));
        assert_eq!(slot.is_some(), due, "{now}");
        if let Some(slot) = slot {
            claim.begin(&schedule, slot, at(now)).unwrap();
        }
        // Dropped without an end, as by a crash.
    }
    assert_eq!(store.load("a").unwrap().failing_streak, 1);
    assert_eq!(
        tick(
            &store,
            &[daily("a")],
            "2026-01-06T09:00:00Z",
            Status::Complete
        )
        .len(),
        1
    );
}

#[test]
fn threads_at_the_same_time_run_a_slot_once() {
    let (_folder, store) = store();
    let configurations: Vec<_> = (0..5).map(|n| daily(&format!("c{n}"))).collect();
    let ran = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                run_due(
                    &configurations,
                    &store,
                    &|| at("2026-01-05T09:00:00Z"),
                    &mut |configuration, _| {
                        ran.lock().unwrap().push(configuration.name.clone());
                        std::thread::sleep(std::time::Duration::from_millis(5));
                        result(Status::Complete)
                    },
                );
            });
        }
    });
    let mut ran = ran.into_inner().unwrap();
    ran.sort();
    assert_eq!(ran, ["c0", "c1", "c2", "c3", "c4"]);
}

#[test]
fn trouble_with_one_configuration_is_told_and_stops_no_other() {
    let (folder, store) = store();
    tick(
        &store,
        &[daily("a")],
        "2026-01-05T09:00:00Z",
        Status::Complete,
    );
    let file = folder.path().join("schedule/a.json");
    assert!(file.exists());
    fs::write(&file, "{").unwrap();
    let runs = run_due(
        &[daily("a"), daily("b")],
        &store,
        &|| at("2026-01-06T09:00:00Z"),
        &mut |_, _| result(Status::Complete),
    );
    assert!(matches!(
        &runs[0].outcome,
        DueOutcome::Unrecorded { error: StoreError::Malformed { path, .. }, result: None } if *path == file
    ));
    assert!(matches!(&runs[1].outcome, DueOutcome::Ran(_)));
}

#[test]
fn on_demand_configurations_never_run_by_themselves() {
    let (_folder, store) = store();
    let on_demand = Scheduled {
        schedule: Schedule::new(Frequency::OnDemand),
        ..daily("a")
    };
    assert!(
        tick(
            &store,
            &[on_demand],
            "2026-01-05T09:00:00Z",
            Status::Complete
        )
        .is_empty()
    );
}
