//! Rows and large objects into a database.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::error::RestoreError;
use super::fill::{Filling, Tally, on_all};
use super::options::RestoreStats;
use crate::settings;
use crate::{CopyInError, Session};

/// Segments that one `COPY` takes: enough to make its cost small, few enough that several connections share one table.
const SEGMENTS_PER_COPY: usize = 4;

/// Some segments of one table.
struct Batch {
    table: usize,
    segments: std::ops::Range<usize>,
}

/// Loads the rows of all tables, on all sessions.
pub(crate) fn rows(
    sessions: &mut [Session],
    filling: &Filling<'_>,
    stats: &mut RestoreStats,
) -> Result<(), RestoreError> {
    let dumped = filling.source.stats();
    let batches = batches(filling);
    let (next, failed, tally) = (
        AtomicUsize::new(0),
        AtomicBool::new(false),
        Tally::default(),
    );
    let loaded: Vec<AtomicU64> = dumped.tables.iter().map(|_| AtomicU64::new(0)).collect();
    on_all(sessions, |session| {
        let mut work = || -> Result<(), RestoreError> {
            settings::for_rows(session, &filling.source.server().encoding)
                .map_err(RestoreError::of_query)?;
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                if failed.load(Ordering::Relaxed) {
                    break;
                }
                let rows = load_batch(session, filling, batch, &tally)?;
                loaded[batch.table].fetch_add(rows, Ordering::Relaxed);
            }
            session
                .batch("SET client_encoding = 'UTF8'")
                .map_err(RestoreError::of_query)
        };
        work().inspect_err(|_| failed.store(true, Ordering::Relaxed))
    })?;
    for table in &filling.plan.tables {
        let (expected, actual) = (
            dumped.tables[*table].rows,
            loaded[*table].load(Ordering::Relaxed),
        );
        if expected != actual {
            let table = dumped.tables[*table].qualified();
            return Err(RestoreError::Different {
                differences: vec![format!("{table} got {actual} rows of {expected}")],
            });
        }
    }
    stats.tables = filling.plan.tables.len() as u64;
    stats.rows = tally.rows.into_inner();
    stats.bytes = tally.bytes.into_inner();
    Ok(())
}

/// Large tables first, so that no connection is left with one at the end.
fn batches(filling: &Filling<'_>) -> Vec<Batch> {
    let mut tables = filling.plan.tables.clone();
    tables.sort_by_key(|table| std::cmp::Reverse(filling.source.stats().tables[*table].bytes));
    let of_table = |table: usize| {
        let count = filling.source.segment_count(table);
        (0..count)
            .step_by(SEGMENTS_PER_COPY)
            .map(move |start| Batch {
                table,
                segments: start..count.min(start + SEGMENTS_PER_COPY),
            })
    };
    tables.into_iter().flat_map(of_table).collect()
}

fn load_batch(
    session: &mut Session,
    filling: &Filling<'_>,
    batch: &Batch,
    tally: &Tally,
) -> Result<u64, RestoreError> {
    let table = &filling.source.stats().tables[batch.table];
    let mut segments = batch.segments.clone();
    let next = || -> Result<_, RestoreError> {
        filling.check_cancelled()?;
        let Some(segment) = segments.next() else {
            return Ok(None);
        };
        let data = filling
            .source
            .read_segment(batch.table, segment)
            .map_err(|source| RestoreError::Source {
                table: table.qualified(),
                source,
            })?;
        tally.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
        filling.progress.advance(data.len() as u64);
        Ok(Some(data))
    };
    let rows = session
        .copy_in(&table.copy_in_sql(), next)
        .map_err(|error| match error {
            CopyInError::Source(error) => error,
            CopyInError::Query(error) => filling.failed(error, |source| RestoreError::Table {
                table: table.qualified(),
                source,
            }),
        })?;
    tally.rows.fetch_add(rows, Ordering::Relaxed);
    Ok(rows)
}

/// Writes the bytes of all large objects; the objects are there already.
pub(crate) fn large_objects(
    session: &mut Session,
    filling: &Filling<'_>,
    stats: &mut RestoreStats,
) -> Result<(), RestoreError> {
    if !filling.plan.large_objects || filling.source.stats().large_objects.count == 0 {
        return Ok(());
    }
    let unreadable = |source| RestoreError::Source {
        table: "the large objects".to_owned(),
        source,
    };
    for piece in filling.source.large_objects().map_err(unreadable)? {
        filling.check_cancelled()?;
        let piece = piece.map_err(unreadable)?;
        if piece.sequence == 0 {
            stats.large_objects += 1;
        }
        let offset = i64::try_from(piece.offset).unwrap_or(i64::MAX);
        session
            .execute(
                "SELECT pg_catalog.lo_put($1, $2, $3)",
                &[&piece.oid, &offset, &piece.data.as_ref()],
            )
            .map_err(|error| filling.failed(error, RestoreError::Query))?;
        filling.progress.advance(piece.data.len() as u64);
    }
    Ok(())
}
