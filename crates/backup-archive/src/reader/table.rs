//! The table of contents: an index in memory, blocks read when they are needed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::{Codec, Decoder};
use crate::format::{
    Block, BlockKind, Malformed, Member, Reader, decode_entry_block, decode_member_block,
};
use crate::source::read_exact_at;
use crate::writer::contents_member_header;
use crate::{ArchivePath, Digest, Entry, ReadError, Source};

/// The table of contents of an archive, in the archive itself or in what a scan made.
pub(super) struct Table {
    source: Arc<dyn Source>,
    codec: Codec,
    blocks: Vec<PlacedBlock>,
    pub(super) archives: Vec<Vec<u8>>,
    /// The block of entries read last, for look-ups one after the other.
    recent: Mutex<Option<(usize, Arc<Vec<Entry>>)>>,
    max_path: usize,
}

/// A block, and where it is.
struct PlacedBlock {
    block: Block,
    stored_offset: u64,
    tar_offset: u64,
}

pub(super) fn damaged(what: &'static str) -> ReadError {
    ReadError::DamagedTable { what }
}

impl Table {
    /// A table whose first block is at these offsets of `source` and of the tar stream.
    pub(super) fn new(
        source: Arc<dyn Source>,
        codec: Codec,
        blocks: Vec<Block>,
        mut stored_offset: u64,
        mut tar_offset: u64,
        max_path: usize,
    ) -> Result<Self, ReadError> {
        let mut placed = Vec::with_capacity(blocks.len());
        for block in blocks {
            let (stored_len, plain_len) = (block.stored_len, block.plain_len);
            placed.push(PlacedBlock {
                block,
                stored_offset,
                tar_offset,
            });
            stored_offset = stored_offset.saturating_add(stored_len.into());
            tar_offset = tar_offset.saturating_add(plain_len.into());
        }
        let recent = Mutex::new(None);
        let mut table = Self {
            source,
            codec,
            blocks: placed,
            archives: Vec::new(),
            recent,
            max_path,
        };
        table.archives = table.read_archives()?;
        Ok(table)
    }

    pub(super) fn entry_count(&self) -> u64 {
        let counts = self.blocks.iter().map(|placed| match placed.block.kind {
            BlockKind::Entries { count, .. } => count,
            _ => 0,
        });
        counts.fold(0, u64::saturating_add)
    }

    /// Reads every block once.
    pub(super) fn check_all(&self) -> Result<(), ReadError> {
        for index in 0..self.blocks.len() {
            match self.blocks[index].block.kind {
                BlockKind::Entries { .. } => drop(self.read_entries(index)?),
                BlockKind::Members { .. } => drop(self.read_members(index)?),
                BlockKind::TarHeader | BlockKind::Archives { .. } => drop(self.read_block(index)?),
            }
        }
        Ok(())
    }

    /// The content of block `index`.
    pub(super) fn read_block(&self, index: usize) -> Result<Vec<u8>, ReadError> {
        let PlacedBlock {
            block,
            stored_offset,
            tar_offset,
        } = &self.blocks[index];
        let mut stored = vec![0; block.stored_len as usize];
        read_exact_at(self.source.as_ref(), &mut stored, *stored_offset).map_err(|source| {
            ReadError::Io {
                offset: *stored_offset,
                source,
            }
        })?;
        decode_contents_member(
            self.codec,
            &stored,
            *tar_offset,
            block.plain_len,
            Some(&block.digest),
        )
        .ok_or(damaged("a block is not what was written"))
    }

    /// The entries of block `index`; nothing if it is of another kind.
    fn read_entries(&self, index: usize) -> Result<Vec<Entry>, ReadError> {
        let BlockKind::Entries {
            count,
            tar_offset,
            ref least,
            ref greatest,
        } = self.blocks[index].block.kind
        else {
            return Ok(Vec::new());
        };
        let bytes = self.read_block(index)?;
        let entries = decode_entry_block(&bytes, count, tar_offset)
            .map_err(|Malformed| damaged("a block of entries is malformed"))?;
        for entry in &entries {
            if entry.path < *least || entry.path > *greatest {
                return Err(damaged("an entry is outside the range of its block"));
            }
            if entry.path.as_bytes().len() > self.max_path {
                return Err(ReadError::Limit {
                    what: "bytes in a path",
                    max: self.max_path as u64,
                });
            }
        }
        Ok(entries)
    }

    fn read_members(&self, index: usize) -> Result<Vec<Member>, ReadError> {
        let BlockKind::Members {
            count,
            stored_offset,
            tar_offset,
        } = self.blocks[index].block.kind
        else {
            return Ok(Vec::new());
        };
        let bytes = self.read_block(index)?;
        decode_member_block(&bytes, count, stored_offset, tar_offset)
            .map_err(|Malformed| damaged("a block of members is malformed"))
    }

    fn read_archives(&self) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut archives = Vec::new();
        for index in 0..self.blocks.len() {
            let BlockKind::Archives { count } = self.blocks[index].block.kind else {
                continue;
            };
            let bytes = self.read_block(index)?;
            let mut reader = Reader::new(&bytes);
            let malformed = |Malformed| damaged("the list of archives is malformed");
            while !reader.is_empty() {
                archives.push(reader.bytes().map_err(malformed)?.to_vec());
            }
            if archives.len() as u64 != count {
                return Err(malformed(Malformed));
            }
        }
        Ok(archives)
    }

    /// All entries, block by block.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<Entry, ReadError>> + '_ {
        in_blocks(0..self.blocks.len(), |index| self.read_entries(index))
    }

    /// All members.
    pub(super) fn members(&self) -> impl Iterator<Item = Result<Member, ReadError>> + '_ {
        in_blocks(0..self.blocks.len(), |index| self.read_members(index))
    }

    /// All members that end after `tar_offset`.
    pub(super) fn members_from(
        &self,
        tar_offset: u64,
    ) -> impl Iterator<Item = Result<Member, ReadError>> + '_ {
        let starts_after = |placed: &PlacedBlock| matches!(placed.block.kind, BlockKind::Members { tar_offset: first, .. } if first > tar_offset);
        let is_members =
            |placed: &PlacedBlock| matches!(placed.block.kind, BlockKind::Members { .. });
        let end = self
            .blocks
            .iter()
            .position(starts_after)
            .unwrap_or(self.blocks.len());
        let start = self.blocks[..end]
            .iter()
            .rposition(is_members)
            .unwrap_or(end);
        in_blocks(start..self.blocks.len(), |index| self.read_members(index)).skip_while(
            move |member| matches!(member, Ok(member) if member.tar_end() <= tar_offset),
        )
    }

    pub(super) fn find(&self, path: &ArchivePath) -> Result<Option<Entry>, ReadError> {
        for (index, placed) in self.blocks.iter().enumerate() {
            match &placed.block.kind {
                BlockKind::Entries {
                    least, greatest, ..
                } if least <= path && path <= greatest => {}
                _ => continue,
            }
            if let Some(entry) = self
                .entries_of(index)?
                .iter()
                .find(|entry| entry.path == *path)
            {
                return Ok(Some(entry.clone()));
            }
        }
        Ok(None)
    }

    pub(super) fn entry(&self, number: u64) -> Result<Option<Entry>, ReadError> {
        let mut first = 0;
        for (index, placed) in self.blocks.iter().enumerate() {
            let BlockKind::Entries { count, .. } = placed.block.kind else {
                continue;
            };
            if number - first < count {
                let entries = self.entries_of(index)?;
                return Ok(entries.get((number - first) as usize).cloned());
            }
            first += count;
        }
        Ok(None)
    }

    fn entries_of(&self, index: usize) -> Result<Arc<Vec<Entry>>, ReadError> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        match &*recent {
            Some((known, entries)) if *known == index => Ok(Arc::clone(entries)),
            _ => {
                let entries = Arc::new(self.read_entries(index)?);
                *recent = Some((index, Arc::clone(&entries)));
                Ok(entries)
            }
        }
    }
}

/// Chains what the blocks give. Ends after the first error.
fn in_blocks<'a, T: 'a>(
    indices: Range<usize>,
    read: impl Fn(usize) -> Result<Vec<T>, ReadError> + 'a,
) -> impl Iterator<Item = Result<T, ReadError>> + 'a {
    let mut indices = indices;
    let mut block = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(item) = block.next() {
                return Some(Ok(item));
            }
            match read(indices.next()?) {
                Ok(items) => block = items.into_iter(),
                Err(error) => {
                    indices = 0..0;
                    return Some(Err(error));
                }
            }
        }
    })
}

/// Decodes a member of the table of contents, header included. `None` if anything is not as it must be.
pub(super) fn decode_contents_member(
    codec: Codec,
    stored: &[u8],
    tar_offset: u64,
    plain_len: u32,
    digest: Option<&Digest>,
) -> Option<Vec<u8>> {
    let payload = stored.get(codec.header_len()..)?;
    let header = codec.encode_header(&contents_member_header(
        codec,
        tar_offset,
        payload.len(),
        plain_len,
    ));
    if stored[..codec.header_len()] != *header
        || digest.is_some_and(|digest| Digest::of(payload) != *digest)
    {
        return None;
    }
    let mut plain = vec![0; plain_len as usize];
    Decoder::new().decode(codec, stored, &mut plain).ok()?;
    Some(plain)
}
