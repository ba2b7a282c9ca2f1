//! Where archives are written to: buffers in order.

use std::fs::File;
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest as _, Sha256};

/// Takes the bytes of an archive in order. What lies below the container: a file, or what seals one.
pub trait Sink: Send {
    /// A place to go back to.
    type Mark: Send;

    /// Writes all `pieces`, in order.
    ///
    /// # Errors
    /// As the device gives them; the archive cannot go on after one.
    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()>;

    /// Remembers the present place, so that a large file that changed while it was read can be written again.
    /// What is written to something that cannot go back has to be kept elsewhere first. There is one mark at a time: it ends with
    /// [`Sink::rewind`] or [`Sink::keep`].
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn mark(&mut self) -> io::Result<Self::Mark>;

    /// What was written since then is to stay.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn keep(&mut self, mark: Self::Mark) -> io::Result<()> {
        drop(mark);
        Ok(())
    }

    /// Goes back and forgets what was written since.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn rewind(&mut self, mark: Self::Mark) -> io::Result<()>;

    /// No more bytes come. Making them durable is for whoever gave the file.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn finish(self) -> io::Result<SinkStats>;
}

/// What a [`Sink`] has taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinkStats {
    /// Length of the archive in bytes.
    pub bytes: u64,
    /// SHA-256 of the archive, if it was asked for.
    pub sha256: Option<[u8; 32]>,
}

/// Writes to a file, from its present position on.
pub struct FileSink {
    file: File,
    start: u64,
    bytes: u64,
    hasher: Option<Hasher>,
}

impl FileSink {
    /// `sha256`: compute the SHA-256 of what is written, on a thread of its own.
    ///
    /// # Errors
    /// The file cannot tell its position, or no thread can be started.
    pub fn new(mut file: File, sha256: bool) -> io::Result<Self> {
        let start = file.stream_position()?;
        let hasher = if sha256 { Some(Hasher::start()?) } else { None };
        Ok(Self {
            file,
            start,
            bytes: 0,
            hasher,
        })
    }
}

/// A place in a [`FileSink`].
pub struct FileMark {
    bytes: u64,
    hash: Option<Receiver<Sha256>>,
}

impl Sink for FileSink {
    type Mark = FileMark;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        write_all_vectored(&mut self.file, &pieces)?;
        self.bytes += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        match &self.hasher {
            Some(hasher) => hasher.send(HashJob::Update(pieces)),
            None => Ok(()),
        }
    }

    fn mark(&mut self) -> io::Result<FileMark> {
        let hash = match &self.hasher {
            Some(hasher) => {
                let (sender, receiver) = bounded(1);
                hasher.send(HashJob::Save(sender))?;
                Some(receiver)
            }
            None => None,
        };
        Ok(FileMark {
            bytes: self.bytes,
            hash,
        })
    }

    fn rewind(&mut self, mark: FileMark) -> io::Result<()> {
        let end = self.start + mark.bytes;
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.bytes = mark.bytes;
        if let (Some(hasher), Some(saved)) = (&self.hasher, mark.hash) {
            let state = saved.recv().map_err(|_| hasher_died())?;
            hasher.send(HashJob::Restore(state))?;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<SinkStats> {
        let sha256 = self.hasher.map(Hasher::finish).transpose()?;
        Ok(SinkStats {
            bytes: self.bytes,
            sha256,
        })
    }
}

/// Linux takes no more than this many pieces in one call.
const MAX_PIECES: usize = 1024;

fn write_all_vectored(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    for pieces in pieces.chunks(MAX_PIECES) {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0); // skips leading empty pieces, which a write of length 0 would seem to be
        while !rest.is_empty() {
            match file.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => IoSlice::advance_slices(&mut rest, len),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// SHA-256 is serial and slower than all else that happens to stored bytes: it gets a thread of its own.
struct Hasher {
    jobs: Sender<HashJob>,
    thread: JoinHandle<Sha256>,
}

enum HashJob {
    Update(Vec<Bytes>),
    Save(Sender<Sha256>),
    Restore(Sha256),
}

impl Hasher {
    /// So many writes may wait to be hashed; each holds on to its buffers.
    const QUEUE: usize = 4;

    fn start() -> io::Result<Self> {
        let (jobs, queue) = bounded(Self::QUEUE);
        let thread = thread::Builder::new()
            .name("sha256".into())
            .spawn(move || hash_all(&queue))?;
        Ok(Self { jobs, thread })
    }

    fn send(&self, job: HashJob) -> io::Result<()> {
        self.jobs.send(job).map_err(|_| hasher_died())
    }

    fn finish(self) -> io::Result<[u8; 32]> {
        drop(self.jobs);
        let state = self.thread.join().map_err(|_| hasher_died())?;
        Ok(state.finalize().into())
    }
}

fn hash_all(queue: &Receiver<HashJob>) -> Sha256 {
    let mut state = Sha256::new();
    for job in queue {
        match job {
            HashJob::Update(pieces) => pieces.iter().for_each(|piece| state.update(piece)),
            // Nobody waits for it any more if the mark was dropped.
            HashJob::Save(reply) => drop(reply.send(state.clone())),
            HashJob::Restore(saved) => state = saved,
        }
    }
    state
}

fn hasher_died() -> io::Error {
    io::Error::other("the thread that computes the SHA-256 has died")
}
