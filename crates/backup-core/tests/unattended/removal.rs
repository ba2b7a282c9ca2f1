//! Prune, delete, pin.

use std::fs;

use backup_core::retention::{
    Reason, RemovalError, RetentionPolicy, RetentionRules, delete, pin, plan_prune, prune, unpin,
};
use backup_core::{BackupId, Explain};
use chrono::{TimeDelta, Utc};

use crate::site::{Site, somebody};

fn at_most(max_backups: u32) -> RetentionPolicy {
    RetentionPolicy::from(RetentionRules {
        max_backups: Some(max_backups),
        ..RetentionRules::default()
    })
}

#[test]
fn prune_removes_what_its_dry_run_says_and_notes_it() {
    let site = Site::new();
    let ids: Vec<BackupId> = (0..4).map(|_| site.create().id).collect();
    let mut sorted = site.ids();
    sorted.sort();
    let repository = site.repository();
    let now = Utc::now() + TimeDelta::seconds(5);

    let plan = plan_prune(&repository, &at_most(2), now).unwrap();
    assert_eq!(site.ids().len(), 4, "a plan removes nothing");
    assert_eq!(plan.deletion_order.len(), 2);

    let outcome = prune(&repository, &at_most(2), &somebody(), now).unwrap();
    assert_eq!(outcome.deleted, plan.deletion_order);
    assert_eq!(site.ids(), ids_kept(&ids, &outcome.deleted));
    // Nothing of them is left, and nothing of the others is gone.
    let names = fs::read_dir(repository.path().join("backups"))
        .unwrap()
        .count();
    assert_eq!(names, 2 * 3);
    let last = site.journal().pop().unwrap();
    assert_eq!((last.action.as_str(), last.who), ("prune", somebody()));
    assert_eq!(
        last.details["deleted"],
        serde_json::json!(outcome.deleted),
        "{}",
        last.details
    );
    // Doing it again removes nothing more.
    let again = prune(&repository, &at_most(2), &somebody(), now).unwrap();
    assert_eq!(again.deleted, []);
}

fn ids_kept(all: &[BackupId], deleted: &[BackupId]) -> Vec<BackupId> {
    let mut kept: Vec<_> = all
        .iter()
        .filter(|id| !deleted.contains(id))
        .cloned()
        .collect();
    kept.sort();
    kept
}

#[test]
fn a_pin_holds_against_rules_and_deletion_until_it_is_taken_away() {
    let site = Site::new();
    let ids: Vec<BackupId> = (0..3).map(|_| site.create_for("daily").id).collect();
    let repository = site.repository();
    // Ids of one second sort by chance: the first that was made is the oldest.
    let held = &ids[0];
    pin(&repository, held.as_str(), Some("case 17"), &somebody()).unwrap();
    // Another program that opens the repository knows it too.
    let pins = site.repository().pins().unwrap();
    let known = pins[held].as_ref().unwrap();
    assert_eq!(known.reason.as_deref(), Some("case 17"));
    assert_eq!(known.by, "ada@here");

    let now = Utc::now() + TimeDelta::seconds(5);
    let outcome = prune(&repository, &at_most(1), &somebody(), now).unwrap();
    assert_eq!(outcome.deleted.len(), 1);
    assert!(!outcome.deleted.contains(held));
    let decision = outcome.plan.kept().find(|one| one.id == *held).unwrap();
    assert_eq!(decision.reasons[0], Reason::Pinned);

    let refused = delete(&repository, held.as_str(), &at_most(1), true, &somebody()).unwrap_err();
    assert_eq!(refused.code(), "pinned");
    assert!(refused.to_string().contains("case 17"), "{refused}");
    // Even a pin that cannot be read holds.
    let file = repository.path().join(format!("pins/{held}.toml"));
    fs::write(&file, "reason = ").unwrap();
    assert!(matches!(
        delete(&repository, held.as_str(), &at_most(1), true, &somebody()),
        Err(RemovalError::Pinned { .. })
    ));

    unpin(&repository, held.as_str(), &somebody()).unwrap();
    delete(&repository, held.as_str(), &at_most(1), true, &somebody()).unwrap();
    assert_eq!(site.ids().len(), 1);
    assert!(ids.contains(&site.ids()[0]));
    let noted = site.noted();
    let held = held.as_str();
    for line in [
        format!("pin {held} success"),
        format!("delete {held} failure"),
        format!("unpin {held} success"),
        format!("delete {held} success"),
    ] {
        assert!(noted.contains(&line), "{line}: {noted:#?}");
    }
}

#[test]
fn the_last_good_ones_are_deleted_only_when_that_is_meant() {
    let site = Site::new();
    let first = site.create_for("daily").id;
    // Those of others do not count.
    for _ in 0..5 {
        site.create();
    }
    let repository = site.repository();
    let policy = RetentionPolicy::default();
    let refused = delete(&repository, first.as_str(), &policy, false, &somebody()).unwrap_err();
    assert_eq!(refused.code(), "last_good_backup");
    assert!(refused.hint().unwrap().contains("--force"));
    assert!(site.ids().contains(&first));
    let by_hand = site.ids().into_iter().find(|id| *id != first).unwrap();
    delete(&repository, by_hand.as_str(), &policy, false, &somebody()).unwrap();
    delete(&repository, first.as_str(), &policy, true, &somebody()).unwrap();
    assert_eq!(site.ids().len(), 4);
}

#[test]
fn a_full_backup_that_others_build_on_stays_and_they_are_named() {
    let site = Site::new();
    let base = site.create().id;
    let increment = site.create();
    // The record says what it builds on.
    let record = increment
        .path
        .with_file_name(format!("{}.toml", increment.id));
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, format!("base = \"{base}\"\n{text}")).unwrap();
    let repository = site.repository();
    let refused = delete(&repository, base.as_str(), &at_most(1), true, &somebody()).unwrap_err();
    assert_eq!(refused.code(), "backup_needed");
    assert!(
        refused.to_string().contains(increment.id.as_str()),
        "{refused}"
    );

    // While it cannot be read, nobody knows what an increment builds on.
    let unknown = repository
        .path()
        .join("backups/29990101T000000Z-incremental-00000000.tar.gz");
    fs::write(&unknown, "damaged").unwrap();
    let now = Utc::now() + TimeDelta::seconds(5);
    let outcome = prune(&repository, &at_most(1), &somebody(), now).unwrap();
    assert_eq!(outcome.deleted, []);
    assert!(
        outcome
            .plan
            .warnings
            .iter()
            .any(|one| one.contains("29990101")),
        "{:?}",
        outcome.plan.warnings
    );
    fs::remove_file(&unknown).unwrap();

    delete(
        &repository,
        increment.id.as_str(),
        &at_most(1),
        true,
        &somebody(),
    )
    .unwrap();
    delete(&repository, base.as_str(), &at_most(1), true, &somebody()).unwrap();
    assert_eq!(site.ids(), []);
}
