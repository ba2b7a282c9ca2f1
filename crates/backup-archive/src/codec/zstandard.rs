//! Zstandard frames (RFC 8878), each after a skippable frame with its place in the archive.

use bytes::{BufMut, Bytes, BytesMut};
use xxhash_rust::xxh64::xxh64;
use zstd::bulk;
use zstd::zstd_safe::{self, CParameter};

use super::stored::StoredBlocks;
use super::{Undecodable, worthwhile_len};
use crate::buffer::BufferPool;
use crate::format::{FOOTER_PAYLOAD_LEN, MemberHeader};

/// Of the sixteen magic numbers of skippable frames, one for headers of members and one for the footer.
const MEMBER_MAGIC: u32 = 0x184D_2A5E;
pub(super) const MEMBER_MAGIC_BYTES: [u8; 4] = MEMBER_MAGIC.to_le_bytes();
const FOOTER_MAGIC: u32 = 0x184D_2A5F;
const SKIPPABLE_HEADER_LEN: usize = 8;
const FRAME_MAGIC: u32 = 0xFD2F_B528;
/// Content size of four bytes, single segment, checksum.
const STORED_FRAME_DESCRIPTOR: u8 = 0b1010_0100;
const STORED_FRAME_HEADER_LEN: usize = 9;
const STORED: StoredBlocks = StoredBlocks {
    block_len: 128 << 10,
    header_len: 3,
};
const CHECKSUM_LEN: usize = 4;

pub(super) const HEADER_LEN: usize = SKIPPABLE_HEADER_LEN + MemberHeader::PAYLOAD_LEN;
pub(super) const FOOTER_PAYLOAD_AT: usize = SKIPPABLE_HEADER_LEN;
pub(super) const FOOTER_LEN: usize = SKIPPABLE_HEADER_LEN + FOOTER_PAYLOAD_LEN;

pub(super) fn encode_header(header: &MemberHeader) -> Bytes {
    skippable_frame(MEMBER_MAGIC, &header.encode())
}

pub(super) fn decode_header(bytes: &[u8]) -> Option<MemberHeader> {
    let payload = bytes.get(SKIPPABLE_HEADER_LEN..)?.first_chunk()?;
    let header = MemberHeader::decode(payload).ok()?;
    let is_ours = bytes.get(..HEADER_LEN)? == encode_header(&header);
    (is_ours && header.stored_len as usize > HEADER_LEN).then_some(header)
}

pub(super) fn encode_footer(payload: &[u8]) -> Bytes {
    skippable_frame(FOOTER_MAGIC, payload)
}

fn skippable_frame(magic: u32, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(SKIPPABLE_HEADER_LEN + payload.len());
    out.put_u32_le(magic);
    out.put_u32_le(payload.len() as u32);
    out.put_slice(payload);
    out.freeze()
}

/// A frame of raw blocks around slices of `plain`: nothing is copied but their few header bytes.
pub(super) fn store(plain: &Bytes) -> Vec<Bytes> {
    let blocks = STORED.count(plain.len());
    let frame_len = STORED_FRAME_HEADER_LEN + blocks * STORED.header_len + CHECKSUM_LEN;
    let mut frame = BytesMut::with_capacity(frame_len);
    frame.put_u32_le(FRAME_MAGIC);
    frame.put_u8(STORED_FRAME_DESCRIPTOR);
    frame.put_u32_le(plain.len() as u32);
    for (len, is_last) in STORED.lengths(plain.len()) {
        let header = (len as u32) << 3 | u32::from(is_last);
        frame.put_slice(&header.to_le_bytes()[..STORED.header_len]);
    }
    frame.put_u32_le(xxh64(plain, 0) as u32);
    STORED.interleave(frame, STORED_FRAME_HEADER_LEN, plain)
}

pub(crate) struct Encoder {
    compressor: bulk::Compressor<'static>,
    pool: BufferPool,
}

impl Encoder {
    pub(super) fn new(level: i32, pool: BufferPool) -> Result<Self, &'static str> {
        const MESSAGE: &str = "a zstd level is 1 to 22";
        if !(1..=22).contains(&level) {
            return Err(MESSAGE);
        }
        let mut compressor = bulk::Compressor::new(level).map_err(|_| MESSAGE)?;
        compressor
            .set_parameter(CParameter::ChecksumFlag(true))
            .map_err(|_| MESSAGE)?;
        Ok(Self { compressor, pool })
    }

    /// `None` if compressing does not pay.
    pub(super) fn compress(&mut self, plain: &[u8]) -> Option<Vec<Bytes>> {
        let mut out = self.pool.take();
        let room = out.reserve(worthwhile_len(plain.len()));
        let len = self.compressor.compress_to_buffer(plain, room).ok()?;
        out.advance(len);
        Some(vec![out.freeze()])
    }
}

pub(super) struct Decoder(bulk::Decompressor<'static>);

impl Decoder {
    pub(super) fn new() -> Result<Self, Undecodable> {
        bulk::Decompressor::new().map(Self).map_err(|_| Undecodable)
    }

    pub(super) fn decode(&mut self, member: &[u8], plain: &mut [u8]) -> Result<(), Undecodable> {
        let frame = member.get(HEADER_LEN..).ok_or(Undecodable)?;
        let is_frame = frame.starts_with(&FRAME_MAGIC.to_le_bytes());
        // Several frames in a row would decode as one: every other reader does that too, but none of ours are written so.
        if !is_frame || zstd_safe::find_frame_compressed_size(frame) != Ok(frame.len()) {
            return Err(Undecodable);
        }
        match self.0.decompress_to_buffer(frame, plain) {
            Ok(len) if len == plain.len() => Ok(()),
            _ => Err(Undecodable),
        }
    }
}
