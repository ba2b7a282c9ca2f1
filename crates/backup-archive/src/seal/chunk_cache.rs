//! Chunks of which a part was read: the next read probably wants the rest.

use std::collections::VecDeque;

/// The last few chunks, opened.
#[derive(Default)]
pub(super) struct ChunkCache(VecDeque<(u64, Box<[u8]>)>);

impl ChunkCache {
    /// Chunks that are kept: 1 MiB.
    const CAPACITY: usize = 16;

    /// Copies from a chunk, from `skip` on, as much as there is and fits. `None`: the chunk is not here.
    pub(super) fn copy(&self, chunk: u64, skip: usize, buffer: &mut [u8]) -> Option<usize> {
        let (_, content) = self.0.iter().find(|(index, _)| *index == chunk)?;
        let rest = content.get(skip..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Some(len)
    }

    pub(super) fn keep(&mut self, chunk: u64, content: &[u8]) {
        if self.0.iter().any(|(index, _)| *index == chunk) {
            return;
        }
        if self.0.len() == Self::CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((chunk, content.into()));
    }
}
