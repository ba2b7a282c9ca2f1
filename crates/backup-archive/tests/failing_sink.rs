//! A sink that fails at any write ends the writer with its error: promptly, and never with a hang.

mod common;

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use backup_archive::{ArchiveWriter, Compression, Sink, SinkStats, WriteError};
use bytes::Bytes;
use common::{metadata, noise, options, path};

/// Takes so many writes, then the disk is full.
struct FullAfter(usize);

impl Sink for FullAfter {
    type Mark = ();

    fn write(&mut self, _: Vec<Bytes>) -> io::Result<()> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }

    fn mark(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn rewind(&mut self, (): ()) -> io::Result<()> {
        Ok(())
    }

    fn finish(self) -> io::Result<SinkStats> {
        Ok(SinkStats {
            bytes: 0,
            sha256: None,
        })
    }
}

/// Writes until it fails; true when all was written.
fn write(writes: usize, flush: bool) -> Result<(), WriteError> {
    let options = options(Compression::Gzip { level: 1 }, 3);
    let mut writer = ArchiveWriter::new(FullAfter(writes), options)?;
    for file in 0..24 {
        let content = noise(file, 700_000);
        writer.append_bytes(&path(format!("{file:03}")), &metadata(), content)?;
        if flush {
            writer.flush()?;
        }
    }
    writer.finish().map(drop)
}

#[test]
fn every_failing_write_ends_the_writer() {
    for flush in [false, true] {
        let mut failed = 0;
        for writes in 0.. {
            let (send, receive) = mpsc::channel();
            thread::spawn(move || send.send(write(writes, flush)));
            let result = receive
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("hangs when write {writes} fails"));
            match result {
                Ok(()) => break,
                Err(WriteError::Sink(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                    failed += 1;
                }
                Err(error) => panic!("write {writes}: {error:?}"),
            }
        }
        assert!(failed > 10, "{failed} writes in all");
    }
}
