//! Members: the independent gzip members or zstd frames that the tar stream is cut into.

use super::varint::{Reader, put_varint};
use super::{MAX_MEMBER_LEN, Malformed};
use crate::Digest;

/// One member as the table of contents lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Where it begins in the file.
    pub(crate) stored_offset: u64,
    /// Its length in the file, header included.
    pub(crate) stored_len: u32,
    /// Where the part of the tar stream that it holds begins.
    pub(crate) tar_offset: u64,
    /// Length of that part.
    pub(crate) tar_len: u32,
    /// Whether it begins with the headers of an entry, rather than within the content of one.
    pub(crate) starts_entry: bool,
    /// Whether its bytes are stored as they are.
    pub(crate) is_stored: bool,
    /// Digest of what follows its header.
    pub(crate) digest: Digest,
}

impl Member {
    pub(crate) fn tar_end(&self) -> u64 {
        self.tar_offset + u64::from(self.tar_len)
    }

    pub(crate) fn stored_end(&self) -> u64 {
        self.stored_offset + u64::from(self.stored_len)
    }

    pub(crate) fn header(&self) -> MemberHeader {
        MemberHeader {
            tar_offset: self.tar_offset,
            stored_len: self.stored_len,
            tar_len: self.tar_len,
            starts_entry: self.starts_entry,
            is_stored: self.is_stored,
            in_contents: false,
        }
    }

    fn flags(&self) -> u8 {
        self.header().flags()
    }
}

const STARTS_ENTRY: u8 = 1;
const STORED: u8 = 2;
const IN_CONTENTS: u8 = 4;
const HEADER_VERSION: u8 = 1;

/// What every member says of itself in front of its data, so that a file that lost its table of contents can be put together again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberHeader {
    pub(crate) tar_offset: u64,
    pub(crate) stored_len: u32,
    pub(crate) tar_len: u32,
    pub(crate) starts_entry: bool,
    pub(crate) is_stored: bool,
    /// Whether it belongs to the table of contents, or comes after it.
    pub(crate) in_contents: bool,
}

impl MemberHeader {
    pub(crate) const PAYLOAD_LEN: usize = 24;

    pub(crate) fn encode(&self) -> [u8; Self::PAYLOAD_LEN] {
        let mut bytes = [0; Self::PAYLOAD_LEN];
        bytes[0..8].copy_from_slice(&self.tar_offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.stored_len.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.tar_len.to_le_bytes());
        bytes[16] = self.flags();
        bytes[17] = HEADER_VERSION;
        let check = crc32fast::hash(&bytes[..20]);
        bytes[20..24].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    fn flags(&self) -> u8 {
        let flags = [
            (self.starts_entry, STARTS_ENTRY),
            (self.is_stored, STORED),
            (self.in_contents, IN_CONTENTS),
        ];
        flags
            .iter()
            .map(|&(is_set, flag)| u8::from(is_set) * flag)
            .sum()
    }

    pub(crate) fn decode(bytes: &[u8; Self::PAYLOAD_LEN]) -> Result<Self, Malformed> {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let flags = bytes[16];
        let header = Self {
            tar_offset: u64::from(u32_at(0)) | u64::from(u32_at(4)) << 32,
            stored_len: u32_at(8),
            tar_len: u32_at(12),
            starts_entry: flags & STARTS_ENTRY != 0,
            is_stored: flags & STORED != 0,
            in_contents: flags & IN_CONTENTS != 0,
        };
        let is_plausible =
            header.tar_len <= MAX_MEMBER_LEN && header.tar_offset.checked_add(1 << 32).is_some();
        // Encoding it again compares the check, the version and the reserved bytes at once.
        if is_plausible && header.encode() == *bytes {
            Ok(header)
        } else {
            Err(Malformed)
        }
    }
}

/// Collects the members of one block of the table of contents.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberBlockBuilder {
    bytes: Vec<u8>,
    count: u64,
    first: Option<(u64, u64)>,
}

impl MemberBlockBuilder {
    pub(crate) fn push(&mut self, member: &Member) {
        self.first
            .get_or_insert((member.stored_offset, member.tar_offset));
        self.count += 1;
        self.bytes.push(member.flags());
        put_varint(&mut self.bytes, member.stored_len.into());
        put_varint(&mut self.bytes, member.tar_len.into());
        self.bytes.extend_from_slice(member.digest.as_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Offsets of the first member: in the file, and in the tar stream.
    pub(crate) fn first_offsets(&self) -> Option<(u64, u64)> {
        self.first
    }

    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }
}

/// Decodes a block of `count` members, the first of which is at these offsets; each of the others follows the one before.
pub(crate) fn decode_member_block(
    bytes: &[u8],
    count: u64,
    mut stored_offset: u64,
    mut tar_offset: u64,
) -> Result<Vec<Member>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut members = Vec::new();
    while !reader.is_empty() {
        let flags = reader.byte()?;
        let member = Member {
            stored_offset,
            stored_len: reader.u32()?,
            tar_offset,
            tar_len: reader.u32()?,
            starts_entry: flags & STARTS_ENTRY != 0,
            is_stored: flags & STORED != 0,
            digest: Digest::from(reader.array()?),
        };
        if member.flags() != flags
            || member.tar_len == 0
            || member.tar_len > MAX_MEMBER_LEN
            || member.stored_len == 0
        {
            return Err(Malformed);
        }
        stored_offset = stored_offset
            .checked_add(member.stored_len.into())
            .ok_or(Malformed)?;
        tar_offset = tar_offset
            .checked_add(member.tar_len.into())
            .ok_or(Malformed)?;
        members.push(member);
    }
    if members.len() as u64 == count {
        Ok(members)
    } else {
        Err(Malformed)
    }
}
