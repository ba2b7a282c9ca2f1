//! Checks an archive as a whole.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::cursor::Cursor;
use super::engine::{Engine, Scratch, Task, run_tasks};
use super::strict::SeenPaths;
use super::{ArchiveReader, Layout, stream};
use crate::codec::Codec;
use crate::{ArchivePath, Damage, Entry, EntryReceiver, ReadError};

/// How thoroughly to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Only compare the stored bytes with their digests: at the speed of reading. Otherwise everything is decoded too, every header is
    /// held against the table of contents, and every content against its digest.
    pub quick: bool,
    /// Threads. Default: as many as there are cores.
    pub jobs: NonZeroUsize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            quick: false,
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Is told how far reading has come, from several threads.
pub trait Progress: Sync {
    /// So many more bytes of the file are read.
    fn advance(&self, stored_bytes: u64) {
        let _ = stored_bytes;
    }

    /// Asked between pieces: after `true` the check ends early, and what it reports is not all there is.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Ignores everything.
impl Progress for () {}

/// What verifying has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Number of entries in this archive.
    pub entries: u64,
    /// Number of entries that it lists but that are in other archives, and were not looked at.
    pub elsewhere: u64,
    /// Contents of the entries in this archive, in bytes.
    pub content_bytes: u64,
    /// Entries that cannot be read back as they were written, sorted by path.
    pub damaged: Vec<DamagedEntry>,
}

/// An entry that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedEntry {
    /// The entry.
    pub path: ArchivePath,
    /// Why.
    pub reason: Damage,
}

pub(super) fn verify(
    reader: &ArchiveReader,
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<VerifyReport, ReadError> {
    let findings = Findings {
        progress,
        damaged: Mutex::default(),
        content_bytes: AtomicU64::default(),
    };
    let mut report = VerifyReport::default();
    let mut seen = SeenPaths::default();
    let mut take = |entry: &mut Entry| {
        report.entries += 1;
        report.content_bytes += entry.size;
        if let Err(refusal) = seen.add(entry) {
            findings.add(entry, Damage::Refused(refusal));
        }
        true
    };
    let advance = |bytes| progress.advance(bytes);
    match reader.layout {
        Layout::Members { codec, .. } if options.quick => {
            compare_digests(reader, codec, &mut take, options.jobs, &findings, &advance)?;
        }
        Layout::Members { .. } => {
            let engine = Engine::new(reader, &findings).checking_members(&advance);
            let _ = engine.run(&mut take, options.jobs)?;
        }
        Layout::Stream(format) => {
            let _ = stream::read_entries(reader, format, &mut take, &findings)?;
            progress.advance(reader.source.len());
        }
    }
    report.elsewhere = reader.entry_count().saturating_sub(report.entries);
    report.damaged = findings.into_sorted();
    Ok(report)
}

fn compare_digests(
    reader: &ArchiveReader,
    codec: Codec,
    take: &mut (dyn FnMut(&mut Entry) -> bool + Send),
    jobs: NonZeroUsize,
    findings: &Findings<'_>,
    advance: &(dyn Fn(u64) + Sync),
) -> Result<(), ReadError> {
    let stop = AtomicBool::new(false);
    let compare = |task: Task<()>, scratch: &mut Scratch| {
        let (Task::Whole { member, .. } | Task::Part { member, .. }) = &task;
        let result = scratch
            .read(reader.source.as_ref(), codec, member, true)
            .map(drop);
        advance(member.stored_len.into());
        if findings.progress.is_cancelled() {
            stop.store(true, Ordering::Relaxed);
        }
        match (&task, result) {
            (_, Ok(())) => {}
            (Task::Whole { entries, .. }, Err(damage)) => {
                entries
                    .iter()
                    .for_each(|(entry, _)| findings.add(entry, damage.clone()));
            }
            (Task::Part { large, .. }, Err(damage)) if !large.is_damaged() => {
                large.fail(damage.clone());
                findings.add(&large.entry, damage);
            }
            (Task::Part { .. }, Err(_)) => {}
        }
    };
    run_tasks(Cursor::new(reader, take), jobs, &stop, &compare)
}

/// Collects damage, and has no use for contents.
struct Findings<'a> {
    progress: &'a dyn Progress,
    damaged: Mutex<Vec<DamagedEntry>>,
    /// Only counted so that the compiler cannot doubt that contents are read.
    content_bytes: AtomicU64,
}

impl Findings<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.progress.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn add(&self, entry: &Entry, reason: Damage) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        damaged.push(DamagedEntry {
            path: entry.path.clone(),
            reason,
        });
    }

    fn into_sorted(self) -> Vec<DamagedEntry> {
        let mut damaged = self
            .damaged
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        damaged.sort_by(|left, right| left.path.cmp(&right.path));
        damaged.dedup_by(|left, right| left.path == right.path);
        damaged
    }
}

impl EntryReceiver for Findings<'_> {
    type Output = ();

    fn begin(&self, _: &Entry) -> ControlFlow<()> {
        self.go_on()
    }

    fn piece(&self, _: &Entry, _: &(), _: u64, data: &[u8]) -> ControlFlow<()> {
        self.content_bytes
            .fetch_add(data.len() as u64, Ordering::Relaxed);
        self.go_on()
    }

    fn end(&self, entry: &Entry, _: Option<()>, outcome: Result<(), Damage>) -> ControlFlow<()> {
        if let Err(damage) = outcome {
            self.add(entry, damage);
        }
        ControlFlow::Continue(())
    }
}
