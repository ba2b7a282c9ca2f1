//! Memory does not grow with what is archived: neither with the length of a file, nor with the number of files.

mod common;

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use backup_archive::{
    ArchiveReader, ArchiveWriter, Compression, FileSource, Metadata, OpenFile, Sink, SinkStats,
    VerifyOptions,
};
use bytes::Bytes;
use common::nowhere::Nowhere;
use common::*;

/// Holds for everything that one process does here, threads and buffers of the allocator included.
const MOST_RESIDENT_KIB: u64 = 100 << 10;

fn peak_resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

struct CountingSink(u64);

impl Sink for CountingSink {
    type Mark = u64;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        self.0 += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        Ok(())
    }

    fn mark(&mut self) -> io::Result<u64> {
        Ok(self.0)
    }

    fn rewind(&mut self, mark: u64) -> io::Result<()> {
        self.0 = mark;
        Ok(())
    }

    fn finish(self) -> io::Result<SinkStats> {
        Ok(SinkStats {
            bytes: self.0,
            sha256: None,
        })
    }
}

/// The same megabyte over and over.
struct Repeated {
    metadata: Metadata,
    size: u64,
    done: u64,
    pattern: Arc<Vec<u8>>,
}

impl FileSource for Repeated {
    fn size_hint(&self) -> u64 {
        self.size
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(Self {
            metadata: self.metadata.clone(),
            pattern: Arc::clone(&self.pattern),
            ..*self
        }))
    }
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = (self.done % self.pattern.len() as u64) as usize;
        let len = buffer
            .len()
            .min(self.pattern.len() - at)
            .min((self.size - self.done) as usize);
        buffer[..len].copy_from_slice(&self.pattern[at..at + len]);
        self.done += len as u64;
        Ok(len)
    }
}

impl OpenFile for Repeated {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

/// How long the input is: with `EDMS_TEST_LARGE` set, in all two gigabytes for each kind of archive. Otherwise still several times what
/// may be resident.
fn scale() -> u64 {
    if std::env::var_os("EDMS_TEST_LARGE").is_some() {
        8
    } else {
        1
    }
}

/// One test, so that the process is alone with it.
#[test]
fn memory_stays_flat() {
    let pattern = Arc::new(noise(1, 1 << 20));
    let source = |size| Repeated {
        metadata: metadata(),
        size,
        done: 0,
        pattern: Arc::clone(&pattern),
    };
    for compression in ALL_COMPRESSIONS {
        let mut writer = ArchiveWriter::new(CountingSink(0), options(compression, 4)).unwrap();
        writer
            .append_file(&path("large"), source(scale() * (128 << 20)))
            .unwrap();
        for index in 0..scale() * 500 {
            writer
                .append_file(&path(format!("small {index}")), source(250_000))
                .unwrap();
        }
        writer.finish().unwrap();
    }
    let written = peak_resident_kib();
    assert!(written < MOST_RESIDENT_KIB, "{written} KiB to write");

    // Many entries: the table of contents is larger than what may be resident.
    let mut writer = ArchiveWriter::new(CountingSink(0), options(Compression::None, 2)).unwrap();
    for index in 0..300_000 * scale().min(3) {
        let name = path(format!(
            "folder {}/a file with a name of ordinary length {index:07}",
            index / 1000
        ));
        writer
            .append_bytes(&name, &metadata(), Bytes::new())
            .unwrap();
    }
    writer.finish().unwrap();
    let listed = peak_resident_kib();
    assert!(listed < MOST_RESIDENT_KIB, "{listed} KiB for many entries");

    // Zeros take a thousandth of the space: what is read back is not resident either.
    let size = scale() * (512 << 20);
    let sink = MemorySink::default();
    let mut writer = ArchiveWriter::new(sink.clone(), options(Compression::default(), 4)).unwrap();
    let zeros = Repeated {
        pattern: Arc::new(vec![0; 1 << 20]),
        ..source(size)
    };
    writer.append_file(&path("zeros"), zeros).unwrap();
    writer.finish().unwrap();
    let archive: Bytes = std::mem::take(&mut *sink.0.lock().unwrap()).into();
    for reader in [open(&archive).unwrap(), scan(&archive).unwrap()] {
        read_back(&reader, size);
    }
    let read = peak_resident_kib();
    assert!(read < MOST_RESIDENT_KIB, "{read} KiB to read");
}

fn read_back(reader: &ArchiveReader, size: u64) {
    let flow = reader
        .read_entries(&mut |_| true, jobs(4), &Nowhere)
        .unwrap();
    assert_eq!(flow, ControlFlow::Continue(()));
    let report = reader
        .verify(
            &VerifyOptions {
                quick: false,
                jobs: jobs(4),
            },
            &(),
        )
        .unwrap();
    assert_eq!((report.entries, report.damaged.len()), (1, 0));
    let entry = reader.find(&path("zeros")).unwrap().unwrap();
    let mut content = reader.read(&entry).unwrap();
    assert_eq!(io::copy(&mut content, &mut io::sink()).unwrap(), size);
}
