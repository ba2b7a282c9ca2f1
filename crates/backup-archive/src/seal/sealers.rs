//! Threads that encrypt groups of chunks.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use bytes::{Buf, Bytes};
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::payload::{CHUNK_LEN, PayloadKey, Position, TAG_LEN};
use crate::buffer::{Buffer, BufferPool};

/// Threads that live as long as this does.
pub(super) struct Sealers {
    jobs: Sender<Job>,
}

struct Job {
    content: Vec<Bytes>,
    first_chunk: u64,
    /// Of the last chunk of the group.
    position: Position,
    reply: Sender<Bytes>,
}

/// A group of chunks that is being encrypted.
pub(super) struct Group {
    first_chunk: u64,
    sealed: Receiver<Bytes>,
}

impl Group {
    /// Index of its first chunk in the file.
    pub(super) fn first_chunk(&self) -> u64 {
        self.first_chunk
    }

    pub(super) fn wait(&self) -> io::Result<Bytes> {
        self.sealed.recv().map_err(|_| sealer_died())
    }

    /// `None`: not done yet.
    pub(super) fn ready(&self) -> io::Result<Option<Bytes>> {
        match self.sealed.try_recv() {
            Ok(sealed) => Ok(Some(sealed)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(sealer_died()),
        }
    }
}

impl Sealers {
    /// `queue`: groups that may be under way without anyone waiting.
    pub(super) fn start(key: PayloadKey, jobs: NonZeroUsize, queue: usize) -> io::Result<Self> {
        let key = Arc::new(key);
        let pool = BufferPool::new(queue, usize::MAX);
        let (sender, receiver) = bounded(queue);
        for _ in 0..jobs.get() {
            let (key, pool, queue) = (key.clone(), pool.clone(), receiver.clone());
            thread::Builder::new()
                .name("seal".into())
                .spawn(move || seal_all(&key, &pool, &queue))?;
        }
        Ok(Self { jobs: sender })
    }

    pub(super) fn seal(
        &self,
        content: Vec<Bytes>,
        first_chunk: u64,
        position: Position,
    ) -> io::Result<Group> {
        let (reply, receiver) = bounded(1);
        let job = Job {
            content,
            first_chunk,
            position,
            reply,
        };
        self.jobs.send(job).map_err(|_| sealer_died())?;
        Ok(Group {
            first_chunk,
            sealed: receiver,
        })
    }
}

fn seal_all(key: &PayloadKey, pool: &BufferPool, queue: &Receiver<Job>) {
    for mut job in queue {
        let mut sealed = pool.take();
        let mut content = Pieces::new(std::mem::take(&mut job.content));
        let mut index = job.first_chunk;
        loop {
            let len = content.remaining().min(CHUNK_LEN);
            let position = if content.remaining() > len {
                Position::Inner
            } else {
                job.position
            };
            seal_chunk(key, index, position, len, &mut content, &mut sealed);
            index += 1;
            if content.remaining() == 0 {
                break;
            }
        }
        // Nobody waits for it any more if the archive was abandoned.
        drop(job.reply.send(sealed.freeze()));
    }
}

fn seal_chunk(
    key: &PayloadKey,
    index: u64,
    position: Position,
    len: usize,
    content: &mut Pieces,
    sealed: &mut Buffer,
) {
    let (chunk, tag) = sealed.reserve(len + TAG_LEN).split_at_mut(len);
    content.copy_to(chunk);
    tag.copy_from_slice(&key.seal(index, position, chunk));
    sealed.advance(len + TAG_LEN);
}

/// Buffers read as if they were one.
struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    first: Bytes,
    remaining: usize,
}

impl Pieces {
    fn new(pieces: Vec<Bytes>) -> Self {
        Self {
            remaining: pieces.iter().map(Bytes::len).sum(),
            pieces: pieces.into_iter(),
            first: Bytes::new(),
        }
    }

    fn remaining(&self) -> usize {
        self.remaining
    }

    /// Fills `to`, which is not longer than what remains.
    fn copy_to(&mut self, mut to: &mut [u8]) {
        self.remaining -= to.len();
        while !to.is_empty() {
            while self.first.is_empty() {
                self.first = self.pieces.next().expect("as much remains");
            }
            let len = to.len().min(self.first.len());
            self.first.copy_to_slice(&mut to[..len]);
            to = &mut to[len..];
        }
    }
}

fn sealer_died() -> io::Error {
    io::Error::other("a thread that encrypts has died")
}
