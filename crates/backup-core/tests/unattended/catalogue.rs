//! The records can be made anew, and what a newer program made is left alone.

use std::fs;

use backup_core::{Explain, Repository, RepositoryError};

use crate::site::{Site, somebody};

#[test]
fn records_are_made_anew_from_archives_alone() {
    let site = Site::new();
    let kept = site.create_for("daily");
    let damaged = site.create();
    let gone = site.create();
    let repository = site.repository();
    let beside = |id: &backup_core::BackupId, ending: &str| {
        repository.path().join(format!("backups/{id}{ending}"))
    };
    fs::write(beside(&damaged.id, ".toml"), "status = ").unwrap();
    fs::remove_file(beside(&gone.id, ".tar.gz")).unwrap();
    // Not ours: it stays.
    let notes = repository.path().join("backups/notes.toml");
    fs::write(&notes, "by hand").unwrap();
    assert_eq!(repository.list().unwrap().unreadable.len(), 1);

    let rebuilt = repository.rebuild(&somebody()).unwrap();
    assert_eq!(rebuilt.written, std::slice::from_ref(&damaged.id));
    assert_eq!(rebuilt.unchanged, 1);
    assert_eq!(
        rebuilt.removed,
        [
            beside(&gone.id, ".tar.gz.sha256"),
            beside(&gone.id, ".toml")
        ]
    );
    assert!(notes.exists());
    let listed = repository.list().unwrap();
    assert!(listed.unreadable.is_empty());
    let of = |id: &backup_core::BackupId| {
        let found = listed.backups.iter().find(|record| record.id == *id);
        found.unwrap()
    };
    assert_eq!(of(&kept.id).duration_ms, kept.duration_ms);
    let again = of(&damaged.id);
    assert_eq!(
        (again.sha256.as_ref(), again.files, again.bytes_stored),
        (damaged.sha256.as_ref(), damaged.files, damaged.bytes_stored)
    );
    let last = site.noted().pop().unwrap();
    assert_eq!(last, "catalogue-rebuild  success");

    let rebuilt = repository.rebuild(&somebody()).unwrap();
    assert_eq!((rebuilt.written.len(), rebuilt.unchanged), (0, 2));
}

#[test]
fn a_repository_of_a_newer_program_is_refused_and_an_older_one_works() {
    let site = Site::new();
    let record = site.create();
    let marker = site.path("backups/repository.toml");
    fs::write(&marker, "repository_version = 2\nsomething = \"new\"\n").unwrap();
    let refused = Repository::open(site.path("backups")).unwrap_err();
    assert!(matches!(refused, RepositoryError::Newer { found: 2, .. }));
    assert_eq!(refused.code(), "repository_newer");
    assert_eq!(site.try_create().unwrap_err().code(), "repository_newer");

    // As the first version left it: without the folders and the fields that came later.
    fs::write(&marker, "repository_version = 1\n").unwrap();
    fs::remove_dir_all(site.path("backups/running")).unwrap();
    let path = record.path.with_file_name(format!("{}.toml", record.id));
    let old: String = fs::read_to_string(&path)
        .unwrap()
        .split("[audit]")
        .next()
        .unwrap()
        .to_owned();
    fs::write(&path, old).unwrap();
    assert_eq!(site.ids(), std::slice::from_ref(&record.id));
    let second = site.create();
    assert_eq!(site.ids().len(), 2);
    assert_ne!(second.id, record.id);
}
