//! Where the chunks of a sealed file are.

use super::payload::{CHUNK_LEN, Position, SEALED_CHUNK_LEN, TAG_LEN};

/// The chunks of one file. All but the last are full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Where the first chunk begins in the file.
    start: u64,
    /// Length of all chunks in the file.
    sealed_len: u64,
    chunks: u64,
    /// Of the last chunk.
    end: Position,
}

impl Layout {
    /// Of a file whose chunks go from `start` to its end, at `file_len`. There is always a chunk, though what is there may be too short for one.
    pub(super) fn new(start: u64, file_len: u64) -> Self {
        let sealed_len = file_len.saturating_sub(start);
        Self {
            start,
            sealed_len,
            chunks: sealed_len.div_ceil(SEALED_CHUNK_LEN as u64).max(1),
            end: Position::Last,
        }
    }

    /// Only the first `chunks`, none of which ends the file.
    pub(super) fn first(self, chunks: u64) -> Self {
        Self {
            sealed_len: self.sealed_len.min(chunks * SEALED_CHUNK_LEN as u64),
            chunks,
            end: Position::Inner,
            ..self
        }
    }

    pub(super) fn content_len(&self) -> u64 {
        self.sealed_len.saturating_sub(self.chunks * TAG_LEN as u64)
    }

    /// The last chunk, if there is any.
    pub(super) fn last_chunk(&self) -> u64 {
        self.chunks.saturating_sub(1)
    }

    pub(super) fn position(&self, chunk: u64) -> Position {
        if chunk == self.last_chunk() {
            self.end
        } else {
            Position::Inner
        }
    }

    /// Where a chunk begins in the file.
    pub(super) fn sealed_offset(&self, chunk: u64) -> u64 {
        self.start + chunk * SEALED_CHUNK_LEN as u64
    }

    /// Length of the chunks `first` to `last` in the file.
    pub(super) fn sealed_len(&self, first: u64, last: u64) -> usize {
        let end = ((last + 1) * SEALED_CHUNK_LEN as u64).min(self.sealed_len);
        usize::try_from(end.saturating_sub(first * SEALED_CHUNK_LEN as u64))
            .expect("callers ask for few chunks at a time")
    }
}

/// Where the content of a chunk begins.
pub(super) fn content_offset(chunk: u64) -> u64 {
    chunk * CHUNK_LEN as u64
}
