//! What goes wrong while an archive is written: files that change, vanish or cannot be read; sinks that fail; sources that panic.

mod common;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use backup_archive::{
    ArchivePath, ArchiveWriter, Compression, EntryKind, FileOutcome, FileSink, FileSource,
    MAX_ATTEMPTS, Metadata, OpenFile, ReadError, Sink, SinkStats, VerifyOptions, WriteError,
    WriteObserver, WriterOptions,
};
use bytes::Bytes;
use common::*;
use sha2::Digest as _;

const LARGE: usize = 3 << 20;

/// What happens at one opening of a file.
#[derive(Clone)]
enum Opening {
    /// It has this content, and did not change.
    Stable(Vec<u8>),
    /// It changed while it was read.
    Changing(Vec<u8>),
    /// It has fewer bytes than it said.
    Shrunk { size: usize, content: Vec<u8> },
    /// Reading fails after so many bytes.
    Breaks(Vec<u8>),
    /// It cannot be opened.
    Fails(io::ErrorKind),
}

struct Scripted {
    size_hint: usize,
    openings: VecDeque<Opening>,
}

impl Scripted {
    fn new(size_hint: usize, openings: impl IntoIterator<Item = Opening>) -> Self {
        Self {
            size_hint,
            openings: openings.into_iter().collect(),
        }
    }
}

impl FileSource for Scripted {
    fn size_hint(&self) -> u64 {
        self.size_hint as u64
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        let opening = self
            .openings
            .pop_front()
            .expect("not opened more often than foreseen");
        let (size, content, unchanged, breaks) = match opening {
            Opening::Stable(content) => (content.len(), content, true, false),
            Opening::Changing(content) => (content.len(), content, false, false),
            Opening::Shrunk { size, content } => (size, content, false, false),
            Opening::Breaks(content) => (content.len() * 2, content, true, true),
            Opening::Fails(kind) => return Err(kind.into()),
        };
        let content = OpenContent {
            metadata: metadata(),
            size: size as u64,
            rest: content.into(),
            step: 1,
            unchanged,
        };
        Ok(if breaks {
            Box::new(Breaking(content))
        } else {
            Box::new(content)
        })
    }
}

/// Fails where another file would end.
struct Breaking(OpenContent);

impl Read for Breaking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk has a scratch")),
            len => Ok(len),
        }
    }
}

impl OpenFile for Breaking {
    fn metadata(&self) -> &Metadata {
        self.0.metadata()
    }

    fn size(&self) -> u64 {
        self.0.size
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

#[derive(Default)]
struct Outcomes(Mutex<Vec<(ArchivePath, u64, String)>>);

impl WriteObserver for Outcomes {
    fn file(&self, path: &ArchivePath, size: u64, outcome: FileOutcome) {
        let text = match outcome {
            FileOutcome::Unreadable(error) => format!("unreadable: {error}"),
            other => format!("{other:?}").to_lowercase(),
        };
        self.0.lock().unwrap().push((path.clone(), size, text));
    }
}

/// Writes one scripted file between two others; what was told of it, and what is in the archive of it.
fn write_scripted(compression: Compression, source: Scripted) -> (String, Option<Vec<u8>>) {
    let outcomes = Arc::new(Outcomes::default());
    let sink = MemorySink::default();
    let observer: Arc<dyn WriteObserver> = Arc::clone(&outcomes) as _;
    let mut writer = ArchiveWriter::new(
        sink.clone(),
        WriterOptions {
            observer,
            ..options(compression, 2)
        },
    )
    .unwrap();
    let neighbours = [
        Given::file("a", noise(8, 70_000)),
        Given::file("c", text(9, 70_000)),
    ];
    append_all(&mut writer, &neighbours[..1]).unwrap();
    writer.append_file(&path("b"), source).unwrap();
    append_all(&mut writer, &neighbours[1..]).unwrap();
    writer.finish().unwrap();
    let archive: Bytes = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    let reader = open(&archive).unwrap();
    assert_eq!(
        reader
            .verify(&VerifyOptions::default(), &())
            .unwrap()
            .damaged,
        []
    );
    let (mut intact, damaged) = read_all(&reader, 2).unwrap();
    assert!(damaged.is_empty());
    for neighbour in &neighbours {
        assert!(intact.remove(&neighbour.path).unwrap().1 == neighbour.content);
    }
    let told = outcomes
        .0
        .lock()
        .unwrap()
        .iter()
        .find(|told| told.0 == path("b"))
        .cloned()
        .unwrap();
    let content = intact.remove(&path("b")).map(|(_, content)| content);
    assert_eq!(told.1, content.as_ref().map_or(0, Vec::len) as u64);
    assert!(intact.is_empty());
    (told.2, content)
}

/// Every script, for a file that is packed with others and for one that is written in parts.
fn for_both_sizes(
    script: impl Fn(&dyn Fn(u64) -> Vec<u8>) -> Vec<Opening>,
    outcome: &str,
    content: impl Fn(&dyn Fn(u64) -> Vec<u8>) -> Option<Vec<u8>>,
) {
    for compression in [Compression::default(), Compression::None] {
        for len in [5000, LARGE] {
            let version = |seed: u64| noise(seed, len);
            let source = Scripted::new(len, script(&version));
            let (told, found) = write_scripted(compression, source);
            assert_eq!(told, outcome, "{len} bytes");
            assert!(found == content(&version), "{len} bytes");
        }
    }
}

#[test]
fn a_file_that_changed_is_read_again() {
    for_both_sizes(
        |version| vec![Opening::Changing(version(1)), Opening::Stable(version(2))],
        "captured",
        |version| Some(version(2)),
    );
}

#[test]
fn a_file_that_keeps_changing_is_taken_and_told() {
    for_both_sizes(
        |version| {
            (1..=MAX_ATTEMPTS)
                .map(|attempt| Opening::Changing(version(attempt.into())))
                .collect()
        },
        "changed",
        |version| Some(version(MAX_ATTEMPTS.into())),
    );
}

#[test]
fn a_file_that_shrinks_is_filled_with_zeros() {
    let shrunk = |content: Vec<u8>| Opening::Shrunk {
        size: content.len(),
        content: content[..content.len() / 3].to_vec(),
    };
    for_both_sizes(
        |version| vec![shrunk(version(1)), shrunk(version(2)), shrunk(version(3))],
        "changed",
        |version| {
            let mut content = version(3);
            let end = content.len() / 3;
            content[end..].fill(0);
            Some(content)
        },
    );
}

#[test]
fn a_file_that_vanished_is_left_out() {
    for_both_sizes(
        |_| vec![Opening::Fails(io::ErrorKind::NotFound)],
        "vanished",
        |_| None,
    );
    for_both_sizes(
        |version| {
            vec![
                Opening::Changing(version(1)),
                Opening::Fails(io::ErrorKind::NotFound),
            ]
        },
        "vanished",
        |_| None,
    );
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_left_out() {
    for_both_sizes(
        |version| vec![Opening::Breaks(version(1))],
        "unreadable: the disk has a scratch",
        |_| None,
    );
    for_both_sizes(
        |_| vec![Opening::Fails(io::ErrorKind::PermissionDenied)],
        "unreadable: permission denied",
        |_| None,
    );
}

#[test]
fn a_file_that_grew_beyond_a_member_meanwhile_is_captured() {
    // The first opening finds out that it is large; the others are those of large files.
    let first = Opening::Stable(noise(3, LARGE));
    for len in [LARGE, 20 << 20] {
        let content = noise(1, len);
        for script in [
            vec![first.clone(), Opening::Stable(content.clone())],
            vec![
                first.clone(),
                Opening::Changing(noise(2, LARGE)),
                Opening::Stable(content.clone()),
            ],
        ] {
            let (told, found) = write_scripted(Compression::default(), Scripted::new(10, script));
            assert_eq!(told, "captured");
            assert!(found.as_ref() == Some(&content));
        }
    }
}

#[test]
fn a_large_file_that_became_small_or_empty_is_captured() {
    for content in [noise(1, 10), Vec::new()] {
        let (told, found) = write_scripted(
            Compression::default(),
            Scripted::new(LARGE, [Opening::Stable(content.clone())]),
        );
        assert_eq!(told, "captured");
        assert!(found == Some(content));
    }
}

#[test]
fn a_hard_link_to_a_lost_file_is_told() {
    let outcomes = Arc::new(Outcomes::default());
    let observer: Arc<dyn WriteObserver> = Arc::clone(&outcomes) as _;
    let options = WriterOptions {
        observer,
        ..options(Compression::default(), 2)
    };
    let mut writer = ArchiveWriter::new(MemorySink::default(), options).unwrap();
    writer
        .append_file(
            &path("a"),
            Scripted::new(10, [Opening::Fails(io::ErrorKind::NotFound)]),
        )
        .unwrap();
    // A large entry in between: the link is in another unit than its target.
    append_all(&mut writer, &[Given::file("b", noise(1, LARGE))]).unwrap();
    writer
        .append_special(
            &path("c"),
            EntryKind::HardLink { target: path("a") },
            &metadata(),
        )
        .unwrap();
    writer.finish().unwrap();
    let told = outcomes.0.lock().unwrap();
    assert!(told.contains(&(path("a"), 0, "vanished".into())));
    assert!(told.contains(&(path("c"), 0, "vanished".into())));
}

#[test]
fn entries_that_no_header_can_hold_are_refused() {
    let mut writer = ArchiveWriter::new(MemorySink::default(), WriterOptions::default()).unwrap();
    let mut refused = |path: &ArchivePath, kind: EntryKind, metadata: &Metadata| {
        let result = writer.append_special(path, kind, metadata);
        assert!(matches!(result, Err(WriteError::Entry { .. })), "{path}");
    };
    let link = |target: &[u8]| EntryKind::Symlink {
        target: target.to_vec(),
    };
    refused(&path("a"), link(b""), &metadata());
    refused(&path("a"), link(b"a\0b"), &metadata());
    refused(&path("a"), link(&[b'a'; 70_000]), &metadata());
    refused(&path("a".repeat(70_000)), EntryKind::Directory, &metadata());
    refused(
        &path(backup_archive::CONTENTS_PATH),
        EntryKind::Directory,
        &metadata(),
    );
    refused(
        &path("a"),
        EntryKind::Directory,
        &Metadata {
            mode: 0o10000,
            ..metadata()
        },
    );
    refused(
        &path("a"),
        EntryKind::Directory,
        &Metadata {
            user: b"a\0b".to_vec(),
            ..metadata()
        },
    );
    refused(
        &path("a"),
        EntryKind::Directory,
        &Metadata {
            xattrs: vec![(b"user.a".to_vec(), vec![0; 1 << 20])],
            ..metadata()
        },
    );
    assert!(matches!(
        ArchiveWriter::new(
            MemorySink::default(),
            options(Compression::Gzip { level: 0 }, 1)
        )
        .map(drop),
        Err(WriteError::Option(_))
    ));
}

/// Fails at one of its calls, as a full disk does.
struct FullDisk {
    calls_left: usize,
    used: Arc<AtomicUsize>,
    bytes: Vec<u8>,
}

impl FullDisk {
    fn new(calls: usize) -> Self {
        Self {
            calls_left: calls,
            used: Arc::default(),
            bytes: Vec::new(),
        }
    }

    fn call(&mut self) -> io::Result<()> {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.calls_left = self
            .calls_left
            .checked_sub(1)
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl Sink for FullDisk {
    type Mark = usize;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        pieces
            .iter()
            .for_each(|piece| self.bytes.extend_from_slice(piece));
        self.call()
    }

    fn mark(&mut self) -> io::Result<usize> {
        self.call()?;
        Ok(self.bytes.len())
    }

    fn rewind(&mut self, mark: usize) -> io::Result<()> {
        self.bytes.truncate(mark);
        self.call()
    }

    fn finish(mut self) -> io::Result<SinkStats> {
        self.call()?;
        Ok(SinkStats::default())
    }
}

fn write_to_disk(disk: FullDisk, job_count: usize) -> Result<(), WriteError> {
    let mut writer = ArchiveWriter::new(disk, options(Compression::default(), job_count)).unwrap();
    for index in 0..3 {
        append_all(
            &mut writer,
            &[Given::file(format!("{index} small"), text(index, 900_000))],
        )?;
        let script = [
            Opening::Changing(text(1, LARGE)),
            Opening::Stable(text(2, LARGE)),
        ];
        writer.append_file(
            &path(format!("{index} large")),
            Scripted::new(LARGE, script),
        )?;
    }
    writer.finish().map(drop)
}

#[test]
fn a_full_disk_ends_the_archive_at_once() {
    for job_count in [1, 3] {
        let disk = FullDisk::new(usize::MAX);
        let used = Arc::clone(&disk.used);
        write_to_disk(disk, job_count).unwrap();
        let calls = used.load(Ordering::Relaxed);
        assert!(calls > 30, "{calls} calls");
        for call in 0..calls {
            match write_to_disk(FullDisk::new(call), job_count) {
                Err(WriteError::Sink(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull)
                }
                other => panic!("call {call} of {calls}: {other:?}"),
            }
        }
    }
}

#[test]
fn after_a_failure_nothing_more_is_written() {
    let mut writer =
        ArchiveWriter::new(FullDisk::new(0), options(Compression::default(), 2)).unwrap();
    let given = [Given::file("a", noise(1, LARGE))];
    while append_all(&mut writer, &given).is_ok() {}
    assert!(matches!(
        append_all(&mut writer, &given),
        Err(WriteError::Abandoned)
    ));
    assert!(matches!(writer.finish(), Err(WriteError::Abandoned)));
}

struct Panics;

impl FileSource for Panics {
    fn size_hint(&self) -> u64 {
        10
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        panic!("a defect in a file source");
    }
}

#[test]
fn a_panic_in_a_worker_is_an_error() {
    for job_count in [1, 3] {
        let mut writer = ArchiveWriter::new(
            MemorySink::default(),
            options(Compression::default(), job_count),
        )
        .unwrap();
        writer.append_file(&path("a"), Panics).unwrap();
        let given = [
            Given::file("b", noise(1, LARGE)),
            Given::file("c", noise(1, LARGE)),
        ];
        let result = append_all(&mut writer, &given).and_then(|()| writer.finish());
        assert!(matches!(result, Err(WriteError::WorkerDied)), "{result:?}");
    }
}

#[test]
fn an_abandoned_archive_is_none_and_holds_no_threads() {
    let sink = MemorySink::default();
    let mut writer = ArchiveWriter::new(sink.clone(), options(Compression::default(), 2)).unwrap();
    append_all(
        &mut writer,
        &[
            Given::file("a", noise(1, LARGE)),
            Given::file("b", noise(1, LARGE)),
        ],
    )
    .unwrap();
    drop(writer);
    assert_eq!(Arc::strong_count(&sink.0), 1);
    let archive: Bytes = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    assert!(matches!(
        open(&archive).map(drop),
        Err(ReadError::NoFooter | ReadError::NotAnArchive)
    ));
}

#[test]
fn a_file_sink_hashes_what_is_in_the_file() {
    for sha256 in [true, false] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before").unwrap();
        let sink = FileSink::new(file.try_clone().unwrap(), sha256).unwrap();
        let mut writer = ArchiveWriter::new(sink, options(Compression::default(), 2)).unwrap();
        // One that has to be written twice: the sink goes back.
        let script = [
            Opening::Changing(noise(1, LARGE)),
            Opening::Stable(noise(2, LARGE)),
        ];
        writer
            .append_file(&path("a"), Scripted::new(LARGE, script))
            .unwrap();
        append_all(&mut writer, &[Given::file("b", text(1, LARGE))]).unwrap();
        let stats = writer.finish().unwrap();
        let archive = content_after(&mut file, 6);
        assert_eq!(stats.stored.bytes, archive.len() as u64);
        let expected: [u8; 32] = sha2::Sha256::digest(&archive).into();
        assert_eq!(stats.stored.sha256, sha256.then_some(expected));
        let (intact, _) = read_all(&open(&archive).unwrap(), 2).unwrap();
        assert!(intact[&path("a")].1 == noise(2, LARGE));
    }
}

fn content_after(file: &mut File, start: u64) -> Bytes {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(start)).unwrap();
    file.read_to_end(&mut content).unwrap();
    content.into()
}
