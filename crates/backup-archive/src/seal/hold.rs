//! Sealed groups that must not be written yet, because they may still be taken back.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use bytes::Bytes;

use super::payload::{PayloadKey, Position, TAG_LEN};
use crate::random;

/// So much waits in memory, in bytes; what comes after it goes to a temporary file.
const IN_MEMORY_LEN: usize = 32 << 20;

/// Groups since a place in the file.
pub(super) struct Hold {
    first_chunk: u64,
    in_memory: Vec<Bytes>,
    in_memory_len: usize,
    /// What comes after it.
    spilled: Option<Spill>,
}

impl Hold {
    /// Holds everything from a chunk on.
    pub(super) fn from(first_chunk: u64) -> Self {
        Self {
            first_chunk,
            in_memory: Vec::new(),
            in_memory_len: 0,
            spilled: None,
        }
    }

    /// Whether a group that begins with that chunk is to be held.
    pub(super) fn holds(&self, first_chunk: u64) -> bool {
        first_chunk >= self.first_chunk
    }

    pub(super) fn push(&mut self, sealed: Bytes, spill_dir: &Path) -> io::Result<()> {
        if let Some(spill) = &mut self.spilled {
            return spill.push(&sealed);
        }
        if self.in_memory_len + sealed.len() > IN_MEMORY_LEN {
            return self.spilled.insert(Spill::create(spill_dir)?).push(&sealed);
        }
        self.in_memory_len += sealed.len();
        self.in_memory.push(sealed);
        Ok(())
    }

    /// Gives all groups in order.
    pub(super) fn release(self, mut write: impl FnMut(Bytes) -> io::Result<()>) -> io::Result<()> {
        self.in_memory.into_iter().try_for_each(&mut write)?;
        match self.spilled {
            Some(spill) => spill.read_back(write),
            None => Ok(()),
        }
    }
}

/// Groups in a temporary file, encrypted once more with a key that nobody else ever has: what is taken back was never to be seen.
struct Spill {
    file: File,
    key: PayloadKey,
    /// Lengths of the groups, before they were encrypted again.
    lengths: Vec<u32>,
    buffer: Vec<u8>,
}

impl Spill {
    fn create(dir: &Path) -> io::Result<Self> {
        let key = random::secret().map_err(|_| io::Error::other("no random numbers"))?;
        Ok(Self {
            file: tempfile::tempfile_in(dir)?,
            key: PayloadKey::new(&key),
            lengths: Vec::new(),
            buffer: Vec::new(),
        })
    }

    fn push(&mut self, sealed: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.extend(sealed);
        let index = self.lengths.len() as u64;
        let tag = self.key.seal(index, Position::Inner, &mut self.buffer);
        self.buffer.extend(tag);
        self.lengths.push(sealed.len() as u32);
        self.file.write_all(&self.buffer)
    }

    fn read_back(mut self, mut write: impl FnMut(Bytes) -> io::Result<()>) -> io::Result<()> {
        self.file.rewind()?;
        for (index, &len) in (0..).zip(&self.lengths) {
            let mut group = vec![0; len as usize + TAG_LEN];
            self.file.read_exact(&mut group)?;
            if self.key.open(index, Position::Inner, &mut group).is_none() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "temporary data is damaged",
                ));
            }
            group.truncate(len as usize);
            write(group.into())?;
        }
        Ok(())
    }
}
