//! Reads sealed files at any place, decrypting only what is asked for.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunk_cache::ChunkCache;
use super::header::{ARMOR, Header, MAGIC, MAX_HEADER_LEN};
use super::layout::{Layout, content_offset};
use super::payload::{
    CHUNK_LEN, PAYLOAD_NONCE_LEN, PayloadKey, Position, SEALED_CHUNK_LEN, TAG_LEN,
};
use super::{Identity, Passphrase, UnsealError};
use crate::Source;
use crate::buffer::BufferPool;
use crate::source::read_exact_at;

/// Most chunks that one call reads: 1 MiB.
const MAX_READ_CHUNKS: u64 = 16;
/// Buffers of that size that are kept for the next calls.
const POOLED_BUFFERS: usize = 4;

/// What may open a sealed file: everything that fits is tried.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// For files that are sealed for recipients.
    pub identities: Vec<Identity>,
    /// For files that are sealed with a passphrase. Each costs as much work as the file asks for.
    pub passphrases: Vec<Passphrase>,
}

/// How much work a sealed file may cause before it is known who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsealLimits {
    /// Largest scrypt work factor. A passphrase takes 2^`max_work_factor` KiB of memory and, on a usual machine, as many microseconds
    /// times 4; each step doubles both. Default 20: 1 GiB; more than 24 counts as 24. `age -p` uses 18; what is sealed here has 16.
    pub max_work_factor: u8,
}

impl Default for UnsealLimits {
    fn default() -> Self {
        Self {
            max_work_factor: 20,
        }
    }
}

/// Whether `source` begins as sealed files do. Also true for the text form of `age`, which [`SealedSource::open`] refuses by name.
///
/// # Errors
/// It cannot be read.
pub fn is_sealed(source: &dyn Source) -> io::Result<bool> {
    let longest = MAGIC.len().max(ARMOR.len());
    let head = read_head(source, longest)?;
    Ok(head.starts_with(MAGIC) || head.starts_with(ARMOR))
}

/// The content of a sealed file. Every byte it gives is authenticated.
///
/// Reading fails with an [`UnsealError`] within the [`io::Error`], of kind [`io::ErrorKind::InvalidData`], where a chunk is damaged; reading
/// elsewhere works.
pub struct SealedSource {
    source: Arc<dyn Source>,
    layout: Layout,
    key: PayloadKey,
    cache: Mutex<ChunkCache>,
    buffers: BufferPool,
}

impl SealedSource {
    /// Opens a sealed file and checks its header and its end.
    ///
    /// # Errors
    /// As [`UnsealError`] says. After [`UnsealError::Truncated`] and [`UnsealError::DamagedEnd`], [`SealedSource::salvage`] reads what is
    /// left.
    pub fn open(
        source: Arc<dyn Source>,
        keys: &Keyring,
        limits: UnsealLimits,
    ) -> Result<Self, UnsealError> {
        let opened = Self::unlock(source, keys, limits)?;
        match opened.end()? {
            End::Whole => Ok(opened),
            End::Cut { .. } => Err(UnsealError::Truncated {
                length: opened.source.len(),
            }),
            End::Damaged { last } => Err(UnsealError::DamagedEnd {
                offset: content_offset(last),
            }),
        }
    }

    /// Opens a sealed file of which the end is missing or damaged, as far as it goes: its length is that of the chunks before. Nothing
    /// else tells that the content once went on, so whoever reads it must notice by other means, such as a missing footer.
    ///
    /// # Errors
    /// As [`UnsealError`] says, except for those of the end.
    pub fn salvage(
        source: Arc<dyn Source>,
        keys: &Keyring,
        limits: UnsealLimits,
    ) -> Result<Self, UnsealError> {
        let mut opened = Self::unlock(source, keys, limits)?;
        match opened.end()? {
            End::Whole => {}
            End::Cut { chunks } => opened.layout = opened.layout.first(chunks),
            End::Damaged { last } => opened.layout = opened.layout.first(last),
        }
        Ok(opened)
    }

    fn unlock(
        source: Arc<dyn Source>,
        keys: &Keyring,
        limits: UnsealLimits,
    ) -> Result<Self, UnsealError> {
        let head =
            read_head(&*source, MAX_HEADER_LEN + PAYLOAD_NONCE_LEN).map_err(UnsealError::Io)?;
        let header = Header::parse(&head[..head.len().min(MAX_HEADER_LEN)])?;
        let file_key = header.unlock(keys, limits)?;
        let Some((nonce, _)) = head[header.len()..].split_first_chunk() else {
            return Err(UnsealError::Truncated {
                length: source.len(),
            });
        };
        let start = (header.len() + PAYLOAD_NONCE_LEN) as u64;
        Ok(Self {
            layout: Layout::new(start, source.len()),
            key: file_key.payload_key(nonce),
            source,
            cache: Mutex::default(),
            buffers: BufferPool::new(POOLED_BUFFERS, MAX_READ_CHUNKS as usize * SEALED_CHUNK_LEN),
        })
    }

    fn end(&self) -> Result<End, UnsealError> {
        let last = self.layout.last_chunk();
        let sealed_len = self.layout.sealed_len(last, last);
        // No file ends with an empty chunk, unless that is all it has.
        if sealed_len < TAG_LEN || (sealed_len == TAG_LEN && last > 0) {
            return Ok(End::Cut { chunks: last });
        }
        let mut sealed = vec![0; sealed_len];
        read_exact_at(&*self.source, &mut sealed, self.layout.sealed_offset(last))
            .map_err(UnsealError::Io)?;
        let opens = |position| {
            let mut sealed = sealed.clone();
            self.key.open(last, position, &mut sealed).is_some()
        };
        Ok(if opens(Position::Last) {
            End::Whole
        } else if sealed_len == SEALED_CHUNK_LEN && opens(Position::Inner) {
            End::Cut { chunks: last + 1 }
        } else {
            End::Damaged { last }
        })
    }

    /// Reads chunks from the file, from `first` on, and copies what is wanted of them: from `skip` bytes into the first until `buffer` is
    /// full or a chunk is damaged.
    fn read_chunks(&self, first: u64, skip: usize, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted_chunks = (skip + buffer.len()).div_ceil(CHUNK_LEN) as u64;
        let last = first + wanted_chunks.min(MAX_READ_CHUNKS) - 1;
        let mut room = self.buffers.take();
        let sealed = room.reserve(self.layout.sealed_len(first, last));
        read_exact_at(&*self.source, sealed, self.layout.sealed_offset(first))?;
        let (mut done, mut skip) = (0, skip);
        for (chunk, sealed) in (first..).zip(sealed.chunks_mut(SEALED_CHUNK_LEN)) {
            let content_len = sealed.len().saturating_sub(TAG_LEN);
            let position = self.layout.position(chunk);
            let Some(content) = self.key.open(chunk, position, sealed) else {
                // What was opened before it counts; whoever reads on gets the error.
                return if done > 0 {
                    Ok(done)
                } else {
                    Err(damaged(chunk, content_len))
                };
            };
            let part = &content[skip..];
            let len = part.len().min(buffer.len() - done);
            buffer[done..done + len].copy_from_slice(&part[..len]);
            if len < content.len() {
                self.cache().keep(chunk, content);
            }
            done += len;
            skip = 0;
        }
        Ok(done)
    }

    fn cache(&self) -> MutexGuard<'_, ChunkCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for SealedSource {
    fn len(&self) -> u64 {
        self.layout.content_len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let available = self.len().saturating_sub(offset);
        let wanted = usize::try_from(available).map_or(buffer.len(), |len| len.min(buffer.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let buffer = &mut buffer[..wanted];
        let chunk = offset / CHUNK_LEN as u64;
        let skip = (offset % CHUNK_LEN as u64) as usize;
        let cached = self.cache().copy(chunk, skip, buffer);
        match cached {
            Some(len) => Ok(len),
            None => self.read_chunks(chunk, skip, buffer),
        }
    }
}

/// How a sealed file ends.
enum End {
    Whole,
    /// So many chunks are there, and nothing is wrong with the last of them.
    Cut {
        chunks: u64,
    },
    /// The last chunk is damaged, or the file was cut within it: the two look the same.
    Damaged {
        last: u64,
    },
}

fn damaged(chunk: u64, content_len: usize) -> io::Error {
    let error = UnsealError::DamagedChunk {
        offset: content_offset(chunk),
        length: content_len as u64,
    };
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The first `max` bytes, or all if there are less.
fn read_head(source: &dyn Source, max: usize) -> io::Result<Vec<u8>> {
    let len = usize::try_from(source.len()).map_or(max, |len| len.min(max));
    let mut head = vec![0; len];
    read_exact_at(source, &mut head, 0)?;
    Ok(head)
}
