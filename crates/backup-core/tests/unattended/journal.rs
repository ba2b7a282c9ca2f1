//! Every service leaves a line, and records tell of a journal that was cut.

use std::fs;

use backup_core::audit::{AuditResult, AuditTrail};
use backup_core::{RestoreOptions, Silent, VerifyOptions};

use crate::site::{Site, somebody};

#[test]
fn success_and_failure_are_noted_with_who_and_where() {
    let site = Site::new();
    let mut options = site.options();
    options.who = somebody();
    let record = backup_core::create(&options, &Silent).unwrap();
    let repository = site.repository();
    let trail = AuditTrail::of(&repository, somebody());
    let verify = VerifyOptions {
        quick: false,
        jobs: backup_core::default_jobs(),
        ..VerifyOptions::default()
    };
    let check = |path: &std::path::Path| {
        let result = backup_core::verify(path, &verify, &Silent);
        trail.verified(&path.display().to_string(), &result, &Silent);
        result
    };
    check(&record.path).unwrap();
    let mut restore = RestoreOptions::new(&record.path);
    restore.target = Some(site.path("restored"));
    let outcome = trail.restore(&restore, &Silent).unwrap();
    trail.restore(&restore, &Silent).unwrap_err();
    check(&site.path("nothing")).unwrap_err();
    fs::remove_dir_all(site.root()).unwrap();
    backup_core::create(&options, &Silent).unwrap_err();

    let lines = site.journal();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.action.as_str(), line.result))
        .collect();
    assert_eq!(
        told,
        [
            ("create", AuditResult::Success),
            ("verify", AuditResult::Success),
            ("restore", AuditResult::Success),
            ("restore", AuditResult::Failure),
            ("verify", AuditResult::Failure),
            ("create", AuditResult::Failure),
        ]
    );
    assert!(lines.iter().all(|line| line.who == somebody()));
    assert_eq!(lines[0].subject, record.id.as_str());
    assert_eq!(lines[2].subject, outcome.id);
    assert_eq!(lines[5].details["error"]["code"], "source_unusable");
    assert!(repository.verify_journal().unwrap().is_intact());
}

#[test]
fn a_journal_cut_together_with_the_file_beside_it_is_found_by_the_records() {
    let site = Site::new();
    site.create();
    site.create();
    let third = site.create();
    assert_eq!(third.audit.as_ref().map(|head| head.seq), Some(2));
    let journal = site.repository().journal();
    let report = site.repository().verify_journal().unwrap();
    assert!(report.is_intact(), "{report:?}");

    let text = fs::read_to_string(journal.path()).unwrap();
    let first_line = text.lines().next().unwrap().to_owned() + "\n";
    fs::write(journal.path(), &first_line).unwrap();
    fs::remove_file(backup_core::audit::head_path(journal.path())).unwrap();
    // The next entry makes the file beside the journal anew; by itself the journal looks right.
    site.create();
    let alone = backup_core::audit::verify(journal.path(), &[]).unwrap();
    assert!(alone.is_intact(), "{alone:?}");
    let report = site.repository().verify_journal().unwrap();
    assert!(!report.is_intact());

    // Archives know it too: records can be made anew.
    for record in site.repository().list().unwrap().backups {
        fs::remove_file(record.path.with_file_name(format!("{}.toml", record.id))).unwrap();
    }
    assert!(!site.repository().verify_journal().unwrap().is_intact());
}
