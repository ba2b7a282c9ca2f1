//! The bytes of large objects.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::error::DumpError;
use crate::{LargeObjectPiece, LargeObjectStats, Session};

/// Objects whose beginnings one query reads.
const BATCH: usize = 64;

/// Bytes of that beginning: most objects of a batch end within it, and a batch stays small.
const BEGINNING: i32 = 64 * 1024;

/// The pieces of all large objects, in the order of their numbers.
pub struct LargeObjectPieces<'a> {
    session: &'a Mutex<Session>,
    stats: &'a Mutex<LargeObjectStats>,
    oids: std::vec::IntoIter<u32>,
    ready: VecDeque<LargeObjectPiece>,
    piece_bytes: i32,
    hasher: Xxh3,
}

impl<'a> LargeObjectPieces<'a> {
    pub(crate) fn new(
        session: &'a Mutex<Session>,
        stats: &'a Mutex<LargeObjectStats>,
        oids: Vec<u32>,
        piece_bytes: usize,
    ) -> Self {
        let piece_bytes = i32::try_from(piece_bytes)
            .unwrap_or(i32::MAX)
            .max(BEGINNING);
        Self {
            session,
            stats,
            oids: oids.into_iter(),
            ready: VecDeque::new(),
            piece_bytes,
            hasher: Xxh3::new(),
        }
    }

    fn next_piece(&mut self) -> Result<Option<LargeObjectPiece>, DumpError> {
        if self.ready.is_empty() {
            self.read_beginnings()?;
        }
        let Some(piece) = self.ready.pop_front() else {
            return Ok(None);
        };
        // The beginning was full, or this is a later piece that was: there may be more, which comes before the next object.
        let limit = if piece.sequence == 0 {
            BEGINNING
        } else {
            self.piece_bytes
        };
        if piece.data.len() as u64 == u64::from(limit.unsigned_abs()) {
            self.read_on(&piece)?;
        }
        self.count(&piece);
        Ok(Some(piece))
    }

    fn read_beginnings(&mut self) -> Result<(), DumpError> {
        let oids: Vec<u32> = self.oids.by_ref().take(BATCH).collect();
        if oids.is_empty() {
            return Ok(());
        }
        let rows = lock(self.session)
            .query("SELECT oid, pg_catalog.lo_get(oid, 0, $2) FROM pg_catalog.unnest($1::oid[]) AS oid", &[&oids, &BEGINNING])
            .map_err(DumpError::of_query)?;
        self.ready.extend(rows.iter().map(|row| LargeObjectPiece {
            oid: row.get(0),
            sequence: 0,
            offset: 0,
            data: Bytes::from(row.get::<_, Vec<u8>>(1)),
        }));
        Ok(())
    }

    /// Reads what follows `piece` and puts it in front of everything else, unless there is nothing.
    fn read_on(&mut self, piece: &LargeObjectPiece) -> Result<(), DumpError> {
        let offset = piece.offset + piece.data.len() as u64;
        let start = i64::try_from(offset).unwrap_or(i64::MAX);
        let data: Vec<u8> = lock(self.session)
            .query_one(
                "SELECT pg_catalog.lo_get($1, $2, $3)",
                &[&piece.oid, &start, &self.piece_bytes],
            )
            .map_err(DumpError::of_query)?
            .get(0);
        if !data.is_empty() {
            self.ready.push_front(LargeObjectPiece {
                oid: piece.oid,
                sequence: piece.sequence + 1,
                offset,
                data: Bytes::from(data),
            });
        }
        Ok(())
    }

    fn count(&mut self, piece: &LargeObjectPiece) {
        if piece.sequence == 0 {
            self.hasher.reset();
            self.hasher.update(&piece.oid.to_le_bytes());
        }
        self.hasher.update(&piece.data);
        let stats = &mut lock(self.stats);
        stats.bytes += piece.data.len() as u64;
        if self.ready.front().is_none_or(|next| next.oid != piece.oid) {
            stats.count += 1;
            stats.digest.add_hash(self.hasher.digest128());
        }
    }
}

impl Iterator for LargeObjectPieces<'_> {
    type Item = Result<LargeObjectPiece, DumpError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_piece().transpose()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
