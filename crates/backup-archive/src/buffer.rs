//! Buffers that go around: taken from a pool, filled, shared as [`Bytes`], and back in the pool when the last user is done.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A pool of buffers. Clones share it.
#[derive(Clone)]
pub(crate) struct BufferPool(Arc<Pool>);

struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
    /// How many buffers to keep; more than this are only ever in use for a moment.
    keep: usize,
    /// Larger ones are not kept, so that one odd file does not hold memory for good.
    largest: usize,
}

impl BufferPool {
    /// A pool that keeps up to `keep` buffers of up to `largest` bytes.
    pub(crate) fn new(keep: usize, largest: usize) -> Self {
        Self(Arc::new(Pool {
            free: Mutex::new(Vec::new()),
            keep,
            largest,
        }))
    }

    pub(crate) fn take(&self) -> Buffer {
        let storage = self
            .0
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default();
        Buffer {
            storage,
            len: 0,
            pool: self.clone(),
        }
    }

    fn put_back(&self, storage: Vec<u8>) {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.0.keep && storage.capacity() <= self.0.largest {
            free.push(storage);
        }
    }
}

/// A growing buffer. Its storage stays initialised when it goes around, so that taking room costs no clearing.
pub(crate) struct Buffer {
    storage: Vec<u8>,
    len: usize,
    pool: BufferPool,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Room of `len` bytes after what was written; its present bytes mean nothing. [`Buffer::advance`] takes it in.
    pub(crate) fn reserve(&mut self, len: usize) -> &mut [u8] {
        let end = self.len + len;
        if self.storage.len() < end {
            self.storage.resize(end, 0);
        }
        &mut self.storage[self.len..end]
    }

    /// Counts `len` bytes of the room as written.
    pub(crate) fn advance(&mut self, len: usize) {
        self.len += len;
        debug_assert!(self.len <= self.storage.len());
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len()).copy_from_slice(bytes);
        self.advance(bytes.len());
    }

    pub(crate) fn extend_zeros(&mut self, len: usize) {
        self.reserve(len).fill(0);
        self.advance(len);
    }

    /// Forgets what was written from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.storage[..self.len]
    }

    /// Shares what was written; the storage returns to the pool when the last share is gone.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.put_back(std::mem::take(&mut self.storage));
    }
}
