//! What the tests of sealing share: a sink and a source in memory, and content that shows where it is from.
#![allow(dead_code)] // each test program uses a part

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use backup_archive::seal::{
    Identity, Keyring, Passphrase, SealFor, SealedSource, SealingOptions, SealingSink, UnsealError,
    UnsealLimits,
};
use backup_archive::{Sink, SinkStats, Source};
use bytes::Bytes;

/// Content of a chunk, in bytes.
pub(crate) const CHUNK: usize = 64 * 1024;
/// What sealing adds to a chunk, in bytes.
pub(crate) const TAG: usize = 16;

/// Keeps what is written. It cannot go back: what it was given has been seen.
#[derive(Clone, Default)]
pub(crate) struct MemorySink(pub(crate) Arc<Mutex<Vec<u8>>>);

impl MemorySink {
    pub(crate) fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for MemorySink {
    type Mark = ();

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        let mut content = self.0.lock().unwrap();
        pieces.iter().for_each(|piece| content.extend(piece));
        Ok(())
    }

    fn mark(&mut self) -> io::Result<()> {
        panic!("a seal must not go back")
    }

    fn rewind(&mut self, (): ()) -> io::Result<()> {
        panic!("a seal must not go back")
    }

    fn finish(self) -> io::Result<SinkStats> {
        Ok(SinkStats {
            bytes: self.0.lock().unwrap().len() as u64,
            sha256: None,
        })
    }
}

/// Bytes that differ from place to place and do not repeat soon.
pub(crate) fn content(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

pub(crate) fn sealing_sink<S: Sink>(inner: S, seal_for: &SealFor) -> SealingSink<S> {
    let options = SealingOptions {
        jobs: NonZeroUsize::new(2).unwrap(),
        spill_dir: std::env::temp_dir(),
    };
    SealingSink::new(inner, seal_for, options).unwrap()
}

pub(crate) fn seal(content: &[u8], seal_for: &SealFor) -> Vec<u8> {
    let memory = MemorySink::default();
    let mut sink = sealing_sink(memory.clone(), seal_for);
    sink.write(vec![Bytes::copy_from_slice(content)]).unwrap();
    let stats = sink.finish().unwrap();
    assert_eq!(stats.bytes, memory.content().len() as u64);
    memory.content()
}

pub(crate) fn for_identity(identity: &Identity) -> SealFor {
    SealFor::Recipients(vec![identity.recipient().clone()])
}

pub(crate) fn keys(identity: &Identity) -> Keyring {
    Keyring {
        identities: vec![identity.clone()],
        ..Keyring::default()
    }
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

pub(crate) fn open(sealed: Vec<u8>, keys: &Keyring) -> Result<SealedSource, UnsealError> {
    SealedSource::open(Arc::new(Bytes::from(sealed)), keys, UnsealLimits::default())
}

pub(crate) fn salvage(sealed: Vec<u8>, keys: &Keyring) -> Result<SealedSource, UnsealError> {
    SealedSource::salvage(Arc::new(Bytes::from(sealed)), keys, UnsealLimits::default())
}

/// Everything from `offset` on, up to `len` bytes.
pub(crate) fn read(source: &SealedSource, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut content = vec![0; len];
    let mut done = 0;
    while done < len {
        match source.read_at(&mut content[done..], offset + done as u64)? {
            0 => break,
            read => done += read,
        }
    }
    content.truncate(done);
    Ok(content)
}

pub(crate) fn read_all(source: &SealedSource) -> io::Result<Vec<u8>> {
    read(source, 0, source.len() as usize + 1)
}

/// Where the first chunk begins: after the header and the nonce.
pub(crate) fn payload_start(sealed: &[u8]) -> usize {
    let end = b"\n--- ";
    let mac = sealed.windows(end.len()).position(|window| window == end);
    let mac = mac.unwrap() + 1;
    let line = sealed[mac..]
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap();
    mac + line + 1 + 16
}

/// The error of sealing that a reader's error carries.
pub(crate) fn unseal_error(error: &io::Error) -> &UnsealError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}
