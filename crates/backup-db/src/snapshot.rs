//! One dump: everything in a database as of one moment, read by several connections.

mod copy;
mod error;
mod large_objects;
mod parts;
mod rewrite;
mod tables;
mod watcher;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

pub use copy::Segments;
use copy::Shared;
pub use error::{Blocker, DumpError};
pub use large_objects::LargeObjectPieces;
pub use rewrite::TableRewrite;
use tables::Locked;
use watcher::Watcher;

use crate::schema::is_supported;
use crate::settings;
use crate::{
    CancelToken, ConnectError, ConnectOptions, RowDigest, Schema, Script, ServerInfo, Session,
    TableInfo, TableName, TableStats,
};

/// How a database is dumped.
#[derive(Debug, Clone)]
pub struct SnapshotOptions {
    /// Connections that read rows; one or two more are opened besides. Default: one per processor. Fewer when the server has no more.
    pub jobs: NonZeroUsize,
    /// Bytes of a segment, unless one row is longer. Default: 4 MiB. A dump holds about three segments per job in memory.
    pub segment_bytes: usize,
    /// Tables larger than this are read in parts of about this size, by several connections. Default: 64 MiB.
    pub part_bytes: u64,
    /// How long to wait for a lock before giving up an attempt; three are made. Others who want the table wait as long. Default: 5 s.
    pub lock_timeout: Duration,
    /// How long somebody who wants to change a table may wait for the dump before it makes room; `None`: for ever. Default: 3 s.
    pub patience: Option<Duration>,
    /// Whether a server may be dumped that is newer than any that is known here. Default: no; something in it may be missed then.
    pub any_version: bool,
    /// Cancels the dump.
    pub cancel: CancelToken,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            segment_bytes: 4 << 20,
            part_bytes: 64 << 20,
            lock_timeout: Duration::from_secs(5),
            patience: Some(Duration::from_secs(3)),
            any_version: false,
            cancel: CancelToken::new(),
        }
    }
}

/// What a finished dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DumpStats {
    /// One item per table of [`Snapshot::tables`], in its order.
    pub tables: Vec<TableStats>,
    /// All large objects together.
    pub large_objects: LargeObjectStats,
}

/// All large objects of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LargeObjectStats {
    /// How many.
    pub count: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Sum of XXH3-128 over each object's number (4 bytes, little-endian) and content.
    pub digest: RowDigest,
}

/// A database as of one moment. Dropping it abandons the dump.
pub struct Snapshot {
    server: ServerInfo,
    taken_at: SystemTime,
    script: Script,
    tables: Vec<TableInfo>,
    large_objects: Vec<u32>,
    large_object_stats: Mutex<LargeObjectStats>,
    warnings: Vec<String>,
    segment_bytes: usize,
    shared: Arc<Shared>,
    workers: Mutex<Vec<Session>>,
    // Before the leader: it must not outlive the sessions that it watches.
    _watcher: Option<Watcher>,
    leader: Mutex<Session>,
}

/// What a snapshot is taken for.
enum Purpose<'a> {
    /// Schema, rows, large objects.
    Dump,
    /// Rows to compare.
    Rows { only: &'a [TableName] },
}

impl Purpose<'_> {
    fn has_large_objects(&self) -> bool {
        match self {
            Self::Dump => true,
            Self::Rows { only } => only.is_empty(),
        }
    }
}

/// Attempts to get all locks.
const ATTEMPTS: u32 = 3;

/// Between two attempts: whoever was in the way gets a chance.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);

impl Snapshot {
    /// Takes the snapshot, locks all tables against changes of their structure (not against reads and writes) and reads the schema.
    ///
    /// # Errors
    /// See [`DumpError`]. Nothing was changed in the database.
    pub fn open(connect: &ConnectOptions, options: &SnapshotOptions) -> Result<Self, DumpError> {
        Self::open_for(connect, options, &Purpose::Dump)
    }

    /// Takes a snapshot of the rows of some tables, or of all rows and large objects when `only` is empty.
    pub(crate) fn open_rows(
        connect: &ConnectOptions,
        options: &SnapshotOptions,
        only: &[TableName],
    ) -> Result<Self, DumpError> {
        Self::open_for(connect, options, &Purpose::Rows { only })
    }

    fn open_for(
        connect: &ConnectOptions,
        options: &SnapshotOptions,
        purpose: &Purpose<'_>,
    ) -> Result<Self, DumpError> {
        let mut attempt = 1;
        loop {
            match Self::attempt(connect, options, purpose) {
                Err(_) if options.cancel.is_cancelled() => return Err(DumpError::Cancelled),
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    std::thread::sleep(BETWEEN_ATTEMPTS * attempt);
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn attempt(
        connect: &ConnectOptions,
        options: &SnapshotOptions,
        purpose: &Purpose<'_>,
    ) -> Result<Self, DumpError> {
        let mut leader = Session::connect(connect)?;
        leader.cancel_with(options.cancel.clone());
        let server = ServerInfo::read(&mut leader).map_err(DumpError::of_query)?;
        if !is_supported(server.major(), options.any_version) {
            return Err(DumpError::UnsupportedServer {
                version: server.version,
            });
        }
        settings::for_reading(&mut leader, &server).map_err(DumpError::of_query)?;
        leader.batch(BEGIN).map_err(DumpError::of_query)?;
        let row = leader
            .query_one(
                "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.now()",
                &[],
            )
            .map_err(DumpError::of_query)?;
        let (id, taken_at): (String, SystemTime) = (row.get(0), row.get(1));
        lock_tables(&mut leader, options.lock_timeout)?;
        let mut tables = tables::with_rows(&mut leader)?.ok_or(DumpError::Changing(None))?;
        let mut large_objects = Vec::new();
        let mut script = Script::default();
        match purpose {
            Purpose::Dump => script = Schema::read_any(&mut leader, options.any_version)?.script,
            Purpose::Rows { only } if !only.is_empty() => {
                tables.retain(|table| only.iter().any(|name| table.is_named(name)))
            }
            Purpose::Rows { .. } => {}
        }
        if purpose.has_large_objects() {
            large_objects = large_object_oids(&mut leader)?;
        }
        let mut warnings: Vec<String> = tables::without_rows_on_standby(&mut leader)?
            .iter()
            .map(|table| format!("{table} is unlogged: a standby does not have its rows"))
            .collect();

        let mut workers = Self::connect_workers(connect, options, &server, &id)?;
        if workers.len() < options.jobs.get() {
            warnings.push(format!(
                "the server has only {} connections left for {} jobs",
                workers.len(),
                options.jobs
            ));
        }
        let parts = parts::plan(&tables, options.part_bytes);
        let stats = tables.iter().map(TableStats::from).collect();
        let shared = Shared::new(
            tables.clone(),
            stats,
            parts,
            options.segment_bytes,
            options.cancel.clone(),
        );
        let watcher = match options.patience {
            Some(patience) => {
                let watcher = start_watcher(connect, &mut leader, &mut workers, patience, &shared)?;
                if watcher.is_none() {
                    warnings.push(
                        "no connection is left to watch for sessions that wait for this dump"
                            .into(),
                    );
                }
                watcher
            }
            None => None,
        };
        Ok(Self {
            server,
            taken_at,
            script,
            tables,
            large_objects,
            large_object_stats: Mutex::default(),
            warnings,
            segment_bytes: options.segment_bytes,
            shared,
            workers: Mutex::new(workers),
            _watcher: watcher,
            leader: Mutex::new(leader),
        })
    }

    fn connect_workers(
        connect: &ConnectOptions,
        options: &SnapshotOptions,
        server: &ServerInfo,
        snapshot: &str,
    ) -> Result<Vec<Session>, DumpError> {
        let mut workers = Vec::with_capacity(options.jobs.get());
        for _ in 0..options.jobs.get() {
            let mut worker = match Session::connect(connect) {
                Err(ConnectError::TooManyConnections { .. }) if !workers.is_empty() => break,
                outcome => outcome?,
            };
            worker.cancel_with(options.cancel.clone());
            settings::for_reading(&mut worker, server).map_err(DumpError::of_query)?;
            let begin = format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{snapshot}'");
            worker.batch(&begin).map_err(DumpError::of_query)?;
            settings::for_rows(&mut worker, &server.encoding).map_err(DumpError::of_query)?;
            workers.push(worker);
        }
        Ok(workers)
    }

    /// The server and the database.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// When the snapshot was taken, by the server's clock: the recovery point.
    pub fn taken_at(&self) -> SystemTime {
        self.taken_at
    }

    /// The schema.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The tables whose rows are dumped, by schema and name.
    pub fn tables(&self) -> &[TableInfo] {
        &self.tables
    }

    /// Numbers of the large objects, ascending.
    pub fn large_objects(&self) -> &[u32] {
        &self.large_objects
    }

    /// What should be told to a person.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Starts reading the rows of all tables; can be called once. Segments of different tables come mixed; memory stays bounded as reading
    /// waits for the consumer.
    ///
    /// An error ends the iterator: the dump has failed then.
    pub fn segments(&self) -> Segments {
        let workers =
            std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        Segments::start(workers, Arc::clone(&self.shared))
    }

    /// Reads the bytes of all large objects, one object after the other.
    pub fn large_object_pieces(&self) -> LargeObjectPieces<'_> {
        LargeObjectPieces::new(
            &self.leader,
            &self.large_object_stats,
            self.large_objects.clone(),
            self.segment_bytes,
        )
    }

    /// Runs a query in the snapshot.
    ///
    /// # Errors
    /// As [`Session::query`]. The snapshot cannot be used further then.
    pub fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DumpError> {
        self.lead(|leader| leader.query(sql, parameters))
    }

    /// Runs a `COPY … TO STDOUT` in the snapshot and hands each row to `take`, until it returns `false`.
    ///
    /// # Errors
    /// As [`Session::copy_out`].
    pub fn copy_out(&self, sql: &str, take: impl FnMut(&[u8]) -> bool) -> Result<bool, DumpError> {
        self.lead(|leader| leader.copy_out(sql, take))
    }

    fn lead<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, crate::QueryError>,
    ) -> Result<T, DumpError> {
        let outcome = work(&mut self.leader.lock().unwrap_or_else(PoisonError::into_inner));
        // When we made room for somebody, that is why the connection broke.
        outcome.map_err(|error| {
            self.shared
                .take_reason()
                .unwrap_or_else(|| DumpError::of_query(error))
        })
    }

    /// Ends the dump.
    ///
    /// # Errors
    /// [`DumpError::Incomplete`] when not all rows and large objects were read.
    pub fn finish(self) -> Result<DumpStats, DumpError> {
        if let Some(reason) = self.shared.take_reason() {
            return Err(reason);
        }
        let tables = self.shared.complete().ok_or(DumpError::Incomplete)?;
        let large_objects = self
            .large_object_stats
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if large_objects.count != self.large_objects.len() as u64 {
            return Err(DumpError::Incomplete);
        }
        Ok(DumpStats {
            tables,
            large_objects,
        })
    }
}

/// Every connection of a dump reads the same snapshot, and only reads.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

fn lock_tables(leader: &mut Session, timeout: Duration) -> Result<(), DumpError> {
    match tables::lock_all(leader, timeout)? {
        Locked::All => Ok(()),
        Locked::Vanished(error) => Err(DumpError::Changing(Some(error))),
        Locked::Waited(tables) => {
            leader.batch("ROLLBACK").map_err(DumpError::of_query)?;
            let (table, blocker) = tables::find_blocker(leader, &tables);
            Err(DumpError::LockTimeout { table, blocker })
        }
    }
}

/// Counts and digests the large objects that a session sees.
pub(crate) fn digest_large_objects(
    session: &Mutex<Session>,
) -> Result<LargeObjectStats, DumpError> {
    const PIECE_BYTES: usize = 1 << 20;
    let oids = large_object_oids(&mut session.lock().unwrap_or_else(PoisonError::into_inner))?;
    let stats = Mutex::default();
    LargeObjectPieces::new(session, &stats, oids, PIECE_BYTES)
        .try_for_each(|piece| piece.map(drop))?;
    Ok(stats.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn large_object_oids(leader: &mut Session) -> Result<Vec<u32>, DumpError> {
    let rows = leader.query(
        "SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid",
        &[],
    );
    Ok(rows
        .map_err(DumpError::of_query)?
        .iter()
        .map(|row| row.get(0))
        .collect())
}

/// `None` when the server has no connection left for it.
fn start_watcher(
    connect: &ConnectOptions,
    leader: &mut Session,
    workers: &mut [Session],
    patience: Duration,
    shared: &Arc<Shared>,
) -> Result<Option<Watcher>, DumpError> {
    let session = match Session::connect(connect) {
        Err(ConnectError::TooManyConnections { .. }) => return Ok(None),
        outcome => outcome?,
    };
    let mut pids = vec![leader.backend_pid().map_err(DumpError::of_query)?];
    for worker in workers {
        pids.push(worker.backend_pid().map_err(DumpError::of_query)?);
    }
    Ok(Some(Watcher::start(
        session,
        pids,
        patience,
        Arc::clone(shared),
    )))
}
