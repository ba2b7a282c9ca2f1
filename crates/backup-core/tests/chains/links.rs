//! Archives of a chain that are missing, damaged, or somewhere else.

use std::fs;

use backup_core::{Archives, BackupRecord, LinkProblem, OpenedBackup, Status, VerifyStatus, cat};
use testkit::tree::noise;

use crate::store::Store;

/// Three backups, each with a file of its own.
fn three() -> (Store, [BackupRecord; 3]) {
    let store = Store::new();
    store.write("one", noise(1, 5000));
    let one = store.full();
    store.write("two", noise(2, 5000));
    let two = store.increment();
    store.write("three", noise(3, 5000));
    let three = store.increment();
    (store, [one, two, three])
}

#[test]
fn a_missing_archive_is_named_with_what_it_costs_and_the_rest_restores() {
    let (store, [one, two, three]) = three();
    fs::remove_file(&two.path).unwrap();
    let outcome = store.verify(&three.path, false);
    assert_eq!(outcome.status, VerifyStatus::Damaged);
    let damaged: Vec<&str> = outcome
        .damaged
        .iter()
        .map(|part| part.path.as_str())
        .collect();
    assert_eq!(damaged, ["chain", "files/docs/two"]);
    let reason = &outcome.damaged[0].reason;
    assert!(
        reason.contains(two.id.as_str()) && reason.contains("1 files (5000 bytes)"),
        "{reason}"
    );
    let (restored, outcome) = store.restore(&three.path);
    assert_eq!(outcome.status, Status::Partial);
    let said = outcome.warnings.join("\n");
    assert!(
        said.contains(two.id.as_str()) && said.contains("files/docs/two"),
        "{said}"
    );
    assert!(!restored.join("two").exists());
    assert_eq!(fs::read(restored.join("one")).unwrap(), noise(1, 5000));
    assert_eq!(fs::read(restored.join("three")).unwrap(), noise(3, 5000));
    // The archive in the middle is not needed for what is at the beginning.
    let backup = OpenedBackup::open_chain(&three.path, &Archives::default()).unwrap();
    assert_eq!(backup.links()[1].problem, Some(LinkProblem::Missing));
    assert_eq!(backup.links()[0].id, one.id.as_str());
    let mut out = Vec::new();
    cat(&backup, "files/docs/one", &mut out).unwrap();
    assert_eq!(out, noise(1, 5000));
    let error = cat(&backup, "files/docs/two", &mut Vec::new()).unwrap_err();
    let cause = std::error::Error::source(&error)
        .and_then(std::error::Error::source)
        .unwrap();
    assert!(cause.to_string().contains(two.id.as_str()), "{cause}");
}

#[test]
fn damage_in_another_archive_is_found_when_asked_for_and_on_restoring() {
    let (store, [one, _, three]) = three();
    let mut bytes = fs::read(&one.path).unwrap();
    // Its only member of content holds little but this file.
    bytes[2500] ^= 1;
    fs::write(&one.path, bytes).unwrap();
    assert_eq!(store.verify(&three.path, false).status, VerifyStatus::Ok);
    let outcome = store.verify(&three.path, true);
    let damaged: Vec<&str> = outcome
        .damaged
        .iter()
        .map(|part| part.path.as_str())
        .collect();
    assert_eq!(damaged, ["files/docs/one"]);
    assert!(outcome.damaged[0].reason.contains(one.id.as_str()));
    let (restored, outcome) = store.restore(&three.path);
    assert_eq!(outcome.status, Status::Partial);
    assert!(!restored.join("one").exists() && restored.join("two").exists());
}

#[test]
fn a_chain_is_found_side_by_side_under_any_names() {
    let (store, records) = three();
    let elsewhere = store.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for (record, name) in records.iter().zip(["a.tar.gz", "b.tar.gz", "c.tar.gz"]) {
        fs::copy(&record.path, elsewhere.join(name)).unwrap();
    }
    fs::remove_dir_all(store.repository()).unwrap();
    store.assert_holds_all(&elsewhere.join("c.tar.gz"));
    let backup =
        OpenedBackup::open_chain(&elsewhere.join("c.tar.gz"), &Archives::default()).unwrap();
    let found: Vec<_> = backup
        .links()
        .iter()
        .map(|link| link.path.clone())
        .collect();
    assert_eq!(
        found,
        [
            Some(elsewhere.join("a.tar.gz")),
            Some(elsewhere.join("b.tar.gz"))
        ]
    );
}

#[test]
fn an_archive_that_lost_its_table_still_serves_the_chain() {
    let (store, [one, _, three]) = three();
    let bytes = fs::read(&one.path).unwrap();
    fs::write(&one.path, &bytes[..bytes.len() - 100]).unwrap();
    let (restored, outcome) = store.restore(&three.path);
    assert_eq!(outcome.status, Status::Complete, "{:?}", outcome.warnings);
    assert!(
        outcome
            .warnings
            .iter()
            .any(|line| line.contains(one.id.as_str()))
    );
    assert_eq!(fs::read(restored.join("one")).unwrap(), noise(1, 5000));
    assert_eq!(
        store.verify(&three.path, false).status,
        VerifyStatus::Damaged
    );
}
