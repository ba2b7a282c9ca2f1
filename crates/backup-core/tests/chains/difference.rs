//! What changed between two backups, full or not.

use std::fs;
use std::os::unix::fs::symlink;

use backup_core::{BackupRecord, Change, Difference, FileChange, OpenedBackup, diff};
use testkit::tree::{noise, set_mode, set_mtime};

use crate::store::Store;

#[track_caller]
fn difference(from: &BackupRecord, to: &BackupRecord) -> (Difference, Vec<String>) {
    let open = |record: &BackupRecord| OpenedBackup::open(&record.path).unwrap();
    let mut lines = Vec::new();
    let difference = diff(&open(from), &open(to), &mut |entry: FileChange| {
        let sign = match entry.change {
            Change::Added => "+",
            Change::Removed => "-",
            Change::Changed => "~",
        };
        lines.push(format!("{sign}{} {}", entry.path, entry.what.join(",")));
    });
    (difference.unwrap(), lines)
}

#[test]
fn files_that_differ_are_named_with_what_differs() {
    let store = Store::new();
    let docs = store.docs();
    for name in ["content", "gone", "kind", "mode", "mtime", "same"] {
        store.write(name, noise(1, 100));
        set_mtime(&docs.join(name), 1_600_000_000, 0);
    }
    symlink("here", docs.join("link")).unwrap();
    set_mtime(&docs, 1_600_000_000, 0);
    let full = store.full();
    store.write("content", noise(2, 100));
    set_mtime(&docs.join("content"), 1_600_000_000, 0);
    fs::remove_file(docs.join("gone")).unwrap();
    fs::remove_file(docs.join("kind")).unwrap();
    fs::create_dir(docs.join("kind")).unwrap();
    set_mode(&docs.join("mode"), 0o400);
    set_mtime(&docs.join("mtime"), 1_600_000_001, 0);
    fs::remove_file(docs.join("link")).unwrap();
    symlink("there", docs.join("link")).unwrap();
    store.write("new/file", "new");
    set_mtime(&docs, 1_600_000_000, 0);
    let increment = store.increment();
    let (difference_of_files, lines) = difference(&full, &increment);
    assert_eq!(
        lines,
        [
            "~files/docs/content content",
            "-files/docs/gone ",
            "~files/docs/kind kind",
            "~files/docs/link target,mtime",
            "~files/docs/mode mode",
            "~files/docs/mtime mtime",
            "+files/docs/new ",
            "+files/docs/new/file ",
        ]
    );
    let Difference {
        added,
        removed,
        changed,
        ..
    } = difference_of_files;
    assert_eq!((added, removed, changed), (2, 1, 5));
    assert!(!difference_of_files.same && difference_of_files.database.is_none());
    let (back, _) = difference(&increment, &full);
    assert_eq!((back.added, back.removed, back.changed), (1, 2, 5));
    // A full backup and an incremental one of the same state are the same.
    let (none, lines) = difference(&increment, &store.full());
    assert!(none.same, "{lines:?}");
}
