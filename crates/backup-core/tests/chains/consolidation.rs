//! One full backup made of a chain.

use std::fs;

use backup_core::{
    BackupKind, BackupRecord, Base, Compression, ConsolidateError, ConsolidateOptions, Destination,
    Explain, Silent, Status, consolidate,
};
use testkit::tree::{noise, odd_tree, random_tree};

use crate::store::{Store, manifest};

fn options(store: &Store, source: &BackupRecord) -> ConsolidateOptions {
    ConsolidateOptions::new(&source.path, Destination::Repository(store.repository()))
}

#[test]
fn it_holds_the_same_without_the_chain() {
    let store = Store::new();
    odd_tree(&store.docs());
    fs::create_dir(store.docs().join("random")).unwrap();
    random_tree(&store.docs().join("random"), 7, 100);
    store.write("huge", noise(1, 5_000_000));
    let full = store.full();
    fs::rename(store.docs().join("huge"), store.docs().join("renamed")).unwrap();
    store.write("new", noise(2, 2_000_000));
    let first = store.increment();
    store.write("newer", "text");
    let second = store.increment();
    for compression in [
        Compression::default(),
        Compression::Zstd { level: 3 },
        Compression::None,
    ] {
        let mut options = options(&store, &second);
        options.compression = compression;
        let record = consolidate(&options, &Silent).unwrap();
        assert_eq!(
            (record.kind, record.status),
            (BackupKind::Files, Status::Complete)
        );
        assert_eq!((record.base.clone(), record.files), (None, second.files));
        assert_eq!(record.created_at, second.created_at);
        let made_of = manifest(&record).consolidated.unwrap();
        assert_eq!(
            (made_of.from, made_of.database_from),
            (second.id.clone(), None)
        );
        let alone = store.path(&format!("alone.{}", record.id));
        fs::create_dir(&alone).unwrap();
        let alone = alone.join(record.path.file_name().unwrap());
        fs::copy(&record.path, &alone).unwrap();
        store.assert_holds_all(&alone);
        fs::remove_file(&record.path).unwrap();
    }
    let record = consolidate(&options(&store, &second), &Silent).unwrap();
    for gone in [full, first, second] {
        fs::remove_file(gone.path).unwrap();
    }
    store.assert_holds_all(&record.path);
    // It can be built on like any other.
    let next = store.try_increment(Base::Archive(record.path)).unwrap();
    assert_eq!(next.bytes_read, 0);
    store.assert_holds_all(&next.path);
}

#[test]
fn a_broken_chain_is_not_consolidated() {
    let store = Store::new();
    store.write("a", noise(1, 9000));
    let full = store.full();
    store.write("b", noise(2, 9000));
    let second = store.increment();
    let error = consolidate(&options(&store, &full), &Silent).unwrap_err();
    assert!(
        matches!(error, ConsolidateError::NotIncremental { .. }),
        "{error}"
    );
    let mut bytes = fs::read(&full.path).unwrap();
    bytes[4000] ^= 1;
    fs::write(&full.path, &bytes).unwrap();
    let error = consolidate(&options(&store, &second), &Silent).unwrap_err();
    assert_eq!(error.code(), "chain_broken");
    assert!(error.to_string().contains("files/docs/a"), "{error}");
    fs::remove_file(&full.path).unwrap();
    let error = consolidate(&options(&store, &second), &Silent).unwrap_err();
    assert!(error.to_string().contains(full.id.as_str()), "{error}");
    let archives = fs::read_dir(store.repository().join("backups")).unwrap();
    let archives: Vec<_> = archives
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "gz"))
        .collect();
    assert_eq!(archives, [second.path]);
    assert_eq!(
        fs::read_dir(store.repository().join("running"))
            .unwrap()
            .count(),
        0
    );
}
