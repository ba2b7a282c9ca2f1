//! Health: facts in, findings out, and how they are shown.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use backup_core::Status;
use backup_core::audit::{Actor, AuditEvent, AuditJournal, AuditResult};
use backup_core::health::backup_system::{self, Component};
use backup_core::health::security::{self, DatabaseAccess, Role};
use backup_core::health::storage::{
    self, Content, RepositoryFacts, SampledDigests, Space, StorageFacts, VolumeFacts,
};
use backup_core::health::{
    Check, Finding, HealthReport, HealthStatus, Limit, Thresholds, application,
};
use backup_core::retention::{Candidate, RetentionPolicy, RetentionRules};
use backup_core::schedule::{Frequency, Schedule, ScheduleStore, Scheduled};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn severity(findings: &[Finding], code: &str) -> HealthStatus {
    find(findings, code).severity
}

fn find<'a>(findings: &'a [Finding], code: &str) -> &'a Finding {
    findings
        .iter()
        .find(|finding| finding.code == code)
        .unwrap_or_else(|| panic!("no {code} in {findings:#?}"))
}

/// What holds for every list of findings: who is not well says what to do, who is well does not.
fn assert_sound(findings: &[Finding]) {
    for finding in findings {
        let advised = finding
            .advice
            .as_ref()
            .is_some_and(|advice| !advice.is_empty());
        assert_eq!(
            advised,
            finding.severity != HealthStatus::Healthy,
            "{finding:?}"
        );
        assert!(finding.value.is_none_or(f64::is_finite), "{finding:?}");
        assert!(!finding.title.is_empty());
    }
}

#[test]
fn limits_work_in_both_directions() {
    let high = Limit::new(1.0, 3.0);
    let low = Limit::new(0.1, 0.03);
    for (limit, value, status) in [
        (high, 0.9, HealthStatus::Healthy),
        (high, 1.0, HealthStatus::Warning),
        (high, 3.0, HealthStatus::Critical),
        (low, 0.2, HealthStatus::Healthy),
        (low, 0.1, HealthStatus::Warning),
        (low, 0.0, HealthStatus::Critical),
    ] {
        assert_eq!(limit.judge(value), status, "{limit:?} {value}");
    }
}

#[test]
fn thresholds_are_read_from_a_configuration() {
    let text = "[database]\nlatency_ms = { warning = 5, critical = 7.5 }\n[storage]\nfree_ratio.warning = 0.5\nfree_ratio.critical = 0.2\n";
    let thresholds: Thresholds = toml::from_str(text).unwrap();
    assert_eq!(thresholds.database.latency_ms, Limit::new(5.0, 7.5));
    assert_eq!(thresholds.storage.free_ratio, Limit::new(0.5, 0.2));
    assert_eq!(thresholds.application, Thresholds::default().application);
    assert!(toml::from_str::<Thresholds>("[database]\nlatncy_ms = 5").is_err());
}

#[test]
fn the_machine_is_looked_at() {
    let facts = application::probe(Duration::from_millis(50));
    assert!(facts.memory_available.unwrap() <= facts.memory_total.unwrap());
    assert!((0.0..=1.0).contains(&facts.cpu_ratio.unwrap()));
    let findings = application::evaluate(&facts, &Thresholds::default());
    assert_eq!(findings.len(), 3);
    assert_sound(&findings);
}

#[test]
fn the_machine_is_judged() {
    let facts = application::ApplicationFacts {
        cpus: std::num::NonZeroUsize::new(2),
        cpu_ratio: Some(0.99),
        load: Some(5.0),
        memory_total: Some(1 << 30),
        memory_available: None,
    };
    let findings = application::evaluate(&facts, &Thresholds::default());
    assert_eq!(severity(&findings, "cpu_busy"), HealthStatus::Critical);
    assert_eq!(severity(&findings, "load_per_cpu"), HealthStatus::Warning);
    assert_eq!(
        severity(&findings, "memory_available"),
        HealthStatus::Unknown
    );
    assert_sound(&findings);
}

#[test]
fn folders_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let [full, empty, missing] = ["full", "empty", "missing"].map(|name| folder.path().join(name));
    fs::create_dir(&full).unwrap();
    fs::create_dir(&empty).unwrap();
    fs::write(full.join("file"), "x").unwrap();
    let sources: [(&str, &Path); 3] = [("documents", &full), ("media", &empty), ("gone", &missing)];
    let facts = storage::probe(sources, Some(&full));
    assert_eq!(
        fs::read_dir(&full).unwrap().count(),
        1,
        "the write test leaves nothing"
    );
    let findings = storage::evaluate(&facts, &Thresholds::default());
    assert_sound(&findings);
    let content: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == "source_readable")
        .map(|finding| (finding.subject.as_deref().unwrap(), finding.severity))
        .collect();
    assert_eq!(
        content,
        [
            ("documents", HealthStatus::Healthy),
            ("media", HealthStatus::Warning),
            ("gone", HealthStatus::Critical)
        ]
    );
    assert!(find(&findings, "repository_write").value.unwrap() > 0.0);
}

#[test]
fn a_repository_that_fills_up_is_seen_coming() {
    let volume = VolumeFacts {
        name: "repository".into(),
        path: "/var/backups".into(),
        space: Ok(Space {
            total_bytes: 1000 << 30,
            free_bytes: 20 << 30,
            total_inodes: 0,
            free_inodes: 0,
        }),
        content: Ok(Content::Something),
    };
    let repository = RepositoryFacts {
        volume,
        write_ms: Err("Read-only file system".into()),
        largest_backup_bytes: Some(9 << 30),
        daily_growth_bytes: Some((10_u64 << 30) as f64),
        sampled: Some(SampledDigests {
            checked: 20,
            damaged: vec!["a.tar.gz".into()],
        }),
    };
    let facts = StorageFacts {
        sources: Vec::new(),
        repository: Some(repository),
    };
    let findings = storage::evaluate(&facts, &Thresholds::default());
    assert_sound(&findings);
    for (code, status, message) in [
        (
            "storage_free",
            HealthStatus::Critical,
            "20.0 GiB of 1000.0 GiB free",
        ),
        (
            "repository_write",
            HealthStatus::Critical,
            "/var/backups cannot be written to: Read-only file system",
        ),
        (
            "repository_backups_that_fit",
            HealthStatus::Warning,
            "2 more backups fit (20.0 GiB free, the largest recent one takes 9.0 GiB)",
        ),
        (
            "repository_days_until_full",
            HealthStatus::Critical,
            "grows by 10.0 GiB a day: full in 2 days",
        ),
        (
            "sampled_digests_damaged",
            HealthStatus::Critical,
            "1 of 20 sampled digests do not match, the first in a.tar.gz",
        ),
    ] {
        let finding = find(&findings, code);
        assert_eq!(
            (finding.severity, finding.message.as_str()),
            (status, message)
        );
    }
}

fn daily_backups(count: i64, bytes: u64, last: DateTime<Utc>) -> Vec<Candidate> {
    (0..count)
        .map(|n| {
            let made = last - TimeDelta::days(n);
            let id = format!("{}-full-{n:08x}", made.format("%Y%m%dT%H%M%SZ"))
                .parse()
                .unwrap();
            Candidate {
                stored_bytes: bytes,
                ..Candidate::new(id, made, Status::Complete)
            }
        })
        .collect()
}

#[test]
fn growth_takes_retention_into_account() {
    let now = at("2026-03-01T12:00:00Z");
    let backups = daily_backups(30, 700, now - TimeDelta::hours(10));
    let growth = |rules| {
        storage::expected_daily_growth(&backups, &RetentionPolicy::from(rules), now).unwrap()
    };
    // Seven a week, and nothing goes.
    assert_eq!(growth(RetentionRules::default()), 700.0);
    // As many go as come.
    let steady = RetentionRules {
        max_backups: Some(10),
        ..RetentionRules::default()
    };
    assert_eq!(growth(steady), 0.0);
    let old = daily_backups(5, 700, at("2025-01-01T00:00:00Z"));
    assert_eq!(
        storage::expected_daily_growth(&old, &RetentionPolicy::default(), now),
        None
    );
    assert_eq!(storage::largest_recent_backup(&old), Some(700));
}

fn event(action: &str, result: AuditResult, details: serde_json::Value) -> AuditEvent {
    AuditEvent {
        who: Actor {
            user: "root".into(),
            host: "edms1".into(),
            face: "cli".into(),
        },
        action: action.into(),
        subject: String::new(),
        result,
        details,
    }
}

#[test]
fn the_backup_system_is_judged_by_what_repository_schedule_and_journal_know() {
    let folder = tempfile::tempdir().unwrap();
    let store = ScheduleStore::new(folder.path().join("schedule"));
    let journal = AuditJournal::new(folder.path().join("audit.jsonl"));
    let now = at("2026-03-01T12:00:00Z");
    let daily = Scheduled {
        name: "daily".into(),
        schedule: Schedule::new(Frequency::Daily),
        enabled: true,
    };
    let off = Scheduled {
        name: "off".into(),
        enabled: false,
        ..daily.clone()
    };
    let both = [Component::Database, Component::Files];
    let gather = |backups: &[Candidate], scheduled: &[Scheduled]| {
        let facts =
            backup_system::gather(backups, &both, scheduled, &store, &journal, now).unwrap();
        let findings = backup_system::evaluate(&facts, &Thresholds::default(), now);
        assert_sound(&findings);
        findings
    };

    // A new site: nothing was ever done.
    let findings = gather(&[], &[]);
    assert_eq!(
        severity(&findings, "last_complete_backup_age"),
        HealthStatus::Critical
    );
    assert_eq!(
        find(&findings, "schedule_late").message,
        "no configuration is turned on: backups are made by hand only"
    );
    assert_eq!(
        find(&findings, "last_rehearsal_age").message,
        "no backup was ever restored as a rehearsal"
    );

    // A site that is kept well.
    for action in ["create", "create", "verify"] {
        journal
            .append(
                &event(action, AuditResult::Success, json!({"rehearsed": true})),
                now - TimeDelta::days(2),
            )
            .unwrap();
    }
    let mut claim = store.claim("daily").unwrap().unwrap();
    let slot = daily.schedule.previous_slot(now).unwrap();
    claim.begin(&daily.schedule, slot, now).unwrap();
    let complete = backup_core::schedule::RunResult {
        status: Status::Complete,
        backup: None,
        message: None,
    };
    claim.finish(&daily.schedule, complete, now).unwrap();
    let findings = gather(
        &daily_backups(3, 1, now - TimeDelta::hours(10)),
        &[daily.clone(), off],
    );
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity == HealthStatus::Healthy),
        "{findings:#?}"
    );

    // The same site, two days later, after failures.
    let later = now + TimeDelta::days(2);
    for _ in 0..3 {
        journal
            .append(&event("create", AuditResult::Failure, json!(null)), later)
            .unwrap();
    }
    let facts = backup_system::gather(
        &daily_backups(3, 1, now - TimeDelta::hours(10)),
        &both,
        std::slice::from_ref(&daily),
        &store,
        &journal,
        later,
    )
    .unwrap();
    let findings = backup_system::evaluate(&facts, &Thresholds::default(), later);
    assert_eq!(
        severity(&findings, "last_complete_backup_age"),
        HealthStatus::Critical
    );
    let late = find(&findings, "schedule_late");
    assert_eq!(late.severity, HealthStatus::Critical);
    assert_eq!(
        late.message,
        "the run of 2026-03-03T02:00:00Z has been waiting for 10 hours"
    );
    assert_eq!(
        find(&findings, "success").message,
        "2 of 5 runs were complete in the last 30 days"
    );
}

#[test]
fn a_long_chain_is_named() {
    let mut backups = daily_backups(61, 1, at("2026-03-01T02:00:00Z"));
    backups.reverse();
    for n in 1..backups.len() {
        backups[n].base = Some(backups[n - 1].id.clone());
    }
    let folder = tempfile::tempdir().unwrap();
    let store = ScheduleStore::new(folder.path());
    let journal = AuditJournal::new(folder.path().join("audit.jsonl"));
    let now = at("2026-03-01T12:00:00Z");
    let facts = backup_system::gather(&backups, &[], &[], &store, &journal, now).unwrap();
    assert_eq!(facts.longest_chain, 60);
    let findings = backup_system::evaluate(&facts, &Thresholds::default(), now);
    assert_eq!(severity(&findings, "longest_chain"), HealthStatus::Warning);
}

#[test]
fn loose_modes_are_found_anywhere_in_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    fs::create_dir_all(path("repository/backups")).unwrap();
    for file in ["repository/backups/a.tar.gz", "key", "config.toml"] {
        fs::write(path(file), "x").unwrap();
        mode(file, 0o600);
    }
    for name in ["repository", "repository/backups"] {
        mode(name, 0o700);
    }
    let all = [
        (Role::Repository, path("repository")),
        (Role::Key, path("key")),
        (Role::Configuration, path("config.toml")),
    ];
    let judge = || {
        let facts = security::probe(all.iter().map(|(role, path)| (*role, path.as_path())));
        let findings = security::evaluate(&facts);
        assert_sound(&findings);
        findings
    };
    let status = |findings: &[Finding], subject: &str| {
        findings
            .iter()
            .find(|finding| finding.subject.as_deref() == Some(subject))
            .unwrap()
            .severity
    };
    assert!(
        judge()
            .iter()
            .all(|finding| finding.severity == HealthStatus::Healthy)
    );
    mode("repository/backups/a.tar.gz", 0o640);
    mode("config.toml", 0o644);
    let findings = judge();
    assert_eq!(status(&findings, "repository"), HealthStatus::Warning);
    assert_eq!(status(&findings, "configuration"), HealthStatus::Healthy);
    mode("repository/backups", 0o755);
    mode("config.toml", 0o664);
    mode("key", 0o640);
    let findings = judge();
    assert_eq!(status(&findings, "repository"), HealthStatus::Critical);
    assert!(
        findings[0]
            .message
            .ends_with("/repository/backups has mode 0755, and 1 more like it"),
        "{}",
        findings[0].message
    );
    assert_eq!(status(&findings, "configuration"), HealthStatus::Critical);
    assert_eq!(status(&findings, "keys"), HealthStatus::Critical);
    fs::remove_file(path("key")).unwrap();
    let findings = judge();
    assert!(
        findings
            .iter()
            .any(|finding| finding.severity == HealthStatus::Unknown)
    );
}

#[test]
fn the_way_to_the_database_and_sealing_are_judged() {
    let facts = |local, tls, superuser, sealed| security::SecurityFacts {
        sealed: Some(sealed),
        database: Some(DatabaseAccess {
            local,
            tls,
            superuser,
        }),
        ..security::SecurityFacts::default()
    };
    let bad = security::evaluate(&facts(false, false, true, false));
    assert_sound(&bad);
    assert_eq!(bad.len(), 3);
    assert!(
        bad.iter()
            .all(|finding| finding.severity == HealthStatus::Warning && finding.value == Some(1.0))
    );
    for (local, tls) in [(true, false), (false, true)] {
        let good = security::evaluate(&facts(local, tls, false, true));
        assert!(
            good.iter()
                .all(|finding| finding.severity == HealthStatus::Healthy)
        );
    }
}

fn hostile_report() -> HealthReport {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let name = "a\"b\\c\nd\u{1b}[31m";
    let sources: [(&str, &Path); 2] = [(name, &folder.path().join(name)), ("plain", folder.path())];
    let mut findings = storage::evaluate(
        &storage::probe(sources, Some(folder.path())),
        &Thresholds::default(),
    );
    findings.extend(security::evaluate(&security::probe([(
        Role::Repository,
        folder.path(),
    )])));
    HealthReport::new(at("2026-03-01T12:00:00Z"), findings)
}

#[test]
fn the_report_is_as_bad_as_its_worst_finding() {
    let report = hostile_report();
    assert_eq!(report.status, HealthStatus::Critical);
    assert_eq!(
        report
            .checks
            .iter()
            .map(|check| check.check)
            .collect::<Vec<_>>(),
        [Check::Storage, Check::Security]
    );
    assert_eq!(report.checks[1].status, HealthStatus::Healthy);
    assert_eq!(
        report.checks[0].findings[0].severity,
        HealthStatus::Critical
    );
    assert_eq!(
        HealthReport::new(Utc::now(), Vec::new()).status,
        HealthStatus::Unknown
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["status"], "CRITICAL");
    assert_eq!(json["checks"][1]["check"], "SECURITY");
    assert!(json["checks"][0]["findings"][0]["advice"].is_string());
}

#[test]
fn text_shows_what_is_wrong_and_obeys_no_name() {
    let report = hostile_report();
    let text = report.to_text(false);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(
        text.starts_with("STORAGE       CRITICAL\n  CRITICAL a\"b\\c\u{fffd}d\u{fffd}[31m: "),
        "{text}"
    );
    assert!(text.contains("-> Mount the volume"));
    assert!(text.ends_with("overall       CRITICAL"));
    assert!(!text.contains("HEALTHY  ") && report.to_text(true).contains("HEALTHY  "));
}

#[test]
fn prometheus_text_is_well_formed() {
    let report = hostile_report();
    let text = report.to_prometheus();
    assert!(
        text.contains("edms_backup_health_status{check=\"STORAGE\"} 3\n"),
        "{text}"
    );
    assert!(text.contains("subject=\"a\\\"b\\\\c\\nd\u{1b}[31m\""));
    let mut families = HashSet::new();
    let mut samples = HashSet::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(family.clone()), "{family} comes twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest, format!("{family} gauge"));
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            assert_eq!(
                series.split('{').next().unwrap(),
                family,
                "a sample outside its family"
            );
            assert!(samples.insert(series.to_owned()), "{series} comes twice");
        }
    }
    assert!(families.contains("edms_backup_storage_free_ratio"));
    assert!(families.contains("edms_backup_repository_write_seconds"));
}

/// An archive with `files` files of a few kilobytes that do not shrink.
fn archive(path: &Path, files: u8) {
    use backup_archive::{ArchivePath, ArchiveWriter, FileSink, Metadata, WriterOptions};
    let sink = FileSink::new(fs::File::create(path).unwrap(), false).unwrap();
    let mut writer = ArchiveWriter::new(sink, WriterOptions::default()).unwrap();
    for n in 0..files {
        let content: Vec<u8> = (0..200_u8)
            .flat_map(|block| *blake3::hash(&[n, block]).as_bytes())
            .collect();
        let name = ArchivePath::new(format!("files/{n:03}")).unwrap();
        writer
            .append_bytes(&name, &Metadata::default(), content)
            .unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn sampled_digests_show_damage() {
    use std::os::unix::fs::FileExt;
    let folder = tempfile::tempdir().unwrap();
    let [good, bad, cut, sealed, gone] =
        ["good", "bad", "cut", "sealed", "gone"].map(|name| folder.path().join(name));
    for path in [&good, &bad, &cut] {
        archive(path, 100);
    }
    fs::write(&sealed, "age-encryption.org/v1\n").unwrap();
    let options = storage::SampleOptions {
        files: 10,
        ..storage::SampleOptions::default()
    };
    let sampled = storage::sample(&[good.clone(), sealed, gone], &options);
    assert_eq!((sampled.checked, sampled.damaged.len()), (10, 0));
    let file = fs::File::options().write(true).open(&bad).unwrap();
    let length = file.metadata().unwrap().len();
    for at in (0..length / 2).step_by(1000) {
        file.write_all_at(b"\xff\x00", at).unwrap();
    }
    fs::File::options()
        .write(true)
        .open(&cut)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
    let sampled = storage::sample(&[good, bad.clone(), cut.clone()], &options);
    assert!(
        sampled.damaged[0].starts_with(&format!("{}: files/", bad.display())),
        "{sampled:?}"
    );
    assert!(
        sampled
            .damaged
            .last()
            .unwrap()
            .starts_with(&format!("{}: ", cut.display())),
        "{sampled:?}"
    );
}
