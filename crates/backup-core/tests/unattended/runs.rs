//! Configurations that run when they are due: once for each slot, whatever happens to one of them.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use backup_core::schedule::{
    Caller, SiteRun, configurations, create_defaults, run_site, set_enabled,
};
use backup_core::{ConfigFile, Overrides, Settings, Silent, Status, default_jobs};
use chrono::{DateTime, Utc};

use testkit::user::run_as_ordinary_user;

use crate::site::{Site, somebody};

fn caller() -> Caller {
    Caller {
        who: somebody(),
        environment: vec![(OsString::from("PATH"), OsString::from("/usr/bin:/bin"))],
        jobs: default_jobs(),
    }
}

fn settings(site: &Site, more: &str) -> Settings {
    let path = site.path("edms-backup.toml");
    let text =
        format!("[repository]\npath = \"backups\"\n[files]\ndocuments = \"documents\"\n{more}");
    fs::write(&path, text).unwrap();
    let file = ConfigFile::load(&path).unwrap();
    Settings::resolve(&Overrides::default(), &file, &|_| None, None).unwrap()
}

fn entry(name: &str, kind: &str, more: &str) -> String {
    format!(
        "[[schedule]]\nname = \"{name}\"\nbackup_type = \"{kind}\"\nfrequency = \"HOURLY\"\n{more}\n"
    )
}

fn run(settings: &Settings, now: &str) -> Vec<SiteRun> {
    let now: DateTime<Utc> = now.parse().unwrap();
    run_site(settings, &caller(), &|| now, &Silent).unwrap()
}

fn statuses(runs: &[SiteRun]) -> Vec<(&str, Option<Status>)> {
    runs.iter()
        .map(|run| (run.configuration.as_str(), run.status))
        .collect()
}

/// A command that appends what it is told to a file.
fn recorder(site: &Site, name: &str) -> String {
    let script = site.path(name);
    let log = site.path(&format!("{name}.log"));
    fs::write(&script, format!("#!/bin/sh\ncat >> '{}'\n", log.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script.display().to_string()
}

fn told(site: &Site, name: &str) -> Vec<serde_json::Value> {
    fs::read_to_string(site.path(&format!("{name}.log")))
        .unwrap_or_default()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_is_due_runs_once_and_one_failure_does_not_stop_the_rest() {
    let site = Site::new();
    let (good, bad) = (recorder(&site, "good"), recorder(&site, "bad"));
    let settings = settings(
        &site,
        &format!(
            "{}{}[notify]\non_success = [\"{good}\"]\non_failure = [\"{bad}\"]\n",
            entry("first", "DATABASE", ""),
            entry("second", "FILES", "")
        ),
    );
    let runs = run(&settings, "2026-03-01T10:30:00Z");
    assert_eq!(
        statuses(&runs),
        [
            ("first", Some(Status::Failed)),
            ("second", Some(Status::Complete))
        ]
    );
    assert_eq!(runs[0].error.as_ref().unwrap().code, "no_database");
    assert_eq!(site.ids(), [runs[1].backup.clone().unwrap()]);
    // Again at the same time, and a little later: nothing is due.
    assert!(run(&settings, "2026-03-01T10:30:00Z").is_empty());
    assert!(run(&settings, "2026-03-01T10:59:59Z").is_empty());
    // Missed for five hours: caught up once.
    assert_eq!(run(&settings, "2026-03-01T15:10:00Z").len(), 2);
    assert!(run(&settings, "2026-03-01T15:20:00Z").is_empty());

    let failures = told(&site, "bad");
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0]["status"], "FAILED");
    assert_eq!(failures[0]["configuration"], "first");
    assert_eq!(failures[0]["error"]["code"], "no_database");
    let successes = told(&site, "good");
    assert_eq!(successes.len(), 2);
    assert_eq!(successes[0]["status"], "COMPLETE");
    assert_eq!(successes[0]["configuration"], "second");
    let list = configurations(&settings, "2026-03-01T15:20:00Z".parse().unwrap()).unwrap();
    assert_eq!((list[0].failing_streak, list[1].failing_streak), (2, 0));
    assert_eq!(
        list[1].next_run_at,
        Some("2026-03-01T16:00:00Z".parse().unwrap())
    );
    assert!(list.iter().all(|one| one.enabled && !one.is_due));
}

#[test]
fn a_hook_that_fails_changes_nothing_but_the_warnings() {
    let site = Site::new();
    let settings = settings(
        &site,
        &format!(
            "{}[notify]\non_success = [\"/bin/false\"]\nping_url = \"http://127.0.0.1:1/secret-path\"\n",
            entry("only", "FILES", "")
        ),
    );
    let runs = run(&settings, "2026-03-01T10:30:00Z");
    assert_eq!(statuses(&runs), [("only", Some(Status::Complete))]);
    let warnings = &runs[0].result.as_ref().unwrap().record.warnings;
    assert!(
        warnings.iter().any(|one| one.contains("/bin/false")),
        "{warnings:?}"
    );
    assert!(
        warnings.iter().any(|one| one.contains("127.0.0.1:1")),
        "{warnings:?}"
    );
    assert!(!format!("{runs:?}").contains("secret-path"));
}

#[test]
fn retention_follows_a_complete_backup_of_the_same_configuration_only() {
    let site = Site::new();
    let by_hand = site.create().id;
    let settings = settings(
        &site,
        &(entry("kept", "FILES", "max_backups = 1\nkeep_minimum = 1")
            + &entry("other", "FILES", "max_backups = 9")),
    );
    run(&settings, "2026-03-01T10:30:00Z");
    // Ids hold whole seconds and the clock of a backup is the machine's: the older of one second is not known.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let runs = run(&settings, "2026-03-01T11:30:00Z");
    assert_eq!(runs[0].result.as_ref().unwrap().pruned.len(), 1);
    assert_eq!(runs[1].result.as_ref().unwrap().pruned, []);
    let ids = site.ids();
    assert_eq!(ids.len(), 4, "{ids:?}");
    assert!(ids.contains(&by_hand));
}

#[test]
fn no_retention_follows_a_partial_backup() {
    if !run_as_ordinary_user("runs::no_retention_follows_a_partial_backup") {
        return;
    }
    let site = Site::new();
    let settings = settings(&site, &entry("kept", "FILES", "max_backups = 1"));
    run(&settings, "2026-03-01T10:30:00Z");
    let locked = site.root().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let runs = run(&settings, "2026-03-01T11:30:00Z");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(statuses(&runs), [("kept", Some(Status::Partial))]);
    assert_eq!(runs[0].result.as_ref().unwrap().pruned, []);
    assert_eq!(site.ids().len(), 2);
}

#[test]
fn configurations_are_turned_off_and_on() {
    let site = Site::new();
    let settings = settings(
        &site,
        &(entry("on", "FILES", "") + &entry("off", "FILES", "enabled = false")),
    );
    set_enabled(&settings, "on", false, &somebody()).unwrap();
    assert!(run(&settings, "2026-03-01T10:30:00Z").is_empty());
    set_enabled(&settings, "off", true, &somebody()).unwrap();
    let runs = run(&settings, "2026-03-01T10:30:00Z");
    assert_eq!(statuses(&runs), [("off", Some(Status::Complete))]);
    let refused = set_enabled(&settings, "none", true, &somebody()).unwrap_err();
    assert!(refused.to_string().contains("none"), "{refused}");
    let noted = site.noted();
    assert_eq!(noted[0], "schedule-disable on success");
    assert_eq!(noted[1], "schedule-enable off success");
}

#[test]
fn the_default_configurations_are_added_once() {
    let site = Site::new();
    let path = site.path("edms-backup.toml");
    let before = settings(&site, "# mine\n");
    let created = create_defaults(&before, &path, "Europe/Berlin", &somebody()).unwrap();
    assert_eq!(created.added, ["hourly_incremental"]);
    assert_eq!(created.disabled.len(), 3);
    let file = ConfigFile::load(&path).unwrap();
    assert_eq!(file.schedule.len(), 4);
    assert!(fs::read_to_string(&path).unwrap().contains("# mine\n"));
    let after = Settings::resolve(&Overrides::default(), &file, &|_| None, None).unwrap();
    let again = create_defaults(&after, &path, "UTC", &somebody()).unwrap();
    assert_eq!(again.present.len(), 4);
    assert_eq!(ConfigFile::load(&path).unwrap(), file);
}
