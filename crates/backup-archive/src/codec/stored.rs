//! Stored blocks, which deflate and Zstandard both have: stretches of the input as they are, each behind a few bytes of header.

use bytes::{Bytes, BytesMut};

/// Lengths that a format gives its stored blocks.
pub(super) struct StoredBlocks {
    /// The largest content of a block.
    pub(super) block_len: usize,
    /// The header before each.
    pub(super) header_len: usize,
}

impl StoredBlocks {
    /// How many blocks hold `plain_len` bytes: at least one.
    pub(super) fn count(&self, plain_len: usize) -> usize {
        plain_len.div_ceil(self.block_len).max(1)
    }

    /// The length of each of those blocks, and whether it is the last.
    pub(super) fn lengths(&self, plain_len: usize) -> impl Iterator<Item = (usize, bool)> {
        let last = self.count(plain_len) - 1;
        let block_len = self.block_len;
        (0..=last).map(move |block| {
            let len = block_len.min(plain_len - block * block_len);
            (len, block == last)
        })
    }

    /// Puts slices of `plain` where they belong in `frame`, which holds what comes before the blocks (`prefix_len` bytes, maybe none),
    /// the headers of all blocks, and what comes behind them. No content is copied.
    pub(super) fn interleave(
        &self,
        frame: BytesMut,
        prefix_len: usize,
        plain: &Bytes,
    ) -> Vec<Bytes> {
        let mut frame = frame.freeze();
        let mut pieces = Vec::with_capacity(2 * self.count(plain.len()) + 2);
        if prefix_len > 0 {
            pieces.push(frame.split_to(prefix_len));
        }
        let mut rest = plain.clone();
        for (len, _) in self.lengths(plain.len()) {
            pieces.push(frame.split_to(self.header_len));
            pieces.push(rest.split_to(len));
        }
        pieces.push(frame);
        pieces
    }
}
