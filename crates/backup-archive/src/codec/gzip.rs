//! gzip members (RFC 1952), each with its place in the archive in the extra field of its header.

use bytes::{BufMut, Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use memchr::memmem;

use super::stored::StoredBlocks;
use super::{Undecodable, worthwhile_len};
use crate::buffer::BufferPool;
use crate::format::{FOOTER_PAYLOAD_LEN, MemberHeader};

/// Magic, deflate, extra field present; no time; no hint on the level; unknown system.
pub(super) const FIXED_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];
/// Identifiers of our subfields of the extra field.
const MEMBER_SUBFIELD: [u8; 2] = *b"EM";
const FOOTER_SUBFIELD: [u8; 2] = *b"EF";
/// Length of the extra field, identifier and length of the subfield.
const SUBFIELD_HEADER_LEN: usize = 6;
const TRAILER_LEN: usize = 8;
/// A final deflate block with nothing in it.
const EMPTY_DEFLATE: [u8; 2] = [3, 0];
const STORED: StoredBlocks = StoredBlocks {
    block_len: 65_535,
    header_len: 5,
};

pub(super) const HEADER_LEN: usize =
    FIXED_HEADER.len() + SUBFIELD_HEADER_LEN + MemberHeader::PAYLOAD_LEN;
pub(super) const FOOTER_PAYLOAD_AT: usize = FIXED_HEADER.len() + SUBFIELD_HEADER_LEN;
pub(super) const FOOTER_LEN: usize =
    FOOTER_PAYLOAD_AT + FOOTER_PAYLOAD_LEN + EMPTY_DEFLATE.len() + TRAILER_LEN;

pub(super) fn encode_header(header: &MemberHeader) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER_LEN);
    put_extra(&mut out, MEMBER_SUBFIELD, &header.encode());
    out.freeze()
}

pub(super) fn decode_header(bytes: &[u8]) -> Option<MemberHeader> {
    let payload = bytes.get(FOOTER_PAYLOAD_AT..)?.first_chunk()?;
    let header = MemberHeader::decode(payload).ok()?;
    let is_ours = bytes.get(..HEADER_LEN)? == encode_header(&header);
    (is_ours && header.stored_len as usize > HEADER_LEN + TRAILER_LEN).then_some(header)
}

/// An empty member: to gzip tools, nothing.
pub(super) fn encode_footer(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(FOOTER_LEN);
    put_extra(&mut out, FOOTER_SUBFIELD, payload);
    out.put_slice(&EMPTY_DEFLATE);
    out.put_bytes(0, TRAILER_LEN);
    out.freeze()
}

fn put_extra(out: &mut BytesMut, identifier: [u8; 2], payload: &[u8]) {
    out.put_slice(&FIXED_HEADER);
    out.put_u16_le(payload.len() as u16 + 4);
    out.put_slice(&identifier);
    out.put_u16_le(payload.len() as u16);
    out.put_slice(payload);
}

fn trailer(plain: &[u8]) -> [u8; TRAILER_LEN] {
    let mut trailer = [0; TRAILER_LEN];
    trailer[..4].copy_from_slice(&crc32fast::hash(plain).to_le_bytes());
    trailer[4..].copy_from_slice(&(plain.len() as u32).to_le_bytes());
    trailer
}

/// Stored deflate blocks around slices of `plain`: nothing is copied but their few header bytes.
pub(super) fn store(plain: &Bytes) -> Vec<Bytes> {
    let blocks = STORED.count(plain.len());
    let mut frame = BytesMut::with_capacity(blocks * STORED.header_len + TRAILER_LEN);
    for (len, is_last) in STORED.lengths(plain.len()) {
        let len = len as u16;
        frame.put_u8(u8::from(is_last));
        frame.put_u16_le(len);
        frame.put_u16_le(!len);
    }
    frame.put_slice(&trailer(plain));
    STORED.interleave(frame, 0, plain)
}

pub(crate) struct Encoder {
    compressor: Compressor,
    pool: BufferPool,
}

impl Encoder {
    pub(super) fn new(level: u8, pool: BufferPool) -> Result<Self, &'static str> {
        let level = match level {
            1..=12 => CompressionLvl::new(level.into()).map_err(|_| "a gzip level is 1 to 12")?,
            _ => return Err("a gzip level is 1 to 12"),
        };
        Ok(Self {
            compressor: Compressor::new(level),
            pool,
        })
    }

    /// `None` if compressing does not pay.
    pub(super) fn compress(&mut self, plain: &[u8]) -> Option<Vec<Bytes>> {
        let mut out = self.pool.take();
        let room = out.reserve(worthwhile_len(plain.len()));
        let len = self.compressor.deflate_compress(plain, room).ok()?;
        out.advance(len);
        out.extend(&trailer(plain));
        Some(vec![out.freeze()])
    }
}

pub(super) struct Decoder(Decompressor);

impl Decoder {
    pub(super) fn new() -> Self {
        Self(Decompressor::new())
    }

    pub(super) fn decode(&mut self, member: &[u8], plain: &mut [u8]) -> Result<(), Undecodable> {
        let payload = member.get(HEADER_LEN..).ok_or(Undecodable)?;
        let (deflate, stored_trailer) = payload
            .split_last_chunk::<TRAILER_LEN>()
            .ok_or(Undecodable)?;
        let len = self
            .0
            .deflate_decompress(deflate, plain)
            .map_err(|_| Undecodable)?;
        if len != plain.len()
            || trailer(plain) != *stored_trailer
            || has_something_after(deflate, plain.len())
        {
            return Err(Undecodable);
        }
        Ok(())
    }
}

/// Whether the deflate stream ends early and another gzip member follows, which other readers would read and we would not.
/// Only then can those bytes be found in the data; as that is rare, the slow way of finding the end is good enough.
fn has_something_after(deflate: &[u8], plain_len: usize) -> bool {
    const MEMBER_START: [u8; 3] = [0x1f, 0x8b, 8];
    if memmem::find(deflate, &MEMBER_START).is_none() {
        return false;
    }
    let mut stream = Decompress::new(false);
    let mut sink = vec![0; plain_len + 1];
    let status = stream.decompress(deflate, &mut sink, FlushDecompress::Finish);
    !matches!(status, Ok(Status::StreamEnd)) || stream.total_in() != deflate.len() as u64
}
