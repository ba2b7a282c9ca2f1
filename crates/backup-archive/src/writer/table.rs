//! The table of contents while it grows: finished blocks go to a temporary file, the list of them stays in memory.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use bytes::Bytes;
use tempfile::{SpooledTempFile, spooled_tempfile_in};

use super::unit::digest_of_pieces;
use crate::Entry;
use crate::codec::{Class, Codec, Encoder};
use crate::format::{Block, BlockKind, EntryBlockBuilder, Member, MemberBlockBuilder, put_bytes};

/// A block is closed once it has so many bytes before compression: finding an entry decodes one block.
const BLOCK_LEN: usize = 64 << 10;
/// A table that stays shorter needs no temporary file.
const IN_MEMORY_LEN: usize = 4 << 20;

/// Builds the blocks of a table of contents.
pub(crate) struct TableBuilder {
    codec: Codec,
    encoder: Encoder,
    spill: SpooledTempFile,
    spill_len: u64,
    blocks: Vec<Block>,
    entries: EntryBlockBuilder,
    members: MemberBlockBuilder,
    /// Where the next member must begin, in the file and in the tar stream, to belong to the same block.
    next_member: (u64, u64),
    /// Where the next entry must begin in the tar stream.
    next_entry: u64,
}

/// A place to go back to, as long as no entry was added since.
pub(crate) struct TableMark {
    spill_len: u64,
    blocks: usize,
    members: MemberBlockBuilder,
    next_member: (u64, u64),
}

/// A finished table: its blocks, without the headers of their members, one after the other.
pub(crate) struct FinishedTable {
    pub(crate) blocks: Vec<Block>,
    pub(crate) spill: SpooledTempFile,
}

impl TableBuilder {
    pub(crate) fn new(codec: Codec, encoder: Encoder, spill_dir: PathBuf) -> Self {
        Self {
            codec,
            encoder,
            spill: spooled_tempfile_in(IN_MEMORY_LEN, spill_dir),
            spill_len: 0,
            blocks: Vec::new(),
            entries: EntryBlockBuilder::default(),
            members: MemberBlockBuilder::default(),
            next_member: (0, 0),
            next_entry: 0,
        }
    }

    /// A table that stays in memory and is not compressed, to be read here and now.
    pub(crate) fn in_memory() -> Self {
        let spill = SpooledTempFile::new(usize::MAX);
        Self {
            spill,
            ..Self::new(Codec::Plain, Encoder::Plain, PathBuf::new())
        }
    }

    /// Length of the blocks that are closed, in bytes.
    pub(crate) fn stored_len(&self) -> u64 {
        self.spill_len
    }

    /// Adds an entry whose headers begin at `tar_offset`. `tar_len` is its length there, 0 if it is in another archive.
    pub(crate) fn push_entry(
        &mut self,
        entry: &Entry,
        tar_offset: u64,
        tar_len: u64,
    ) -> io::Result<()> {
        if self.entries.is_full(BLOCK_LEN) || tar_offset != self.next_entry {
            self.flush_entries()?;
        }
        self.entries.push(entry, tar_offset);
        self.next_entry = tar_offset + tar_len;
        Ok(())
    }

    /// Adds a member.
    pub(crate) fn push_member(&mut self, member: &Member) -> io::Result<()> {
        if self.members.len() >= BLOCK_LEN
            || self.next_member != (member.stored_offset, member.tar_offset)
        {
            self.flush_members()?;
        }
        self.members.push(member);
        self.next_member = (member.stored_end(), member.tar_end());
        Ok(())
    }

    pub(crate) fn mark(&self) -> TableMark {
        TableMark {
            spill_len: self.spill_len,
            blocks: self.blocks.len(),
            members: self.members.clone(),
            next_member: self.next_member,
        }
    }

    pub(crate) fn rewind(&mut self, mark: TableMark) -> io::Result<()> {
        self.spill.set_len(mark.spill_len)?;
        self.spill.seek(SeekFrom::Start(mark.spill_len))?;
        self.spill_len = mark.spill_len;
        self.blocks.truncate(mark.blocks);
        self.members = mark.members;
        self.next_member = mark.next_member;
        Ok(())
    }

    /// Closes the last blocks. `archives` identify those that entries refer to.
    pub(crate) fn finish(mut self, archives: &[Vec<u8>]) -> io::Result<FinishedTable> {
        self.flush_entries()?;
        self.flush_members()?;
        if !archives.is_empty() {
            let mut bytes = Vec::new();
            for archive in archives {
                put_bytes(&mut bytes, archive);
            }
            self.push_block(
                BlockKind::Archives {
                    count: archives.len() as u64,
                },
                bytes,
            )?;
        }
        self.spill.rewind()?;
        Ok(FinishedTable {
            blocks: self.blocks,
            spill: self.spill,
        })
    }

    fn flush_entries(&mut self) -> io::Result<()> {
        let Some((least, greatest)) = self.entries.range().cloned() else {
            return Ok(());
        };
        let (count, tar_offset) = (self.entries.count(), self.entries.first_tar_offset());
        let bytes = self.entries.take_bytes();
        self.push_block(
            BlockKind::Entries {
                count,
                tar_offset,
                least,
                greatest,
            },
            bytes,
        )
    }

    fn flush_members(&mut self) -> io::Result<()> {
        let Some((stored_offset, tar_offset)) = self.members.first_offsets() else {
            return Ok(());
        };
        let count = self.members.count();
        let bytes = self.members.take_bytes();
        self.push_block(
            BlockKind::Members {
                count,
                stored_offset,
                tar_offset,
            },
            bytes,
        )
    }

    fn push_block(&mut self, kind: BlockKind, bytes: Vec<u8>) -> io::Result<()> {
        let plain_len = bytes.len() as u32;
        let payload = self
            .encoder
            .encode(&Bytes::from(bytes), Class::Compressible);
        for piece in &payload.pieces {
            self.spill.write_all(piece)?;
        }
        self.spill_len += payload.len as u64;
        let stored_len = (self.codec.header_len() + payload.len) as u32;
        self.blocks.push(Block {
            kind,
            stored_len,
            plain_len,
            digest: digest_of_pieces(&payload.pieces),
        });
        Ok(())
    }
}

impl FinishedTable {
    /// All blocks, one after the other.
    pub(crate) fn into_bytes(mut self) -> io::Result<Bytes> {
        let mut bytes = Vec::new();
        self.spill.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// Reads the next block, as stored but for the header of its member, of `len` bytes.
    pub(crate) fn read_payload(&mut self, len: usize) -> io::Result<Bytes> {
        let mut payload = vec![0; len];
        self.spill.read_exact(&mut payload)?;
        Ok(payload.into())
    }
}
