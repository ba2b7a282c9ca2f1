//! The end of an archive: the table of contents as the last entry, the end of the tar stream, and the footer.

use std::io;

use bytes::{Bytes, BytesMut};

use super::table::FinishedTable;
use super::unit::digest_of_pieces;
use crate::codec::{Class, Codec, Encoder, Payload};
use crate::format::{Block, BlockKind, CONTENTS_PATH, Footer, Index, MemberHeader};
use crate::tar::{BLOCK, END_OF_ARCHIVE, encode_headers, padding};
use crate::{ArchivePath, Digest, EntryKind, Metadata, Sink, WriteError};

/// Headers of the entry that holds the table of contents, which is `size` bytes long. Readers compare them byte for byte.
pub(crate) fn contents_headers(size: u64) -> Vec<u8> {
    let mut header = Vec::new();
    if let Ok(path) = ArchivePath::new(CONTENTS_PATH) {
        let metadata = Metadata {
            mode: 0o644,
            ..Metadata::default()
        };
        encode_headers(&mut header, &path, &EntryKind::File, size, &metadata);
    }
    header
}

/// Length of the content of that entry: its blocks, the index, and without a container the footer, at the end of the last tar block.
pub(crate) fn contents_size(codec: Codec, blocks: &[Block], index_plain_len: u64) -> u64 {
    let in_blocks = |block: &Block| match block.kind {
        BlockKind::TarHeader => 0,
        _ => u64::from(block.plain_len),
    };
    let size = blocks
        .iter()
        .map(in_blocks)
        .fold(index_plain_len, u64::saturating_add);
    match codec {
        Codec::Plain => size.saturating_add((padding(size) + BLOCK) as u64),
        Codec::Gzip | Codec::Zstd => size,
    }
}

/// What stands between the index and the footer, before compression.
pub(crate) fn tail(codec: Codec, blocks: &[Block], index_plain_len: u64) -> Bytes {
    let size = contents_size(codec, blocks, index_plain_len);
    match codec {
        Codec::Plain => {
            let without_footer = contents_size(Codec::Gzip, blocks, index_plain_len);
            Bytes::from(vec![0; padding(without_footer)])
        }
        Codec::Gzip | Codec::Zstd => Bytes::from(vec![0; padding(size) + END_OF_ARCHIVE.len()]),
    }
}

/// Writes everything from the end of the last entry on.
pub(super) fn write_contents<S: Sink>(
    sink: &mut S,
    codec: Codec,
    encoder: &mut Encoder,
    mut table: FinishedTable,
    tar_offset: u64,
    stored_offset: u64,
) -> Result<(), WriteError> {
    let mut blocks = std::mem::take(&mut table.blocks);
    blocks.insert(0, tar_header_block(codec, encoder, 0)?.0);
    let index_plain_len = Index {
        blocks: blocks.clone(),
    }
    .encode()
    .len() as u64;
    let size = contents_size(codec, &blocks, index_plain_len);
    let (block, header) = tar_header_block(codec, encoder, size)?;
    blocks[0] = block;
    let index = Index { blocks };
    let index_plain = Bytes::from(index.encode());
    if index_plain.len() as u64 != index_plain_len {
        // Only a table of 8 GiB has longer headers, and those are one block more in a number that fits one byte.
        return Err(WriteError::Sink(io::Error::other(
            "the table of contents is too large",
        )));
    }

    let mut out = Members {
        sink,
        codec,
        tar_offset,
        stored_offset,
    };
    for block in &index.blocks {
        let payload = match block.kind {
            BlockKind::TarHeader => header.pieces.clone(),
            _ => {
                let len = block.stored_len as usize - codec.header_len();
                vec![table.read_payload(len).map_err(WriteError::Spill)?]
            }
        };
        out.write(payload, block.plain_len)?;
    }
    let index_offset = out.stored_offset;
    let tail_plain = tail(codec, &index.blocks, index_plain_len);
    let index_payload = encoder.encode(&index_plain, Class::Compressible);
    let mut hasher = blake3::Hasher::new();
    let index_stored_len = out.write_hashed(index_payload, index_plain_len as u32, &mut hasher)?;
    if !tail_plain.is_empty() {
        let tail_payload = encoder.encode(&tail_plain, Class::Compressible);
        out.write_hashed(tail_payload, tail_plain.len() as u32, &mut hasher)?;
    }
    let footer = Footer {
        codec,
        optional_features: 0,
        contents_offset: stored_offset,
        contents_tar_offset: tar_offset,
        index_offset,
        index_stored_len,
        index_plain_len: index_plain_len as u32,
        digest: hasher.finalize().into(),
    };
    let mut pieces = vec![codec.encode_footer(&footer)];
    if codec == Codec::Plain {
        pieces.push(Bytes::from_static(&END_OF_ARCHIVE));
    }
    out.sink.write(pieces).map_err(WriteError::Sink)
}

/// The block that holds the tar headers: always stored, so that its length does not depend on the size in the headers.
fn tar_header_block(
    codec: Codec,
    encoder: &mut Encoder,
    size: u64,
) -> Result<(Block, Payload), WriteError> {
    let header = Bytes::from(contents_headers(size));
    let plain_len = header.len() as u32;
    let payload = encoder.encode(&header, Class::Incompressible);
    let stored_len = (codec.header_len() + payload.len) as u32;
    let digest: Digest = digest_of_pieces(&payload.pieces);
    Ok((
        Block {
            kind: BlockKind::TarHeader,
            stored_len,
            plain_len,
            digest,
        },
        payload,
    ))
}

/// Writes members that are not listed among those of the entries.
struct Members<'a, S: Sink> {
    sink: &'a mut S,
    codec: Codec,
    tar_offset: u64,
    stored_offset: u64,
}

impl<S: Sink> Members<'_, S> {
    fn write(&mut self, payload: Vec<Bytes>, plain_len: u32) -> Result<(), WriteError> {
        let len: usize = payload.iter().map(Bytes::len).sum();
        let header = contents_member_header(self.codec, self.tar_offset, len, plain_len);
        let mut pieces = vec![self.codec.encode_header(&header)];
        pieces.extend(payload);
        self.sink.write(pieces).map_err(WriteError::Sink)?;
        self.tar_offset += u64::from(plain_len);
        self.stored_offset += u64::from(header.stored_len);
        Ok(())
    }

    /// Returns the stored length.
    fn write_hashed(
        &mut self,
        payload: Payload,
        plain_len: u32,
        hasher: &mut blake3::Hasher,
    ) -> Result<u32, WriteError> {
        let header = contents_member_header(self.codec, self.tar_offset, payload.len, plain_len);
        let mut whole = BytesMut::from(&*self.codec.encode_header(&header));
        payload
            .pieces
            .iter()
            .for_each(|piece| whole.extend_from_slice(piece));
        hasher.update(&whole);
        self.write(payload.pieces, plain_len)?;
        Ok(header.stored_len)
    }
}

/// Header of a member of the table of contents, or after it. How it is compressed, such a member does not tell.
pub(crate) fn contents_member_header(
    codec: Codec,
    tar_offset: u64,
    payload_len: usize,
    tar_len: u32,
) -> MemberHeader {
    MemberHeader {
        tar_offset,
        stored_len: (codec.header_len() + payload_len) as u32,
        tar_len,
        starts_entry: false,
        is_stored: false,
        in_contents: true,
    }
}
