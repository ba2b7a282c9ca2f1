//! Pieces of a dump.

use bytes::Bytes;

/// Whole rows of one table, as COPY text.
///
/// Segments of all tables, put together in any order, are all rows: neither `part` nor `sequence` has to be kept.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Index into [`Snapshot::tables`](crate::Snapshot::tables).
    pub table: usize,
    /// Which part of the table, from 0; parts are read in parallel.
    pub part: u32,
    /// Number of the segment within its part, from 0.
    pub sequence: u32,
    /// Number of rows.
    pub rows: u64,
    /// The rows; each ends with a line feed.
    pub data: Bytes,
}

/// A piece of one large object.
#[derive(Debug, Clone)]
pub struct LargeObjectPiece {
    /// The object's number.
    pub oid: u32,
    /// Number of the piece within its object, from 0.
    pub sequence: u32,
    /// Bytes of the object before this piece.
    pub offset: u64,
    /// The bytes. An empty object has one empty piece.
    pub data: Bytes,
}
