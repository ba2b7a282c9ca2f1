//! The threads of a writer, and what goes between them.
//!
//! Every job gets a channel of its own for what it gives, and the channels stand in a queue in the order of the jobs: whoever
//! commits takes them one after the other. A worker may give more than fits its channel, and then waits until it is its turn.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use blake3::hazmat::ChainingValue;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::commit::{Committed, Committer};
use super::large::Segment;
use super::unit::{Item, Worker};
use super::{TableBuilder, WriteStats, WriterOptions};
use crate::buffer::BufferPool;
use crate::codec::{Detector, Encoder, Payload};
use crate::sink::Sink;
use crate::{ArchivePath, Digest, Entry, FileOutcome, WriteError};

/// What a worker does.
pub(super) enum Job {
    Unit(Vec<Item>),
    Segment(Segment),
}

/// What is to be committed, in order.
pub(super) enum Output {
    /// Members that hold whole entries, and those entries.
    Unit {
        members: Vec<EncodedMember>,
        entries: Vec<Entry>,
        reports: Vec<(ArchivePath, u64, FileOutcome)>,
    },
    /// A large file begins: remember the place.
    BeginLarge,
    /// A part of it.
    Segment {
        member: EncodedMember,
        hash: SegmentHash,
    },
    /// It is complete.
    EndLarge {
        entry: Box<Entry>,
        outcome: FileOutcome,
    },
    /// It is not to be in the archive, or will be written again: back to the place.
    RewindLarge,
    /// A file that is not in the archive.
    Report {
        path: ArchivePath,
        outcome: FileOutcome,
    },
    /// Everything before is written, and the observer knows of it.
    Flushed(Sender<()>),
    /// No more entries.
    Finish { archives: Vec<Vec<u8>> },
}

/// A member, ready but for its header, which says where it is.
pub(super) struct EncodedMember {
    pub(super) payload: Payload,
    pub(super) tar_len: u32,
    pub(super) starts_entry: bool,
    pub(super) digest: Digest,
}

/// Hash of a segment.
pub(super) enum SegmentHash {
    /// It is all of the file.
    Whole(Digest),
    /// It is a part: see [`crate::subtree`].
    Part(ChainingValue),
}

/// A place in the order.
pub(super) enum Slot {
    Ready(Output),
    /// Everything that a job gives, until [`Reply::Done`].
    Pending(Receiver<Reply>),
}

/// From a worker to the committer.
pub(super) enum Reply {
    Output(Output),
    /// Nothing more from this job. Its sender gone without this, the worker has died.
    Done,
}

/// What one job may give before it has to wait for its turn.
const REPLIES_AHEAD: usize = 2;

/// The running threads. Dropping it abandons the archive.
pub(super) struct Pipeline<S: Sink + 'static> {
    /// `None` once finished or failed; dropping the senders ends the threads.
    running: Option<Running<S>>,
}

struct Running<S: Sink> {
    jobs: Sender<(Job, Sender<Reply>)>,
    order: Sender<Slot>,
    workers: Vec<JoinHandle<()>>,
    committer: JoinHandle<Result<Committed<S>, WriteError>>,
    /// The committer takes no more: it has failed or finished.
    ended: Arc<AtomicBool>,
}

impl<S: Sink + 'static> Pipeline<S> {
    /// How many jobs may be under way or done but not yet committed.
    pub(super) fn depth(jobs: NonZeroUsize) -> usize {
        2 * jobs.get() + 2
    }

    pub(super) fn start(
        sink: S,
        options: &WriterOptions,
        pool: &BufferPool,
    ) -> Result<Self, WriteError> {
        let (jobs, job_queue) = bounded(options.jobs.get());
        let (order, order_queue) = bounded(Self::depth(options.jobs));
        let encoder =
            || Encoder::new(options.compression, pool.clone()).map_err(WriteError::Option);
        let codec = options.compression.codec();
        let table = TableBuilder::new(codec, encoder()?, options.spill_dir.clone());
        let committer = Committer::new(
            sink,
            codec,
            encoder()?,
            table,
            Arc::clone(&options.observer),
        );
        let ended = Arc::new(AtomicBool::new(false));
        let committer = thread::Builder::new()
            .name("archive commit".into())
            .spawn({
                let ended = Arc::clone(&ended);
                move || {
                    let committed = committer.run(&order_queue);
                    ended.store(true, Ordering::Relaxed);
                    // What lies in the queue keeps others waiting: workers for room for their replies, `flush` for its
                    // answer. So it is taken out until the senders are gone.
                    order_queue.iter().for_each(drop);
                    committed
                }
            })
            .map_err(WriteError::Thread)?;
        let mut running = Running {
            jobs,
            order,
            workers: Vec::new(),
            committer,
            ended,
        };
        for _ in 0..options.jobs.get() {
            let worker = Worker {
                encoder: encoder()?,
                detector: Detector::new(),
                pool: pool.clone(),
                member_target: codec.member_target(),
            };
            let queue = job_queue.clone();
            let thread = thread::Builder::new()
                .name("archive worker".into())
                .spawn(move || work(worker, &queue))
                .map_err(WriteError::Thread)?;
            running.workers.push(thread);
        }
        Ok(Self {
            running: Some(running),
        })
    }

    /// Hands out a job; waits when there is enough under way.
    pub(super) fn submit(&mut self, job: Job) -> Result<(), WriteError> {
        let (reply, replies) = bounded(REPLIES_AHEAD);
        let running = self.running.as_ref().ok_or(WriteError::Abandoned)?;
        let sent = !running.ended.load(Ordering::Relaxed)
            && running.order.send(Slot::Pending(replies)).is_ok()
            && running.jobs.send((job, reply)).is_ok();
        if sent { Ok(()) } else { Err(self.fail()) }
    }

    /// Puts something into the order that needs no work.
    pub(super) fn submit_ready(&mut self, output: Output) -> Result<(), WriteError> {
        let running = self.running.as_ref().ok_or(WriteError::Abandoned)?;
        let sent = !running.ended.load(Ordering::Relaxed)
            && running.order.send(Slot::Ready(output)).is_ok();
        if sent { Ok(()) } else { Err(self.fail()) }
    }

    /// Waits until everything that was handed out is committed.
    pub(super) fn flush(&mut self) -> Result<(), WriteError> {
        let (reached, wait) = bounded(1);
        self.submit_ready(Output::Flushed(reached))?;
        wait.recv().map_err(|_| self.fail())
    }

    /// Waits for everything; then the sink gets its end, on this thread.
    pub(super) fn finish(mut self, archives: Vec<Vec<u8>>) -> Result<WriteStats, WriteError> {
        self.submit_ready(Output::Finish { archives })?;
        let running = self.running.take().ok_or(WriteError::Abandoned)?;
        let Committed {
            sink,
            entries,
            content_bytes,
        } = running.join()?;
        let stored = sink.finish().map_err(WriteError::Sink)?;
        Ok(WriteStats {
            entries,
            content_bytes,
            stored,
        })
    }

    /// The committer has ended early: its error is the reason.
    fn fail(&mut self) -> WriteError {
        match self.running.take().map(Running::join) {
            Some(Err(error)) => error,
            Some(Ok(_)) | None => WriteError::WorkerDied,
        }
    }
}

impl<S: Sink + 'static> Drop for Pipeline<S> {
    fn drop(&mut self) {
        // Nothing may write to the sink any more once the writer is gone.
        if let Some(running) = self.running.take() {
            drop(running.join());
        }
    }
}

impl<S: Sink> Running<S> {
    fn join(self) -> Result<Committed<S>, WriteError> {
        drop((self.jobs, self.order));
        let committed = self.committer.join();
        let workers_ended = self.workers.into_iter().all(|worker| worker.join().is_ok());
        match committed {
            Ok(Ok(committed)) if workers_ended => Ok(committed),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) | Err(_) => Err(WriteError::WorkerDied),
        }
    }
}

fn work(mut worker: Worker, queue: &Receiver<(Job, Sender<Reply>)>) {
    for (job, reply) in queue {
        let done = match job {
            Job::Unit(items) => worker.encode_unit(items, &reply).is_ok(),
            Job::Segment(segment) => reply
                .send(Reply::Output(worker.encode_segment(&segment)))
                .is_ok(),
        };
        if done {
            // If the committer is gone, whoever hands out jobs finds out.
            drop(reply.send(Reply::Done));
        }
    }
}
