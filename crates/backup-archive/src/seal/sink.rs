//! Seals what is written, on threads of its own.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytes::Bytes;

use super::file_key::FileKey;
use super::header;
use super::hold::Hold;
use super::payload::{CHUNK_LEN, PAYLOAD_NONCE_LEN, Position};
use super::sealers::{Group, Sealers};
use super::stanza::Stanza;
use super::{Passphrase, Recipient, SealError};
use crate::{Sink, SinkStats, random};

/// Chunks that are sealed as one job.
const GROUP_CHUNKS: usize = 16;
/// Content of a job, in bytes.
const GROUP_LEN: usize = GROUP_CHUNKS * CHUNK_LEN;
/// A passphrase costs 2^16 KiB = 64 MiB of memory and a fraction of a second.
const WORK_FACTOR: u8 = 16;
/// Most recipients of one file.
const MAX_RECIPIENTS: usize = 256;

/// Who can open what is sealed.
#[derive(Debug, Clone)]
pub enum SealFor {
    /// Anyone who has the identity of one of these; at least 1, at most 256. No secret is needed to seal.
    Recipients(Vec<Recipient>),
    /// Anyone who knows the passphrase.
    Passphrase(Passphrase),
}

/// How to seal.
#[derive(Debug, Clone)]
pub struct SealingOptions {
    /// Threads that encrypt; one keeps up with anything but the fastest disks.
    pub jobs: NonZeroUsize,
    /// Folder for temporary data: see [`SealingSink`].
    pub spill_dir: PathBuf,
}

/// Writes everything to another sink as one `age` file: `age -d` opens it.
///
/// Encryption runs on threads of its own, in groups of 1 MiB; up to 2 groups per thread and one more wait for each other in memory.
///
/// Going back would encrypt other content with the same key and counter as content that has already been written. Whoever gets to see
/// both (a snapshot of the disk, blocks that were freed but not wiped, a remote store that keeps versions) learns the difference of the
/// two, and can forge the chunk. So nothing that is written since a mark leaves this program before it is certain to stay: the first
/// 32 MiB wait in memory, more in a temporary file without a name, encrypted once more with a key that is in memory only.
pub struct SealingSink<S> {
    inner: S,
    sealers: Sealers,
    /// Content that is in no group yet. Never empty once there was content, because the last chunk must be known to be the last.
    waiting: Waiting,
    next_chunk: u64,
    /// Groups that are being sealed, in order.
    sealing: VecDeque<Group>,
    max_sealing: usize,
    /// Since a mark: what must not be written yet.
    hold: Option<Hold>,
    spill_dir: PathBuf,
}

/// A place in a [`SealingSink`].
pub struct SealingMark {
    waiting: Waiting,
    next_chunk: u64,
}

#[derive(Clone, Default)]
struct Waiting {
    pieces: Vec<Bytes>,
    len: usize,
}

impl Waiting {
    fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push(piece);
        }
    }
}

impl<S: Sink> SealingSink<S> {
    /// Writes the header.
    ///
    /// # Errors
    /// As [`SealError`] says.
    pub fn new(
        mut inner: S,
        seal_for: &SealFor,
        options: SealingOptions,
    ) -> Result<Self, SealError> {
        let file_key = FileKey::generate().map_err(|_| SealError::Randomness)?;
        let nonce = random::bytes::<PAYLOAD_NONCE_LEN>().map_err(|_| SealError::Randomness)?;
        let mut head = header::render(&stanzas(seal_for, &file_key)?, &file_key);
        head.extend(nonce);
        let max_sealing = options.jobs.get() * 2;
        let key = file_key.payload_key(&nonce);
        let sealers = Sealers::start(key, options.jobs, max_sealing).map_err(SealError::Thread)?;
        inner.write(vec![head.into()]).map_err(SealError::Sink)?;
        Ok(Self {
            inner,
            sealers,
            waiting: Waiting::default(),
            next_chunk: 0,
            sealing: VecDeque::new(),
            max_sealing,
            hold: None,
            spill_dir: options.spill_dir,
        })
    }

    fn take(&mut self, mut piece: Bytes) -> io::Result<()> {
        // More than a group, not just a whole one: what comes last must still be here at the end.
        while self.waiting.len + piece.len() > GROUP_LEN {
            let rest = piece.split_off(GROUP_LEN - self.waiting.len);
            self.waiting.push(piece);
            self.seal_waiting(Position::Inner)?;
            piece = rest;
        }
        self.waiting.push(piece);
        Ok(())
    }

    fn seal_waiting(&mut self, position: Position) -> io::Result<()> {
        let content = std::mem::take(&mut self.waiting).pieces;
        let group = self.sealers.seal(content, self.next_chunk, position)?;
        self.next_chunk += GROUP_CHUNKS as u64;
        self.sealing.push_back(group);
        self.write_sealed()
    }

    /// Writes what is ready, and more if too much is under way.
    fn write_sealed(&mut self) -> io::Result<()> {
        while let Some(first) = self.sealing.front() {
            let sealed = if self.sealing.len() > self.max_sealing {
                first.wait()?
            } else if let Some(sealed) = first.ready()? {
                sealed
            } else {
                break;
            };
            let first_chunk = first.first_chunk();
            self.sealing.pop_front();
            match &mut self.hold {
                Some(hold) if hold.holds(first_chunk) => hold.push(sealed, &self.spill_dir)?,
                _ => self.inner.write(vec![sealed])?,
            }
        }
        Ok(())
    }

    fn write_held(&mut self) -> io::Result<()> {
        match self.hold.take() {
            Some(hold) => hold.release(|sealed| self.inner.write(vec![sealed])),
            None => Ok(()),
        }
    }
}

fn stanzas(seal_for: &SealFor, file_key: &FileKey) -> Result<Vec<Stanza>, SealError> {
    match seal_for {
        SealFor::Recipients(recipients) if recipients.is_empty() => Err(SealError::NoRecipients),
        SealFor::Recipients(recipients) if recipients.len() > MAX_RECIPIENTS => {
            Err(SealError::TooManyRecipients {
                max: MAX_RECIPIENTS,
            })
        }
        SealFor::Recipients(recipients) => recipients
            .iter()
            .map(|recipient| Stanza::for_recipient(file_key, recipient))
            .collect(),
        SealFor::Passphrase(passphrase) => Ok(vec![Stanza::for_passphrase(
            file_key,
            passphrase,
            WORK_FACTOR,
        )?]),
    }
}

impl<S: Sink> Sink for SealingSink<S> {
    type Mark = SealingMark;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        pieces.into_iter().try_for_each(|piece| self.take(piece))
    }

    fn mark(&mut self) -> io::Result<SealingMark> {
        self.write_held()?;
        self.hold = Some(Hold::from(self.next_chunk));
        Ok(SealingMark {
            waiting: self.waiting.clone(),
            next_chunk: self.next_chunk,
        })
    }

    fn keep(&mut self, _: SealingMark) -> io::Result<()> {
        self.write_held()
    }

    fn rewind(&mut self, mark: SealingMark) -> io::Result<()> {
        self.hold = None;
        self.sealing
            .retain(|group| group.first_chunk() < mark.next_chunk);
        self.waiting = mark.waiting;
        self.next_chunk = mark.next_chunk;
        Ok(())
    }

    fn finish(mut self) -> io::Result<SinkStats> {
        self.seal_waiting(Position::Last)?;
        self.write_held()?;
        for group in std::mem::take(&mut self.sealing) {
            self.inner.write(vec![group.wait()?])?;
        }
        self.inner.finish()
    }
}
