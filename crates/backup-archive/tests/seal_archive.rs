//! Archives in sealed files: everything works as in others, and `age` with `tar` reads them.

mod common;
mod sealing;

use std::fs::File;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;

use backup_archive::seal::{Identity, SealedSource, UnsealError, UnsealLimits};
use backup_archive::{
    ArchiveReader, ArchiveWriter, Compression, FileSink, FileSource, Limits, OpenFile, ReadError,
    Source, VerifyOptions,
};
use bytes::Bytes;
use common::{ALL_COMPRESSIONS, Given, MemorySink, OpenContent, metadata, noise, options, path};
use sealing::{CHUNK, TAG, for_identity, keys, payload_start, sealing_sink};

/// Small files and large ones, which do not shrink, so that places in the archive are about those in the file.
fn store() -> Vec<Given> {
    let mut store: Vec<Given> = (0..40)
        .map(|number| Given::file(format!("small/{number:02}"), noise(number, 30_000)))
        .collect();
    store.push(Given::file("t/large", noise(100, 7 << 20)));
    store.push(Given::file("u/text", common::text(1, 300_000)));
    store.push(Given::file("v/last", noise(101, 200_000)));
    store
}

fn write_sealed(identity: &Identity, compression: Compression, given: &[Given]) -> Vec<u8> {
    let memory = MemorySink::default();
    let sink = sealing_sink(memory.clone(), &for_identity(identity));
    let mut writer = ArchiveWriter::new(sink, options(compression, 2)).unwrap();
    common::append_all(&mut writer, given).unwrap();
    let stats = writer.finish().unwrap();
    let sealed = std::mem::take(&mut *memory.0.lock().unwrap());
    assert_eq!(stats.stored.bytes, sealed.len() as u64);
    sealed
}

fn unseal(sealed: &[u8], identity: &Identity) -> Arc<dyn Source> {
    Arc::new(sealing::open(sealed.to_vec(), &keys(identity)).unwrap())
}

fn read_back(source: Arc<dyn Source>) -> ArchiveReader {
    ArchiveReader::open(source, Limits::default()).unwrap()
}

#[test]
fn a_sealed_archive_reads_like_any_other() {
    let identity = Identity::generate().unwrap();
    let given = store();
    for compression in ALL_COMPRESSIONS {
        let sealed = write_sealed(&identity, compression, &given);
        let reader = read_back(unseal(&sealed, &identity));
        common::assert_holds(&reader, &given, true);
    }
}

/// Counts what is read of a sealed file.
struct Counted(Bytes, std::sync::atomic::AtomicU64);

impl Source for Counted {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.0.read_at(buffer, offset)?;
        self.1
            .fetch_add(len as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(len)
    }
}

#[test]
fn one_file_costs_a_few_chunks() {
    let identity = Identity::generate().unwrap();
    let given: Vec<Given> = (0..1000)
        .map(|number| Given::file(format!("{number:04}"), noise(number, 50_000)))
        .collect();
    let sealed = write_sealed(&identity, Compression::Gzip { level: 1 }, &given);
    let counted = Arc::new(Counted(sealed.into(), 0.into()));
    let source =
        SealedSource::open(counted.clone(), &keys(&identity), UnsealLimits::default()).unwrap();
    let reader = read_back(Arc::new(source));
    let entry = reader.find(&path("0500")).unwrap().unwrap();
    assert!(reader.read_bytes(&entry, entry.size).unwrap() == given[500].content);
    let read = counted.1.load(std::sync::atomic::Ordering::Relaxed);
    assert!(read < counted.len() / 20, "{read} of {}", counted.len());
}

/// A file that is different each time it is opened, and stays as it was only the last time.
struct Changing {
    size: usize,
    opened: u64,
    settles: bool,
}

impl FileSource for Changing {
    fn size_hint(&self) -> u64 {
        self.size as u64
    }
    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        self.opened += 1;
        Ok(Box::new(OpenContent {
            metadata: metadata(),
            size: self.size as u64,
            rest: noise(self.opened, self.size).into(),
            step: 1,
            unchanged: self.settles && self.opened == 3,
        }))
    }
}

/// A file that cannot be read to its end.
struct Breaking(usize);

impl FileSource for Breaking {
    fn size_hint(&self) -> u64 {
        self.0 as u64 * 2
    }
    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(Broken(
            io::repeat(7).take(self.0 as u64),
            metadata(),
            self.size_hint(),
        )))
    }
}

struct Broken(io::Take<io::Repeat>, backup_archive::Metadata, u64);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("bad sector")),
            len => Ok(len),
        }
    }
}

impl OpenFile for Broken {
    fn metadata(&self) -> &backup_archive::Metadata {
        &self.1
    }
    fn size(&self) -> u64 {
        self.2
    }
    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

#[test]
fn large_files_that_change_or_break_are_taken_back() {
    let identity = Identity::generate().unwrap();
    let memory = MemorySink::default();
    let sink = sealing_sink(memory.clone(), &for_identity(&identity));
    let mut writer = ArchiveWriter::new(sink, options(Compression::None, 2)).unwrap();
    let changing = |size, settles| Changing {
        size,
        opened: 0,
        settles,
    };
    writer
        .append_bytes(&path("a"), &metadata(), noise(9, 70_000))
        .unwrap();
    // Held in memory, and in a temporary file.
    writer
        .append_file(&path("b"), changing(6 << 20, true))
        .unwrap();
    writer
        .append_file(&path("c"), changing(45 << 20, true))
        .unwrap();
    writer.append_file(&path("d"), Breaking(40 << 20)).unwrap();
    writer
        .append_file(&path("e"), changing(3 << 20, false))
        .unwrap();
    writer
        .append_bytes(&path("f"), &metadata(), noise(9, 70_000))
        .unwrap();
    writer.finish().unwrap();

    let sealed = memory.0.lock().unwrap().clone();
    let reader = read_back(unseal(&sealed, &identity));
    let names: Vec<String> = reader
        .entries()
        .map(|entry| entry.unwrap().path.to_string())
        .collect();
    assert_eq!(names, ["a", "b", "c", "e", "f"]);
    for (name, seed, size) in [("b", 3, 6 << 20), ("c", 3, 45 << 20), ("a", 9, 70_000)] {
        let entry = reader.find(&path(name)).unwrap().unwrap();
        assert!(
            reader.read_bytes(&entry, entry.size).unwrap() == noise(seed, size),
            "{name}"
        );
    }
    let report = reader.verify(&VerifyOptions::default(), &()).unwrap();
    assert_eq!(report.damaged, []);
}

#[test]
fn a_damaged_chunk_costs_the_entries_in_it() {
    let identity = Identity::generate().unwrap();
    let given = store();
    let mut sealed = write_sealed(&identity, Compression::Gzip { level: 1 }, &given);
    let intact = read_back(unseal(&sealed, &identity));
    // Within the large file, far from its ends.
    let chunk = 70;
    let start = payload_start(&sealed) + chunk * (CHUNK + TAG);
    sealed[start + 5] ^= 1;
    let reader = read_back(unseal(&sealed, &identity));
    let report = reader.verify(&VerifyOptions::default(), &()).unwrap();
    let damaged: Vec<String> = report.damaged.iter().map(|d| d.path.to_string()).collect();
    assert_eq!(damaged, ["t/large"]);
    let reason = report.damaged[0].reason.to_string();
    assert!(
        reason.contains("65536 bytes of its content from byte 4587520"),
        "{reason}"
    );
    let (intact, _) = common::read_all(&intact, 2).unwrap();
    let (left, lost) = common::read_all(&reader, 2).unwrap();
    assert_eq!((left.len(), lost.len()), (intact.len() - 1, 1));

    // Within the small ones: those that share a member.
    sealed[start + 5] ^= 1;
    let early = payload_start(&sealed) + 2 * (CHUNK + TAG);
    sealed[early] ^= 1;
    let reader = read_back(unseal(&sealed, &identity));
    let (left, lost) = common::read_all(&reader, 2).unwrap();
    assert!(
        !lost.is_empty()
            && lost
                .keys()
                .all(|path| path.as_bytes().starts_with(b"small/"))
    );
    assert!(
        left.iter()
            .all(|(path, (_, content))| intact[path].1 == *content)
    );
}

#[test]
fn a_lost_table_is_made_again() {
    let identity = Identity::generate().unwrap();
    let given = store();
    for compression in [
        Compression::Gzip { level: 1 },
        Compression::Zstd { level: 1 },
    ] {
        let sealed = write_sealed(&identity, compression, &given);
        let entries = |source: Arc<dyn Source>| {
            let reader = ArchiveReader::open_or_scan(source, Limits::default()).unwrap();
            assert!(reader.table_damage().is_some());
            let (intact, damaged) = common::read_all(&reader, 2).unwrap();
            assert!(damaged.is_empty());
            intact
        };

        // The end is damaged, and so is a chunk within the large file.
        let mut damaged = sealed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        let middle = payload_start(&sealed) + 70 * (CHUNK + TAG);
        damaged[middle] ^= 1;
        let opened = sealing::open(damaged.clone(), &keys(&identity));
        assert!(matches!(opened, Err(UnsealError::DamagedEnd { .. })));
        let left = entries(Arc::new(
            sealing::salvage(damaged, &keys(&identity)).unwrap(),
        ));
        assert!(left.len() >= 40 && !left.contains_key(&path("t/large")));

        // Cut in the middle.
        let cut = sealed[..sealed.len() / 2].to_vec();
        let left = entries(Arc::new(sealing::salvage(cut, &keys(&identity)).unwrap()));
        assert!(left.len() >= 35);
        for (path, (_, content)) in left {
            let given = given.iter().find(|given| given.path == path).unwrap();
            assert!(given.content == content);
        }
    }
}

#[test]
fn a_cut_archive_does_not_open_as_a_whole_one() {
    let identity = Identity::generate().unwrap();
    let sealed = write_sealed(&identity, Compression::Gzip { level: 1 }, &store());
    let start = payload_start(&sealed);
    let cut = sealed[..start + 20 * (CHUNK + TAG)].to_vec();
    let salvaged = sealing::salvage(cut, &keys(&identity)).unwrap();
    let opened = ArchiveReader::open(Arc::new(salvaged), Limits::default());
    assert!(matches!(opened, Err(ReadError::NoFooter)));
}

#[test]
fn age_and_tar_read_it() {
    let dir = tempfile::TempDir::new().unwrap();
    let identity = Identity::generate().unwrap();
    let key = dir.path().join("key.txt");
    identity.create_file(&key, "now").unwrap();
    let archive = dir.path().join("backup.tar.gz.age");
    let inner = FileSink::new(File::create_new(&archive).unwrap(), false).unwrap();
    let sink = sealing_sink(inner, &for_identity(&identity));
    let gzip = Compression::Gzip { level: 1 };
    let mut writer = ArchiveWriter::new(sink, options(gzip, 2)).unwrap();
    let given = store();
    common::append_all(&mut writer, &given).unwrap();
    writer.finish().unwrap();

    let mut age = Command::new("age")
        .args(["-d", "-i"])
        .args([&key, &archive])
        .stdout(Stdio::piped())
        .spawn()
        .expect("age (Debian's package age)");
    let plain = age.stdout.take().unwrap();
    let tar = Command::new("tar")
        .args(["--extract", "--gzip", "--file", "-", "--directory"])
        .arg(dir.path())
        .arg("--no-same-owner")
        .stdin(plain)
        .output()
        .unwrap();
    assert!(age.wait().unwrap().success());
    assert!(tar.status.success() && tar.stderr.is_empty(), "{tar:?}");
    for given in &given {
        let path = dir.path().join(given.path.to_string());
        assert!(
            std::fs::read(path).unwrap() == given.content,
            "{}",
            given.path
        );
    }
}

#[test]
fn an_archive_that_age_sealed_is_read_in_place() {
    let dir = tempfile::TempDir::new().unwrap();
    let identity = Identity::generate().unwrap();
    let given = store();
    let plain = dir.path().join("backup.tar.gz");
    std::fs::write(
        &plain,
        common::write(Compression::Gzip { level: 1 }, &given),
    )
    .unwrap();
    let sealed = dir.path().join("backup.tar.gz.age");
    let age = Command::new("age")
        .args(["-r", &identity.recipient().to_string(), "-o"])
        .args([&sealed, &plain])
        .status()
        .expect("age (Debian's package age)");
    assert!(age.success());
    let file = Arc::new(File::open(&sealed).unwrap());
    let source = SealedSource::open(file, &keys(&identity), UnsealLimits::default()).unwrap();
    common::assert_holds(&read_back(Arc::new(source)), &given, true);
}
