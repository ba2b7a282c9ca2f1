//! Archives that refer to others: read, checked and extracted as one; what a missing or damaged one costs is named.

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use backup_archive::extract::{ExtractOptions, FailReason, Folder, Selection, extract};
use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, Chain, Damage, Entry, FileOutcome, HeldContent,
    Location, OrderedReader, ReadError, WriteObserver, WriterOptions,
};
use bytes::Bytes;
use common::*;

const BASE: &[u8] = b"base";

/// A base archive, and one that refers to it: `d/01` to `d/09` as they were, `e/new` renamed from `d/00`, `d/zz` new.
struct Scene {
    base: Bytes,
    increment: Bytes,
    contents: BTreeMap<ArchivePath, Bytes>,
}

fn content(number: usize) -> Bytes {
    match number % 3 {
        0 => noise(number as u64, 3_000_000).into(),
        1 => text(number as u64, 40_000).into(),
        _ => Bytes::new(),
    }
}

fn base_entries() -> Vec<Given> {
    (0..10)
        .map(|number| Given::file(format!("d/{number:02}"), content(number)))
        .collect()
}

fn scene() -> Scene {
    let given = base_entries();
    let base = write(ALL_COMPRESSIONS[0], &given);
    let reader = open(&base).unwrap();
    let sink = MemorySink::default();
    let mut writer = ArchiveWriter::new(sink.clone(), options(ALL_COMPRESSIONS[1], 2)).unwrap();
    let mut contents = BTreeMap::new();
    for entry in reader.entries().map(Result::unwrap).skip(1) {
        contents.insert(entry.path.clone(), content(contents.len() + 1));
        writer.append_reference(entry, BASE).unwrap();
    }
    append_all(&mut writer, &[Given::file("d/zz", "new")]).unwrap();
    contents.insert(path("d/zz"), "new".into());
    let renamed = Entry {
        path: path("e/new"),
        location: Location::Elsewhere {
            archive: 7,
            stored_as: Some(path("d/00")),
        },
        ..reader.find(&path("d/00")).unwrap().unwrap()
    };
    writer.append_reference(renamed, BASE).unwrap();
    contents.insert(path("e/new"), content(0));
    assert_eq!(writer.archives(), [BASE]);
    writer.finish().unwrap();
    let increment = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    Scene {
        base,
        increment,
        contents,
    }
}

impl Scene {
    fn chain(&self, base: Option<&Bytes>) -> Chain {
        let base = base.map(|base| {
            let source = Arc::new(base.clone());
            Arc::new(
                ArchiveReader::open_or_scan(source, backup_archive::Limits::default()).unwrap(),
            )
        });
        Chain::new(Arc::new(open(&self.increment).unwrap()), |id| {
            assert_eq!(id, BASE);
            base.clone()
        })
    }

    fn read(&self, chain: &Chain) -> ReadBack {
        let collector = Collector::default();
        let flow = chain
            .read_entries(&mut |_| true, jobs(3), &collector)
            .unwrap();
        assert_eq!(flow, ControlFlow::Continue(()));
        (
            collector.intact.into_inner().unwrap(),
            collector.damaged.into_inner().unwrap(),
        )
    }
}

#[test]
fn a_chain_reads_like_one_archive() {
    let scene = scene();
    let chain = scene.chain(Some(&scene.base));
    let (intact, damaged) = scene.read(&chain);
    assert_eq!(damaged, BTreeMap::new());
    let read: BTreeMap<_, Bytes> = intact
        .iter()
        .map(|(path, (_, content))| (path.clone(), content.clone().into()))
        .collect();
    assert!(read == scene.contents);
    assert_eq!(chain.check_links().unwrap(), (10, Vec::new()));
    for entry in chain.archive().entries().map(Result::unwrap) {
        let (archive, held) = chain.resolve(&entry).unwrap();
        let bytes = archive.read_bytes(&held, held.size).unwrap();
        assert!(bytes == scene.contents[&entry.path], "{}", entry.path);
    }
    let folder = tempfile::tempdir().unwrap();
    let target = Folder::open(folder.path()).unwrap();
    let stats = extract(
        &chain,
        &target,
        &Selection::all(),
        &ExtractOptions::default(),
        &(),
    )
    .unwrap();
    assert!(stats.failed.is_empty(), "{:?}", stats.failed);
    assert_eq!(stats.files, 11);
    for (path, content) in &scene.contents {
        let on_disk = std::fs::read(folder.path().join(path.to_string())).unwrap();
        assert!(on_disk == *content, "{path}");
    }
}

#[test]
fn a_missing_archive_costs_what_it_holds() {
    let scene = scene();
    let chain = scene.chain(None);
    let (intact, damaged) = scene.read(&chain);
    assert_eq!(intact.keys().collect::<Vec<_>>(), [&path("d/zz")]);
    let missing = Damage::ArchiveMissing {
        archive: "base".to_owned(),
    };
    assert_eq!(damaged.len(), 10);
    assert!(damaged.values().all(|damage| *damage == missing));
    let (count, broken) = chain.check_links().unwrap();
    assert_eq!((count, broken.len()), (10, 10));
    let folder = tempfile::tempdir().unwrap();
    let target = Folder::open(folder.path()).unwrap();
    let options = ExtractOptions::default();
    let stats = extract(&chain, &target, &Selection::all(), &options, &()).unwrap();
    assert_eq!((stats.files, stats.failed.len()), (1, 10));
    assert!(
        stats.failed.iter().all(
            |entry| matches!(&entry.reason, FailReason::Damaged(damage) if *damage == missing)
        )
    );
}

#[test]
fn another_archive_of_the_same_name_is_no_substitute() {
    let scene = scene();
    let mut given = base_entries();
    given[1] = Given::file("d/01", text(99, 40_000));
    given.remove(4);
    given.remove(0);
    let chain = scene.chain(Some(&write(ALL_COMPRESSIONS[0], &given)));
    let other = [path("d/01"), path("d/04"), path("e/new")];
    let (intact, damaged) = scene.read(&chain);
    assert_eq!(intact.len(), 8);
    assert!(damaged.keys().eq(&other), "{damaged:?}");
    let not_there = Damage::NotInArchive {
        archive: "base".to_owned(),
    };
    assert!(damaged.values().all(|damage| *damage == not_there));
    let (_, broken) = chain.check_links().unwrap();
    assert!(broken.iter().map(|entry| &entry.path).eq(&other));
    let entry = chain.archive().find(&other[0]).unwrap().unwrap();
    assert!(matches!(
        chain.read(&entry).map(drop),
        Err(ReadError::Damaged { damage, .. }) if damage == not_there
    ));
}

#[test]
fn a_damaged_archive_costs_the_entries_that_are_hit() {
    let scene = scene();
    let chain = scene.chain(Some(&scene.base));
    let hit = chain.archive().find(&path("d/03")).unwrap().unwrap();
    let (_, held) = chain.resolve(&hit).unwrap();
    let needle = &content(3)[1_500_000..1_500_064];
    let at = scene
        .base
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    let mut base = scene.base.to_vec();
    base[at] ^= 1;
    let chain = scene.chain(Some(&base.into()));
    let (intact, damaged) = scene.read(&chain);
    assert_eq!(damaged.keys().collect::<Vec<_>>(), [&hit.path]);
    assert_eq!(intact.len(), 10);
    let costs = chain.references_to(0, &[held.path]).unwrap();
    assert_eq!(costs, [hit]);
}

#[test]
fn an_archive_without_its_table_still_gives_its_contents_and_they_are_checked() {
    let scene = scene();
    let cut = scene.base.slice(..scene.base.len() - 200);
    let chain = scene.chain(Some(&cut));
    let (intact, damaged) = scene.read(&chain);
    assert_eq!((intact.len(), damaged.len()), (11, 0));
    // The same lengths, other contents: only the digest of the reference can tell.
    let mut given = base_entries();
    given[1] = Given::file("d/01", text(99, 40_000));
    given[3] = Given::file("d/03", noise(99, 3_000_000));
    let other = write(ALL_COMPRESSIONS[0], &given);
    let chain = scene.chain(Some(&other.slice(..other.len() - 200)));
    let (intact, damaged) = scene.read(&chain);
    assert_eq!(intact.len(), 9);
    assert!(damaged.keys().eq(&[path("d/01"), path("d/03")]));
    assert!(damaged.values().all(|damage| *damage == Damage::Content));
}

#[test]
fn one_after_the_other_gives_the_same_in_any_order() {
    let given: Vec<Given> = (0..400)
        .map(|number| {
            let len = if number == 50 { 3_000_000 } else { number * 37 };
            Given::file(format!("{number:03}"), text(number as u64, len))
        })
        .collect();
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        let reader = open(&archive).unwrap();
        let mut ordered = OrderedReader::new(&reader);
        let order = (0..400).chain((0..400).rev()).chain([7, 300, 50, 8]);
        for number in order {
            let entry = reader.find(&given[number].path).unwrap().unwrap();
            assert!(ordered.read(&entry).unwrap() == given[number].content);
        }
    }
}

#[derive(Default)]
struct Outcomes(Mutex<Vec<(String, String)>>);

impl WriteObserver for Outcomes {
    fn file(&self, path: &ArchivePath, size: u64, outcome: FileOutcome) {
        let told = format!("{size} {outcome:?}");
        self.0.lock().unwrap().push((path.to_string(), told));
    }
}

#[test]
fn what_is_held_already_is_not_written_again() {
    let scene = scene();
    let base = open(&scene.base).unwrap();
    let outcomes = Arc::new(Outcomes::default());
    let sink = MemorySink::default();
    let mut writer = ArchiveWriter::new(
        sink.clone(),
        WriterOptions {
            observer: outcomes.clone(),
            ..options(ALL_COMPRESSIONS[0], 2)
        },
    )
    .unwrap();
    let held = |name: &str, stored_as: Option<&str>| {
        let entry = base
            .find(&path(stored_as.unwrap_or(name)))
            .unwrap()
            .unwrap();
        HeldContent {
            size: entry.size,
            digest: entry.digest.unwrap(),
            archive: BASE.to_vec(),
            stored_as: stored_as.map(path),
        }
    };
    let mut append = |name: &str, content: Bytes, held: HeldContent| {
        let source = ShortReads {
            metadata: metadata(),
            content,
        };
        writer
            .append_unless_held(&path(name), source, held)
            .unwrap();
    };
    append("d/01", content(1), held("d/01", None));
    append("d/03", content(3), held("d/03", None));
    append("d/04", text(99, 40_000).into(), held("d/04", None));
    append("d/06", noise(99, 3_000_000).into(), held("d/06", None));
    append("d/07", "shorter".into(), held("d/07", None));
    append("e/00", content(0), held("e/00", Some("d/00")));
    writer.finish().unwrap();
    let increment: Bytes = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    let told = std::mem::take(&mut *outcomes.0.lock().unwrap());
    let expected = [
        ("d/01", "40000 Held { archive: 0, renamed: false }"),
        ("d/03", "3000000 Held { archive: 0, renamed: false }"),
        ("d/04", "40000 Captured"),
        ("d/06", "3000000 Captured"),
        ("d/07", "7 Captured"),
        ("e/00", "3000000 Held { archive: 0, renamed: true }"),
    ];
    assert!(
        told.iter()
            .map(|(path, outcome)| (path.as_str(), outcome.as_str()))
            .eq(expected),
        "{told:?}"
    );
    let reader = open(&increment).unwrap();
    let (intact, damaged) = read_all(&reader, 2).unwrap();
    assert!(
        intact
            .keys()
            .eq(&[path("d/04"), path("d/06"), path("d/07")])
    );
    assert_eq!(damaged.len(), 0);
    let chain = Chain::new(Arc::new(reader), |_| {
        Some(Arc::new(open(&scene.base).unwrap()))
    });
    assert_eq!(chain.check_links().unwrap(), (3, Vec::new()));
    let (intact, damaged) = scene.read(&chain);
    assert_eq!((intact.len(), damaged.len()), (6, 0));
    assert!(intact[&path("e/00")].1 == content(0));
}
