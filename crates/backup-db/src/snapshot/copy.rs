//! Rows out of the server: several connections read parts of tables into segments.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender};

use super::parts::Part;
use super::rewrite::TableRewrite;
use crate::{
    CancelToken, Canceller, DumpError, RowDigest, Segment, Session, TableInfo, TableStats,
};

/// What the connections of one dump share.
pub(crate) struct Shared {
    tables: Vec<TableInfo>,
    /// By index of the table.
    rewrites: Mutex<BTreeMap<usize, TableRewrite>>,
    parts: Mutex<std::vec::IntoIter<Part>>,
    stats: Mutex<Vec<TableStats>>,
    remaining: Mutex<usize>,
    stop: AtomicBool,
    /// Why somebody outside the copying stopped it.
    reason: Mutex<Option<DumpError>>,
    segment_bytes: usize,
    cancel: CancelToken,
}

impl Shared {
    pub(crate) fn new(
        tables: Vec<TableInfo>,
        stats: Vec<TableStats>,
        parts: Vec<Part>,
        segment_bytes: usize,
        cancel: CancelToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            tables,
            rewrites: Mutex::default(),
            remaining: Mutex::new(parts.len()),
            parts: Mutex::new(parts.into_iter()),
            stats: Mutex::new(stats),
            stop: AtomicBool::new(false),
            reason: Mutex::new(None),
            segment_bytes: segment_bytes.max(1),
            cancel,
        })
    }

    /// Statistics, when all parts were read to their end.
    pub(crate) fn complete(&self) -> Option<Vec<TableStats>> {
        (*lock(&self.remaining) == 0).then(|| lock(&self.stats).clone())
    }

    /// Stops the copying for `reason`.
    pub(crate) fn stop_for(&self, reason: DumpError) {
        lock(&self.reason).get_or_insert(reason);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Why somebody stopped the copying, once.
    pub(crate) fn take_reason(&self) -> Option<DumpError> {
        lock(&self.reason).take()
    }

    /// Has the tables of these indexes copied as the rewrites say.
    pub(super) fn rewrite(&self, rewrites: BTreeMap<usize, TableRewrite>) {
        *lock(&self.rewrites) = rewrites;
    }

    /// The statement that reads a part.
    fn copy_out_sql(&self, part: &Part) -> String {
        let range = part.range.as_deref();
        match lock(&self.rewrites).get(&part.table) {
            Some(rewrite) => rewrite.copy_out_sql(&self.tables[part.table], range),
            None => lock(&self.stats)[part.table].copy_out_sql(range),
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn next_part(&self) -> Option<Part> {
        lock(&self.parts).next()
    }

    fn part_done(&self, table: usize, part: &PartStats) {
        let stats = &mut lock(&self.stats)[table];
        stats.rows += part.rows;
        stats.bytes += part.bytes;
        stats.digest.merge(part.digest);
        *lock(&self.remaining) -= 1;
    }
}

#[derive(Default)]
struct PartStats {
    rows: u64,
    bytes: u64,
    digest: RowDigest,
}

/// The rows of a dump. Dropping it stops the reading.
pub struct Segments {
    receiver: Option<Receiver<Result<Segment, DumpError>>>,
    shared: Arc<Shared>,
    cancellers: Vec<Canceller>,
    workers: Vec<JoinHandle<()>>,
}

impl Segments {
    /// Starts a thread per session; each takes parts until there are none left.
    pub(crate) fn start(sessions: Vec<Session>, shared: Arc<Shared>) -> Self {
        // One segment per connection waits, one is being filled, and one is with the consumer.
        let (sender, receiver) = crossbeam_channel::bounded(sessions.len());
        let cancellers = sessions.iter().map(Session::canceller).collect();
        let workers = sessions
            .into_iter()
            .map(|mut session| {
                let (shared, sender) = (Arc::clone(&shared), sender.clone());
                std::thread::spawn(move || {
                    if let Err(error) = copy_parts(&mut session, &shared, &sender) {
                        shared.stop.store(true, Ordering::Relaxed);
                        let error = if shared.cancel.is_cancelled() {
                            DumpError::Cancelled
                        } else {
                            error
                        };
                        // Nobody listens when the consumer has gone.
                        let _ = sender.send(Err(error));
                    }
                })
            })
            .collect();
        Self {
            receiver: Some(receiver),
            shared,
            cancellers,
            workers,
        }
    }
}

impl Iterator for Segments {
    type Item = Result<Segment, DumpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let received = self.receiver.as_ref()?.recv().ok();
        match self.shared.take_reason() {
            Some(reason) => {
                self.receiver = None;
                Some(Err(reason))
            }
            None => {
                if !matches!(received, Some(Ok(_))) {
                    self.receiver = None;
                }
                received
            }
        }
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.receiver = None;
        // Those that are done do not mind.
        if self.shared.complete().is_none() {
            self.cancellers.iter().for_each(Canceller::cancel);
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn copy_parts(
    session: &mut Session,
    shared: &Shared,
    sender: &Sender<Result<Segment, DumpError>>,
) -> Result<(), DumpError> {
    while !shared.stopped() {
        let Some(part) = shared.next_part() else {
            return Ok(());
        };
        let table = shared.tables[part.table].qualified();
        let sql = shared.copy_out_sql(&part);
        let mut filler = Filler::new(shared.segment_bytes);
        let mut sequence = 0;
        let mut send = |rows: u64, data: Bytes| {
            let segment = Segment {
                table: part.table,
                part: part.number,
                sequence,
                rows,
                data,
            };
            sequence += 1;
            !shared.stopped() && sender.send(Ok(segment)).is_ok()
        };
        let complete = session
            .copy_out(&sql, |row| {
                filler.add(row).is_none_or(|(rows, data)| send(rows, data))
            })
            .map_err(|error| DumpError::of_table(&table, error))?;
        if !complete || !filler.rest().is_none_or(|(rows, data)| send(rows, data)) {
            return Ok(());
        }
        shared.part_done(part.table, &filler.stats);
    }
    Ok(())
}

/// Collects rows into segments of at least the wanted size.
struct Filler {
    buffer: Vec<u8>,
    rows: u64,
    segment_bytes: usize,
    stats: PartStats,
}

/// The first buffer of a part is small: most tables are.
const FIRST_CAPACITY: usize = 16 * 1024;

impl Filler {
    fn new(segment_bytes: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(FIRST_CAPACITY),
            rows: 0,
            segment_bytes,
            stats: PartStats::default(),
        }
    }

    /// Adds a row; gives a segment's content when one is full.
    fn add(&mut self, row: &[u8]) -> Option<(u64, Bytes)> {
        // A row that does not fit any more begins the next segment, so that buffers need not grow beyond what they have.
        let full = if !self.buffer.is_empty() && self.buffer.len() + row.len() > self.segment_bytes
        {
            let next = Vec::with_capacity(self.segment_bytes.max(row.len()));
            Some(self.take(next))
        } else {
            None
        };
        self.buffer.extend_from_slice(row);
        self.rows += 1;
        self.stats.digest.add_row(row);
        full
    }

    fn rest(&mut self) -> Option<(u64, Bytes)> {
        (self.rows > 0).then(|| self.take(Vec::new()))
    }

    fn take(&mut self, next: Vec<u8>) -> (u64, Bytes) {
        let data = Bytes::from(std::mem::replace(&mut self.buffer, next));
        let rows = std::mem::take(&mut self.rows);
        self.stats.rows += rows;
        self.stats.bytes += data.len() as u64;
        (rows, data)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
