//! The index: the last block of the table of contents, which lists all others.

use super::Malformed;
use super::varint::{Reader, put_bytes, put_varint};
use crate::{ArchivePath, Digest};

/// One block of the table of contents. Blocks follow each other without gaps, in the file and in the tar stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What it holds.
    pub(crate) kind: BlockKind,
    /// Its length in the file, the header of its member included.
    pub(crate) stored_len: u32,
    /// Its length when decoded.
    pub(crate) plain_len: u32,
    /// Digest of its stored bytes after the header of the member.
    pub(crate) digest: Digest,
}

/// What a block of the table of contents holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// The tar headers of the table of contents itself: the first block, and no other.
    TarHeader,
    /// Entries, in the order of the tar stream.
    Entries {
        count: u64,
        /// Where the first of them that is in this archive begins.
        tar_offset: u64,
        least: ArchivePath,
        greatest: ArchivePath,
    },
    /// Members, in the order of the file.
    Members {
        count: u64,
        /// Where the first begins in the file.
        stored_offset: u64,
        /// Where its part of the tar stream begins.
        tar_offset: u64,
    },
    /// Identifiers of the other archives that entries refer to.
    Archives { count: u64 },
}

/// The most bytes that a block may have before compression. Blocks are much shorter, unless a single entry has so much to say.
const MAX_BLOCK_LEN: u32 = 4 << 20;

const KIND_TAR_HEADER: u64 = 0;
const KIND_ENTRIES: u64 = 1;
const KIND_MEMBERS: u64 = 2;
const KIND_ARCHIVES: u64 = 3;

/// The decoded index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) blocks: Vec<Block>,
}

impl Index {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.blocks.len() as u64);
        for block in &self.blocks {
            encode_block(&mut out, block);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let count = reader.varint()?;
        let mut blocks = Vec::new();
        while !reader.is_empty() {
            blocks.push(decode_block(&mut reader)?);
        }
        if blocks.len() as u64 == count {
            Ok(Self { blocks })
        } else {
            Err(Malformed)
        }
    }

    /// Number of entries, in all blocks.
    pub(crate) fn entry_count(&self) -> u64 {
        let counts = self.blocks.iter().map(|block| match block.kind {
            BlockKind::Entries { count, .. } => count,
            _ => 0,
        });
        counts.fold(0, u64::saturating_add)
    }
}

fn encode_block(out: &mut Vec<u8>, block: &Block) {
    let kind = match block.kind {
        BlockKind::TarHeader => KIND_TAR_HEADER,
        BlockKind::Entries { .. } => KIND_ENTRIES,
        BlockKind::Members { .. } => KIND_MEMBERS,
        BlockKind::Archives { .. } => KIND_ARCHIVES,
    };
    put_varint(out, kind);
    put_varint(out, block.stored_len.into());
    put_varint(out, block.plain_len.into());
    out.extend_from_slice(block.digest.as_bytes());
    match &block.kind {
        BlockKind::TarHeader => {}
        BlockKind::Entries {
            count,
            tar_offset,
            least,
            greatest,
        } => {
            put_varint(out, *count);
            put_varint(out, *tar_offset);
            put_bytes(out, least.as_bytes());
            put_bytes(out, greatest.as_bytes());
        }
        BlockKind::Members {
            count,
            stored_offset,
            tar_offset,
        } => {
            put_varint(out, *count);
            put_varint(out, *stored_offset);
            put_varint(out, *tar_offset);
        }
        BlockKind::Archives { count } => put_varint(out, *count),
    }
}

fn decode_block(reader: &mut Reader<'_>) -> Result<Block, Malformed> {
    let kind = reader.varint()?;
    let stored_len = reader.u32()?;
    let plain_len = reader.u32()?;
    if plain_len > MAX_BLOCK_LEN || stored_len > 2 * MAX_BLOCK_LEN {
        return Err(Malformed);
    }
    let digest = Digest::from(reader.array()?);
    let kind = match kind {
        KIND_TAR_HEADER => BlockKind::TarHeader,
        KIND_ENTRIES => BlockKind::Entries {
            count: reader.varint()?,
            tar_offset: reader.varint()?,
            least: decode_path(reader)?,
            greatest: decode_path(reader)?,
        },
        KIND_MEMBERS => BlockKind::Members {
            count: reader.varint()?,
            stored_offset: reader.varint()?,
            tar_offset: reader.varint()?,
        },
        KIND_ARCHIVES => BlockKind::Archives {
            count: reader.varint()?,
        },
        _ => return Err(Malformed),
    };
    Ok(Block {
        kind,
        stored_len,
        plain_len,
        digest,
    })
}

fn decode_path(reader: &mut Reader<'_>) -> Result<ArchivePath, Malformed> {
    ArchivePath::new(reader.bytes()?).map_err(|_| Malformed)
}
