//! Speed of writing, verifying and reading an archive of a store of documents: four fifths of it do not shrink.
//!
//! `cargo bench -p backup-archive --bench store [-- FOLDER]`: the folder should be on tmpfs (default `/dev/shm`) and takes about 4.5 GiB
//! for the time of the run. Every figure is the best of several rounds.

#[path = "../tests/common/nowhere.rs"]
#[allow(unreachable_pub)] // the tests use it, too
mod nowhere;

use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, Compression, FileSink, FileSource, Limits, Metadata,
    OpenFile, Timestamp, VerifyOptions, WriterOptions,
};
use nowhere::Nowhere;

const FILES: u64 = 6000;
const STORE_BYTES: u64 = 2 << 30;
const ROUNDS: usize = 3;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let parent = arguments.next().unwrap_or_else(|| "/dev/shm".into());
    let folder = tempfile::tempdir_in(parent).expect("a folder for the store");
    let store = make_store(folder.path());
    let bytes: u64 = store.iter().map(|(_, size)| size).sum();
    println!(
        "{} files, {:.2} GiB",
        store.len(),
        bytes as f64 / (1 << 30) as f64
    );
    let archive = folder.path().join("archive");
    for (name, compression, sha256) in [
        ("gzip, SHA-256", Compression::default(), true),
        ("gzip", Compression::default(), false),
        ("zstd, SHA-256", Compression::Zstd { level: 1 }, true),
        ("none", Compression::None, false),
    ] {
        let elapsed = best(|| write(&store, &archive, compression, sha256));
        let len = fs::metadata(&archive).expect("an archive").len();
        report(
            &format!(
                "write {name} ({:.3} of the size)",
                len as f64 / bytes as f64
            ),
            elapsed,
            bytes,
        );
        for quick in [true, false] {
            let elapsed = best(|| verify(&archive, quick));
            report(
                if quick { "  verify, quick" } else { "  verify" },
                elapsed,
                bytes,
            );
        }
        report("  read all entries", best(|| read_all(&archive)), bytes);
        println!(
            "  {:<44} {:8.2} ms",
            "read one file",
            best(|| read_one(&archive, &store)).wall.as_secs_f64() * 1e3
        );
    }
}

/// Time by the clock, and of all processors together: the second is what a busy machine cannot spoil much.
#[derive(Clone, Copy)]
struct Elapsed {
    wall: Duration,
    processors: Duration,
}

fn best(mut run: impl FnMut()) -> Elapsed {
    let rounds = (0..ROUNDS).map(|_| {
        let (start, used) = (Instant::now(), processor_time());
        run();
        Elapsed {
            wall: start.elapsed(),
            processors: processor_time() - used,
        }
    });
    let none = Elapsed {
        wall: Duration::MAX,
        processors: Duration::MAX,
    };
    rounds.fold(none, |best, round| Elapsed {
        wall: best.wall.min(round.wall),
        processors: best.processors.min(round.processors),
    })
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn report(what: &str, elapsed: Elapsed, bytes: u64) {
    let (wall, processors) = (elapsed.wall.as_secs_f64(), elapsed.processors.as_secs_f64());
    let rate = bytes as f64 / wall / 1e6;
    println!("{what:<46} {wall:8.2} s  {rate:8.0} MB/s  {processors:8.2} s of all processors");
}

/// Writes files of the sizes of documents, most of them noise, the others text.
fn make_store(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut store = Vec::new();
    for index in 0..FILES {
        let path = folder.join(format!("{index:05}"));
        // Sizes spread over two orders of magnitude around the mean.
        let share = [1, 2, 4, 8, 16, 32, 64, 128][index as usize % 8];
        let size = STORE_BYTES / FILES * 8 * share / 255;
        let mut content = vec![0; size as usize];
        noise.fill(&mut content);
        if index % 5 == 4 {
            make_text(&mut content);
        }
        fs::write(&path, &content).expect("space for the store");
        store.push((path, size));
    }
    store
}

fn make_text(content: &mut [u8]) {
    const WORDS: [&str; 16] = [
        "invoice",
        "approved",
        "document",
        "version",
        "archive",
        "contract",
        "delivery",
        "customer",
        "number",
        "annual",
        "report",
        "signed",
        "received",
        "department",
        "the",
        "of",
    ];
    let picks = content.to_vec();
    let mut at = 0;
    for pick in picks {
        let word = WORDS[usize::from(pick % 16)].as_bytes();
        for &byte in word.iter().chain(b" ") {
            if at == content.len() {
                return;
            }
            content[at] = byte;
            at += 1;
        }
    }
}

fn write(store: &[(PathBuf, u64)], archive: &Path, compression: Compression, sha256: bool) {
    let sink = FileSink::new(File::create(archive).expect("a file"), sha256).expect("a sink");
    let options = WriterOptions {
        compression,
        jobs: jobs(),
        ..WriterOptions::default()
    };
    let mut writer = ArchiveWriter::new(sink, options).expect("a writer");
    for (index, (path, size)) in store.iter().enumerate() {
        let name =
            ArchivePath::new(format!("files/{:02}/{index:05}.pdf", index / 100)).expect("a name");
        writer
            .append_file(
                &name,
                Stored {
                    path: path.clone(),
                    size: *size,
                },
            )
            .expect("an entry");
    }
    let stats = writer.finish().expect("an archive");
    assert_eq!(stats.entries, FILES);
}

fn jobs() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn open(archive: &Path) -> ArchiveReader {
    let source = Arc::new(File::open(archive).expect("an archive"));
    ArchiveReader::open(source, Limits::default()).expect("a table of contents")
}

fn verify(archive: &Path, quick: bool) {
    let report = open(archive)
        .verify(
            &VerifyOptions {
                quick,
                jobs: jobs(),
            },
            &(),
        )
        .expect("a report");
    assert_eq!((report.entries, report.damaged.len()), (FILES, 0));
}

fn read_all(archive: &Path) {
    let flow = open(archive)
        .read_entries(&mut |_| true, jobs(), &Nowhere)
        .expect("entries");
    assert_eq!(flow, ControlFlow::Continue(()));
}

fn read_one(archive: &Path, store: &[(PathBuf, u64)]) {
    let reader = open(archive);
    let path = ArchivePath::new("files/30/03000.pdf").expect("a name");
    let entry = reader.find(&path).expect("a table").expect("an entry");
    assert_eq!(
        reader
            .read_bytes(&entry, u64::MAX)
            .expect("a content")
            .len() as u64,
        store[3000].1
    );
}

struct Stored {
    path: PathBuf,
    size: u64,
}

impl FileSource for Stored {
    fn size_hint(&self) -> u64 {
        self.size
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        let file = File::open(&self.path)?;
        let size = file.metadata()?.len();
        let mtime = Timestamp {
            seconds: 1_700_000_000,
            nanoseconds: 5,
        };
        let metadata = Metadata {
            mode: 0o640,
            mtime,
            ..Metadata::default()
        };
        Ok(Box::new(OpenStored {
            file,
            size,
            metadata,
        }))
    }
}

struct OpenStored {
    file: File,
    size: u64,
    metadata: Metadata,
}

impl Read for OpenStored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl OpenFile for OpenStored {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == self.size)
    }
}
