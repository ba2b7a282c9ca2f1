//! What an incremental backup stores, and what it refers to.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use backup_core::{Base, Explain, FileCount, IncrementalManifest, Status};
use proptest::prelude::*;
use testkit::tree::{noise, odd_tree, random_tree, set_mode, set_mtime};
use testkit::user::run_as_ordinary_user;

use crate::store::{Store, manifest};

#[track_caller]
fn changes(record: &backup_core::BackupRecord) -> IncrementalManifest {
    manifest(record).incremental.expect("an incremental backup")
}

#[test]
fn what_is_as_it_was_is_not_stored_again() {
    let store = Store::new();
    odd_tree(&store.docs());
    let full = store.full();
    let first = store.increment();
    let second = store.increment();
    assert_eq!(first.base, Some(full.id.clone()));
    assert_eq!(second.base, Some(first.id.clone()));
    assert_eq!(second.files, full.files);
    for record in [&first, &second] {
        let changes = changes(record);
        assert_eq!(changes.stored, FileCount::default());
        assert_eq!((changes.renamed, changes.deleted), (0, 0));
        // Directly the archive that has it, not one that refers to it.
        assert!(
            changes
                .holders
                .iter()
                .map(|holder| &holder.id)
                .eq([&full.id])
        );
        assert_eq!(record.status, Status::Complete);
        assert_eq!(record.bytes_read, 0);
        store.assert_holds_all(&record.path);
    }
}

#[test]
fn changes_renames_and_deletions_are_recorded() {
    let store = Store::new();
    for number in 0..10 {
        store.write(&format!("a/{number}"), noise(number, 2000));
    }
    store.write("big", noise(99, 3_000_000));
    store.write("huge", noise(98, 3_000_000));
    store.full();
    let docs = store.docs();
    set_mtime(&docs.join("a/8"), 1_600_000_000, 0);
    store.full();
    store.write("a/0", noise(50, 2000));
    store.write("a/1", "shorter");
    store.write("new", "new");
    fs::remove_file(docs.join("a/2")).unwrap();
    fs::rename(docs.join("a/8"), docs.join("0-renamed")).unwrap();
    fs::rename(docs.join("big"), docs.join("zz-renamed")).unwrap();
    let record = store.increment();
    let found = changes(&record);
    let stored = FileCount {
        files: 3,
        bytes: 2000 + 7 + 3,
    };
    assert_eq!(found.stored, stored);
    assert_eq!(record.bytes_read, stored.bytes);
    assert_eq!(found.referenced.files, 9);
    assert_eq!(found.deleted_files, ["files/docs/a/2"]);
    assert_eq!((found.renamed, found.deleted), (2, 1));
    let renamed: Vec<_> = found
        .renamed_files
        .iter()
        .map(|file| (file.from.as_str(), file.to.as_str()))
        .collect();
    assert_eq!(
        renamed,
        [
            ("files/docs/a/8", "files/docs/0-renamed"),
            ("files/docs/big", "files/docs/zz-renamed")
        ]
    );
    store.assert_holds_all(&record.path);
    // What was renamed stays where it is, however often its folder is renamed.
    fs::rename(docs.join("a"), docs.join("b")).unwrap();
    fs::rename(docs.join("zz-renamed"), docs.join("b/big")).unwrap();
    let record = store.increment();
    let found = changes(&record);
    assert_eq!(found.stored, FileCount::default());
    assert_eq!((found.renamed, found.deleted), (9, 0));
    store.assert_holds_all(&record.path);
}

#[test]
fn doubt_costs_time_and_not_space() {
    let store = Store::new();
    store.write("touched", noise(1, 2000));
    store.write("mode", noise(2, 2000));
    store.write("copied", noise(3, 3_000_000));
    store.write("same-times", noise(4, 2000));
    store.write("gone", noise(5, 2000));
    let docs = store.docs();
    set_mtime(&docs.join("same-times"), 1_600_000_000, 5);
    store.full();
    set_mtime(&docs.join("touched"), 1_700_000_000, 0);
    set_mode(&docs.join("mode"), 0o600);
    fs::copy(docs.join("copied"), store.path("copy")).unwrap();
    fs::rename(store.path("copy"), docs.join("copied")).unwrap();
    // Neither size nor mtime tells this one.
    store.write("same-times", noise(6, 2000));
    set_mtime(&docs.join("same-times"), 1_600_000_000, 5);
    fs::remove_file(docs.join("gone")).unwrap();
    symlink("elsewhere", docs.join("gone")).unwrap();
    let record = store.increment();
    let found = changes(&record);
    assert_eq!((found.stored.files, found.stored.bytes), (1, 2000));
    assert_eq!(found.referenced.files, 3);
    assert_eq!(found.deleted, 0);
    store.assert_holds_all(&record.path);
}

#[test]
fn hard_links_lose_and_gain_names() {
    let store = Store::new();
    let docs = store.docs();
    store.write("a", noise(1, 5000));
    fs::hard_link(docs.join("a"), docs.join("b")).unwrap();
    store.write("c", noise(2, 5000));
    store.full();
    fs::remove_file(docs.join("a")).unwrap();
    fs::hard_link(docs.join("c"), docs.join("0")).unwrap();
    let record = store.increment();
    assert_eq!(changes(&record).stored, FileCount::default());
    store.assert_holds_all(&record.path);
}

#[test]
fn a_base_is_chosen_or_named() {
    let store = Store::new();
    store.write("a", "a");
    let none = store.try_increment(Base::Newest).unwrap_err();
    assert_eq!(none.code(), "no_repository");
    let first = store.full();
    let second = store.full();
    assert_eq!(store.increment().base, Some(second.id));
    let named = store.try_increment(Base::Archive(first.path)).unwrap();
    assert_eq!(named.base, Some(first.id));
    // Of other roots it must be named.
    let mut options = store.options(backup_core::BackupKind::Incremental);
    let media = store.path("media");
    fs::create_dir(&media).unwrap();
    fs::write(media.join("b"), "b").unwrap();
    options.files.insert("media".to_owned(), media);
    let other = backup_core::create(&options, &backup_core::Silent).unwrap_err();
    assert!(other.to_string().contains("docs, media"), "{other}");
    options.base = Base::Archive(named.path);
    let record = backup_core::create(&options, &backup_core::Silent).unwrap();
    assert_eq!(changes(&record).stored.files, 1);
}

#[test]
fn a_backup_whose_archives_are_gone_is_no_base() {
    let store = Store::new();
    store.write("a", "a");
    let first = store.full();
    store.write("b", "b");
    let second = store.increment();
    fs::rename(&first.path, store.path("away")).unwrap();
    let error = store.try_increment(Base::Newest).unwrap_err();
    assert_eq!(error.code(), "no_base");
    let error = store.try_increment(Base::Archive(second.path)).unwrap_err();
    assert_eq!(error.code(), "unusable_base");
    assert!(error.to_string().contains(first.id.as_str()), "{error}");
}

#[test]
fn a_damaged_table_is_no_base() {
    let store = Store::new();
    for number in 0..2000 {
        store.write(&format!("{number}"), noise(number, 10));
    }
    let first = store.full();
    let len = fs::metadata(&first.path).unwrap().len();
    let mut bytes = fs::read(&first.path).unwrap();
    bytes[len as usize - 80_000] ^= 1;
    fs::write(&first.path, bytes).unwrap();
    let error = store.try_increment(Base::Archive(first.path)).unwrap_err();
    assert_eq!(error.code(), "unusable_base");
    let left: Vec<_> = fs::read_dir(store.repository().join("running"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_looked_at_is_not_deleted() {
    if !run_as_ordinary_user("increment::what_cannot_be_looked_at_is_not_deleted") {
        return;
    }
    let store = Store::new();
    store.write("a/1", "1");
    store.write("a/b/2", "2");
    store.write("c", "3");
    store.full();
    set_mode(&store.docs().join("a"), 0);
    let record = store.increment();
    set_mode(&store.docs().join("a"), 0o700);
    assert_eq!(record.status, Status::Partial);
    assert_eq!(changes(&record).deleted, 0);
    // A partial backup is built on only where there is no complete one; what it lacks is stored then.
    let again = store.try_increment(Base::Archive(record.path)).unwrap();
    assert_eq!(again.status, Status::Complete);
    assert_eq!(changes(&again).stored.files, 2);
    store.assert_holds_all(&again.path);
}

#[test]
fn paranoia_reads_what_seems_unchanged() {
    let store = Store::new();
    store.write("a", noise(1, 2000));
    store.full();
    let mut options = store.options(backup_core::BackupKind::Incremental);
    options.paranoid = true;
    let record = backup_core::create(&options, &backup_core::Silent).unwrap();
    assert_eq!(changes(&record).stored, FileCount::default());
    store.assert_holds_all(&record.path);
}

/// Changes about every third of the files in some way.
fn shuffle(root: &Path, seed: u64) {
    let mut picks = noise(seed, 4096).into_iter().cycle();
    let mut pick = move || picks.next().unwrap();
    for (index, path) in files_below(root).into_iter().enumerate() {
        let beside = path.with_file_name(format!("moved-{seed}-{index}"));
        match pick() % 15 {
            0 => fs::remove_file(&path).unwrap(),
            1 => fs::rename(&path, &beside).unwrap(),
            2 => set_mode(&path, 0o400 | u32::from(pick())),
            3 => {
                fs::copy(&path, &beside).unwrap();
            }
            4 => {
                let len = fs::metadata(&path).unwrap().len() as usize;
                fs::remove_file(&path).unwrap();
                fs::write(&path, noise(seed + index as u64, len.min(100_000))).unwrap();
            }
            5 => fs::hard_link(&path, &beside).unwrap(),
            _ => {}
        }
    }
    let folder = root.join(format!("folder-{seed}"));
    fs::create_dir(&folder).unwrap();
    File::create(folder.join("empty")).unwrap();
    random_tree(&folder, seed, 10);
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_happens_the_chain_brings_it_back(seed in any::<u64>(), steps in 1_u64..4) {
        let store = Store::new();
        random_tree(&store.docs(), seed, 60);
        store.write("always", "there");
        store.full();
        for step in 0..steps {
            shuffle(&store.docs(), seed.wrapping_add(step));
            let record = store.increment();
            store.assert_holds_all(&record.path);
        }
    }
}
