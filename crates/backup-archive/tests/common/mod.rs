//! Shared by the tests: archives in memory, contents that can be foreseen, and receivers that remember.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

pub mod nowhere;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, Compression, Damage, Entry, EntryKind,
    EntryReceiver, FileSource, Limits, Metadata, OpenFile, Origin, ReadError, Sink, SinkStats,
    Timestamp, WriteError, WriteStats, WriterOptions,
};
use bytes::Bytes;

pub const ALL_COMPRESSIONS: [Compression; 3] = [
    Compression::Gzip { level: 1 },
    Compression::Zstd { level: 1 },
    Compression::None,
];

pub fn path(bytes: impl AsRef<[u8]>) -> ArchivePath {
    ArchivePath::new(bytes).unwrap()
}

pub fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// Bytes that do not compress; the same for the same seed.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut out);
    out
}

/// Bytes that compress well.
pub fn text(seed: u64, len: usize) -> Vec<u8> {
    let words = [
        "invoice", "approved", "document", "version", "by", "the", "archive", "2026",
    ];
    let picks = noise(seed, len / 4 + 1);
    let mut out = Vec::with_capacity(len + 16);
    for pick in picks {
        out.extend_from_slice(words[usize::from(pick) % words.len()].as_bytes());
        out.push(b' ');
        if out.len() >= len {
            break;
        }
    }
    out.resize(len, b'.');
    out
}

pub fn metadata() -> Metadata {
    Metadata {
        mode: 0o640,
        uid: 1000,
        gid: 1001,
        user: b"edms".to_vec(),
        group: b"staff".to_vec(),
        mtime: Timestamp {
            seconds: 1_700_000_000,
            nanoseconds: 123_456_789,
        },
        xattrs: Vec::new(),
        sparse: false,
        origin: Some(Origin {
            ctime: Timestamp {
                seconds: 1_700_000_001,
                nanoseconds: 5,
            },
            inode: 42,
        }),
    }
}

/// A sink whose bytes can be looked at afterwards.
#[derive(Clone, Default)]
pub struct MemorySink(pub Arc<Mutex<Vec<u8>>>);

impl Sink for MemorySink {
    type Mark = usize;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        let mut bytes = self.0.lock().unwrap();
        pieces
            .iter()
            .for_each(|piece| bytes.extend_from_slice(piece));
        Ok(())
    }

    fn mark(&mut self) -> io::Result<usize> {
        Ok(self.0.lock().unwrap().len())
    }

    fn rewind(&mut self, mark: usize) -> io::Result<()> {
        self.0.lock().unwrap().truncate(mark);
        Ok(())
    }

    fn finish(self) -> io::Result<SinkStats> {
        Ok(SinkStats {
            bytes: self.0.lock().unwrap().len() as u64,
            sha256: None,
        })
    }
}

/// A file whose reads are short, and odd.
pub struct ShortReads {
    pub metadata: Metadata,
    pub content: Bytes,
}

impl FileSource for ShortReads {
    fn size_hint(&self) -> u64 {
        self.content.len() as u64
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        let size = self.content.len() as u64;
        Ok(Box::new(OpenContent {
            metadata: self.metadata.clone(),
            size,
            rest: self.content.clone(),
            step: 1,
            unchanged: true,
        }))
    }
}

/// An open file whose content is in memory.
pub struct OpenContent {
    pub metadata: Metadata,
    pub size: u64,
    pub rest: Bytes,
    pub step: usize,
    pub unchanged: bool,
}

impl Read for OpenContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.step = self.step * 5 % 10_007 + 1;
        if self.step.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.step.min(buffer.len()).min(self.rest.len());
        buffer[..len].copy_from_slice(&self.rest.split_to(len));
        Ok(len)
    }
}

impl OpenFile for OpenContent {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(self.unchanged)
    }
}

/// What a test puts into an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub path: ArchivePath,
    pub kind: EntryKind,
    pub metadata: Metadata,
    pub content: Bytes,
}

impl Given {
    pub fn file(name: impl AsRef<[u8]>, content: impl Into<Bytes>) -> Self {
        Self {
            path: path(name),
            kind: EntryKind::File,
            metadata: metadata(),
            content: content.into(),
        }
    }

    pub fn special(name: impl AsRef<[u8]>, kind: EntryKind) -> Self {
        Self {
            path: path(name),
            kind,
            metadata: metadata(),
            content: Bytes::new(),
        }
    }
}

pub fn options(compression: Compression, job_count: usize) -> WriterOptions {
    WriterOptions {
        compression,
        jobs: jobs(job_count),
        ..WriterOptions::default()
    }
}

/// Appends everything: files with odd index as contents in memory, the others as files to be read.
pub fn append_all<S: Sink>(
    writer: &mut ArchiveWriter<S>,
    given: &[Given],
) -> Result<(), WriteError> {
    for (index, given) in given.iter().enumerate() {
        let Given {
            path,
            kind,
            metadata,
            content,
        } = given.clone();
        match kind {
            EntryKind::File if index % 2 == 1 => writer.append_bytes(&path, &metadata, content)?,
            EntryKind::File => writer.append_file(&path, ShortReads { metadata, content })?,
            kind => writer.append_special(&path, kind, &metadata)?,
        }
    }
    Ok(())
}

pub fn write_with(options: WriterOptions, given: &[Given]) -> (Bytes, WriteStats) {
    let sink = MemorySink::default();
    let mut writer = ArchiveWriter::new(sink.clone(), options).unwrap();
    append_all(&mut writer, given).unwrap();
    let stats = writer.finish().unwrap();
    let bytes = std::mem::take(&mut *sink.0.lock().unwrap());
    (bytes.into(), stats)
}

pub fn write(compression: Compression, given: &[Given]) -> Bytes {
    write_with(options(compression, 2), given).0
}

pub fn open(archive: &Bytes) -> Result<ArchiveReader, ReadError> {
    ArchiveReader::open(Arc::new(archive.clone()), Limits::default())
}

pub fn scan(archive: &Bytes) -> Result<ArchiveReader, ReadError> {
    ArchiveReader::scan(Arc::new(archive.clone()), Limits::default())
}

/// Remembers everything that it is given.
#[derive(Default)]
pub struct Collector {
    pub intact: Mutex<BTreeMap<ArchivePath, (Entry, Vec<u8>)>>,
    pub damaged: Mutex<BTreeMap<ArchivePath, Damage>>,
}

impl EntryReceiver for Collector {
    type Output = Mutex<Vec<u8>>;

    fn begin(&self, entry: &Entry) -> ControlFlow<(), Self::Output> {
        ControlFlow::Continue(Mutex::new(vec![0xee; entry.size as usize]))
    }

    fn piece(&self, _: &Entry, output: &Self::Output, offset: u64, data: &[u8]) -> ControlFlow<()> {
        assert!(!data.is_empty());
        let start = offset as usize;
        output.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
        ControlFlow::Continue(())
    }

    fn end(
        &self,
        entry: &Entry,
        output: Option<Self::Output>,
        outcome: Result<(), Damage>,
    ) -> ControlFlow<()> {
        match outcome {
            Ok(()) => {
                let content = output.unwrap().into_inner().unwrap();
                let before = self
                    .intact
                    .lock()
                    .unwrap()
                    .insert(entry.path.clone(), (entry.clone(), content));
                assert!(before.is_none(), "{} came twice", entry.path);
            }
            Err(damage) => {
                let before = self
                    .damaged
                    .lock()
                    .unwrap()
                    .insert(entry.path.clone(), damage);
                assert!(before.is_none(), "{} was damaged twice", entry.path);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Reads everything with several threads: what is intact, and what is damaged.
pub type ReadBack = (
    BTreeMap<ArchivePath, (Entry, Vec<u8>)>,
    BTreeMap<ArchivePath, Damage>,
);

pub fn read_all(reader: &ArchiveReader, job_count: usize) -> Result<ReadBack, ReadError> {
    let collector = Collector::default();
    let flow = reader.read_entries(&mut |_| true, jobs(job_count), &collector)?;
    assert_eq!(flow, ControlFlow::Continue(()));
    Ok((
        collector.intact.into_inner().unwrap(),
        collector.damaged.into_inner().unwrap(),
    ))
}

/// Asserts that everything given is read back, by threads and one by one, and that nothing else is there.
pub fn assert_holds(reader: &ArchiveReader, given: &[Given], from_table: bool) {
    let (intact, damaged) = read_all(reader, 3).unwrap();
    assert_eq!(damaged, BTreeMap::new());
    assert_eq!(intact.len(), given.len());
    let entries: Vec<Entry> = reader.entries().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.len(), given.len());
    for (given, entry) in given.iter().zip(&entries) {
        let (same, content) = &intact[&given.path];
        assert_eq!(same, entry);
        assert_entry(given, entry, from_table);
        assert!(*content == given.content, "content of {}", given.path);
        assert_eq!(reader.find(&given.path).unwrap().as_ref(), Some(entry));
        if entry.kind.is_file() {
            let bytes = reader.read_bytes(entry, entry.size).unwrap();
            assert!(bytes == given.content, "content of {} alone", given.path);
        }
    }
}

fn assert_entry(given: &Given, entry: &Entry, from_table: bool) {
    assert_eq!(entry.path, given.path);
    assert_eq!(entry.kind, given.kind);
    assert_eq!(entry.size, given.content.len() as u64);
    if from_table {
        assert_eq!(entry.metadata, given.metadata, "{}", given.path);
        let digest = given
            .kind
            .is_file()
            .then(|| backup_archive::Digest::of(&given.content));
        assert_eq!(entry.digest, digest, "{}", given.path);
    } else {
        let metadata = Metadata {
            sparse: false,
            origin: None,
            ..given.metadata.clone()
        };
        assert_eq!(entry.metadata, metadata, "{}", given.path);
    }
}
