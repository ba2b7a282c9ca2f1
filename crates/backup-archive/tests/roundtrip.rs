//! What is written is read back: all kinds of entries, all sizes around the edges, odd names, short reads.

mod common;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use backup_archive::{
    ArchiveReader, Compression, Entry, EntryKind, Limits, Metadata, ReadError, Source, Timestamp,
    VerifyOptions,
};
use common::*;

const MIB: usize = 1 << 20;

/// All kinds of entries, and of names, times and owners.
fn odd_entries() -> Vec<Given> {
    let mut given = vec![
        Given::special("dir", EntryKind::Directory),
        Given::file("dir/empty", ""),
        Given::file("dir/one", "1"),
        Given::special(
            "dir/link",
            EntryKind::Symlink {
                target: b"../elsewhere/\xff\n".to_vec(),
            },
        ),
        Given::special(
            "dir/long link",
            EntryKind::Symlink {
                target: b"/x".repeat(300),
            },
        ),
        Given::special(
            "dir/second name",
            EntryKind::HardLink {
                target: path("dir/one"),
            },
        ),
        Given::file(b"dir/not utf-8 \xff\xfe".as_slice(), "x"),
        Given::file("dir/ünïcödé 文書", "x"),
        Given::file("dir/new\nline", "x"),
        Given::file("dir/back\\slash \"quoted\" 'single' %41 =", "x"),
        Given::file(format!("dir/{}", "n".repeat(255)), "x"),
        Given::file(format!("dir/{}", ["deep"; 900].join("/")), "x"),
        Given::file(
            format!("{}/{}", "p".repeat(155), "n".repeat(100)),
            "fits prefix and name",
        ),
        Given::file(
            format!("{}/{}", "p".repeat(156), "n".repeat(100)),
            "does not",
        ),
        Given::special(format!("dir/{}", "d".repeat(96)), EntryKind::Directory),
        Given::special(format!("dir/{}", "d".repeat(95)), EntryKind::Directory),
    ];
    for (index, seconds) in [
        0,
        1,
        -1,
        -2_000_000_000,
        0x2_0000_0000 - 1,
        0x2_0000_0000,
        16_725_225_600,
    ]
    .iter()
    .enumerate()
    {
        for nanoseconds in [0, 1, 500_000_000, 999_999_999] {
            let mut file = Given::file(format!("times/{index}.{nanoseconds}"), "x");
            file.metadata.mtime = Timestamp {
                seconds: *seconds,
                nanoseconds,
            };
            given.push(file);
        }
    }
    for (index, mode) in [0, 0o7777, 0o4755, 0o600].into_iter().enumerate() {
        let mut file = Given::file(format!("modes/{index}"), "x");
        file.metadata.mode = mode;
        given.push(file);
    }
    for (index, id) in [0, 0o7_777_777, 0o10_000_000, u32::MAX]
        .into_iter()
        .enumerate()
    {
        let mut file = Given::file(format!("owners/{index}"), "x");
        file.metadata.uid = id;
        file.metadata.gid = u32::MAX - id;
        file.metadata.user = b"u".repeat(30 + index);
        file.metadata.group = [&b"\xc3\xa4"[..], b"", b"\xff", b"g"][index].to_vec();
        given.push(file);
    }
    let mut file = Given::file("attributes", "x");
    file.metadata.xattrs = vec![
        (b"user.comment".to_vec(), b"hello".to_vec()),
        (b"user.a=b%".to_vec(), vec![0, 1, b'\n', 255]),
        (b"user.empty".to_vec(), Vec::new()),
        (b"user.large".to_vec(), noise(1, 60_000)),
    ];
    given.push(file);
    let mut file = Given::file("holes", vec![0; 3 * MIB]);
    file.metadata.sparse = true;
    given.push(file);
    let mut file = Given::file("no origin", "x");
    file.metadata = Metadata::default();
    given.push(file);
    given
}

/// Sizes around those of blocks, segments and members, compressible and not.
fn edge_sizes() -> Vec<Given> {
    static GIVEN: LazyLock<Vec<Given>> = LazyLock::new(|| {
        let edges = [
            512,
            65_535,
            MIB - 1536,
            MIB,
            2 * MIB,
            4 * MIB - 1536,
            4 * MIB,
        ];
        let sizes = edges.iter().flat_map(|edge| edge - 1..=edge + 1);
        let both = |size: usize| {
            [
                Given::file(format!("noise/{size}"), noise(size as u64, size)),
                Given::file(format!("text/{size}"), text(size as u64, size)),
            ]
        };
        sizes.flat_map(both).collect()
    });
    GIVEN.clone()
}

/// Fewer of them: where one of each kind will do.
fn some_sizes() -> impl Iterator<Item = Given> {
    let is_one =
        |given: &Given| given.content.len() <= MIB + 1 || given.content.len() == 4 * MIB + 1;
    edge_sizes().into_iter().filter(is_one)
}

#[test]
fn nothing_at_all() {
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &[]);
        let reader = open(&archive).unwrap();
        assert_holds(&reader, &[], true);
        assert_eq!(reader.entry_count(), 0);
        assert_eq!(reader.find(&path("x")).unwrap(), None);
        assert!(
            reader
                .verify(&VerifyOptions::default(), &())
                .unwrap()
                .damaged
                .is_empty()
        );
    }
}

#[test]
fn odd_entries_survive() {
    let given = odd_entries();
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        assert_holds(&open(&archive).unwrap(), &given, true);
        assert_intact(&open(&archive).unwrap(), given.len());
    }
}

#[test]
fn edge_sizes_survive() {
    let given = edge_sizes();
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        assert_holds(&open(&archive).unwrap(), &given, true);
        assert_intact(&open(&archive).unwrap(), given.len());
    }
}

#[test]
fn a_scan_finds_the_same() {
    // Absolute links of live trees are data in an archive of ours, but not in one that anybody could have written.
    let in_tree =
        |given: &Given| !matches!(&given.kind, EntryKind::Symlink { target } if target[0] == b'/');
    let given: Vec<Given> = odd_entries()
        .into_iter()
        .chain(some_sizes())
        .filter(in_tree)
        .collect();
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        let reader = scan(&archive).unwrap();
        assert!(reader.damage().is_empty());
        assert_holds(&reader, &given, false);
        assert_intact(&reader, given.len());
    }
}

fn assert_intact(reader: &ArchiveReader, entries: usize) {
    for quick in [true, false] {
        let report = reader
            .verify(
                &VerifyOptions {
                    quick,
                    jobs: jobs(2),
                },
                &(),
            )
            .unwrap();
        assert_eq!(report.damaged, []);
        assert_eq!(report.entries, entries as u64);
    }
}

#[test]
fn the_number_of_jobs_does_not_change_a_byte() {
    let given: Vec<Given> = odd_entries().into_iter().chain(some_sizes()).collect();
    for compression in ALL_COMPRESSIONS {
        let (one, stats) = write_with(options(compression, 1), &given);
        assert_eq!(stats.entries, given.len() as u64);
        assert_eq!(stats.stored.bytes, one.len() as u64);
        assert_eq!(
            stats.content_bytes,
            given
                .iter()
                .map(|given| given.content.len() as u64)
                .sum::<u64>()
        );
        for job_count in [2, 5] {
            assert!(
                write_with(options(compression, job_count), &given).0 == one,
                "{compression:?} with {job_count}"
            );
        }
    }
}

#[test]
fn many_entries_in_many_blocks() {
    let given: Vec<Given> = (0..20_000)
        .map(|index| Given::file(format!("d{}/f{index:05}", index / 100), format!("{index}")))
        .collect();
    let archive = write(ALL_COMPRESSIONS[0], &given);
    let reader = open(&archive).unwrap();
    assert_eq!(reader.entry_count(), 20_000);
    for index in [0, 1, 9_999, 19_999] {
        let entry = reader.find(&given[index].path).unwrap().unwrap();
        assert_eq!(reader.read_bytes(&entry, 10).unwrap(), given[index].content);
    }
    assert_eq!(reader.find(&path("d7")).unwrap(), None);
    assert_intact(&reader, 20_000);
    assert_intact(&scan(&archive).unwrap(), 20_000);
}

#[test]
fn only_wanted_entries_are_read() {
    let given = edge_sizes();
    let archive = write(ALL_COMPRESSIONS[0], &given);
    let reader = open(&archive).unwrap();
    let collector = Collector::default();
    let mut wanted = [given[3].path.clone(), given.last().unwrap().path.clone()];
    wanted.sort();
    let _ = reader
        .read_entries(
            &mut |entry: &Entry| wanted.contains(&entry.path),
            jobs(2),
            &collector,
        )
        .unwrap();
    let intact = collector.intact.into_inner().unwrap();
    assert_eq!(
        intact.keys().collect::<Vec<_>>(),
        wanted.iter().collect::<Vec<_>>()
    );
}

#[test]
fn references_to_other_archives() {
    let given = [Given::file("a", "here"), Given::file("c", "here too")];
    let sink = MemorySink::default();
    let mut writer =
        backup_archive::ArchiveWriter::new(sink.clone(), options(ALL_COMPRESSIONS[0], 2)).unwrap();
    append_all(&mut writer, &given[..1]).unwrap();
    let elsewhere = Entry {
        path: path("b"),
        kind: EntryKind::File,
        metadata: metadata(),
        size: 1 << 40,
        digest: Some(backup_archive::Digest::of(b"b")),
        location: backup_archive::Location::Here {
            offset: 512,
            header_len: 512,
        },
    };
    writer
        .append_reference(elsewhere.clone(), b"20260101-full")
        .unwrap();
    writer
        .append_reference(
            Entry {
                path: path("b2"),
                ..elsewhere.clone()
            },
            b"20260102-incr",
        )
        .unwrap();
    writer
        .append_reference(
            Entry {
                path: path("b3"),
                ..elsewhere.clone()
            },
            b"20260101-full",
        )
        .unwrap();
    append_all(&mut writer, &given[1..]).unwrap();
    writer.finish().unwrap();
    let archive = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    let reader = open(&archive).unwrap();
    assert_eq!(
        reader.archives(),
        [b"20260101-full".to_vec(), b"20260102-incr".to_vec()]
    );
    let holders: Vec<_> = reader
        .entries()
        .map(|entry| match entry.unwrap().location {
            backup_archive::Location::Elsewhere { archive, .. } => Some(archive),
            backup_archive::Location::Here { .. } => None,
        })
        .collect();
    assert_eq!(holders, [None, Some(0), Some(1), Some(0), None]);
    let found = reader.find(&path("b2")).unwrap().unwrap();
    assert_eq!(
        (found.size, found.digest),
        (elsewhere.size, elsewhere.digest)
    );
    assert!(matches!(
        reader.read(&found).map(drop),
        Err(ReadError::Elsewhere { .. })
    ));
    let (intact, damaged) = read_all(&reader, 2).unwrap();
    assert_eq!((intact.len(), damaged.len()), (2, 0));
    let report = reader.verify(&VerifyOptions::default(), &()).unwrap();
    assert_eq!(
        (report.entries, report.elsewhere, report.damaged.len()),
        (2, 3, 0)
    );
}

#[test]
fn what_is_no_file_has_no_content() {
    let archive = write(ALL_COMPRESSIONS[0], &odd_entries());
    let reader = open(&archive).unwrap();
    let directory = reader.find(&path("dir")).unwrap().unwrap();
    assert!(matches!(
        reader.read(&directory).map(drop),
        Err(ReadError::NotAFile { .. })
    ));
    let file = reader.find(&path("dir/one")).unwrap().unwrap();
    assert!(matches!(
        reader.read_bytes(&file, 0),
        Err(ReadError::TooLarge {
            size: 1,
            max: 0,
            ..
        })
    ));
}

/// Counts what is read.
struct Counting {
    archive: bytes::Bytes,
    read_bytes: Arc<AtomicU64>,
}

impl Source for Counting {
    fn len(&self) -> u64 {
        Source::len(&self.archive)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.archive.read_at(buffer, offset)?;
        self.read_bytes.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

#[test]
fn one_file_is_read_without_the_others() {
    let given: Vec<Given> = (0..300)
        .map(|index| Given::file(format!("{index:03}"), noise(index, 500_000)))
        .collect();
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        let read_bytes = Arc::<AtomicU64>::default();
        let source = Counting {
            archive: archive.clone(),
            read_bytes: Arc::clone(&read_bytes),
        };
        let reader = ArchiveReader::open(Arc::new(source), Limits::default()).unwrap();
        let entry = reader.find(&path("177")).unwrap().unwrap();
        assert!(reader.read_bytes(&entry, 1 << 20).unwrap() == given[177].content);
        // A member of zstd alone is four megabytes; of two gigabytes that is little.
        let most = if matches!(compression, Compression::Zstd { .. }) {
            4_300_000
        } else {
            archive.len() as u64 / 100
        };
        let read = read_bytes.load(Ordering::Relaxed);
        assert!(
            read < most,
            "{compression:?}: {read} of {} bytes were read",
            archive.len()
        );
    }
}
