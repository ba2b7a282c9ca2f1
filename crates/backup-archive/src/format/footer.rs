//! The footer: the last thing in the file, of fixed size, which says where the index is.

use super::FORMAT_VERSION;
use crate::Digest;
use crate::codec::Codec;

/// Length of the record, without what the container puts around it.
pub(crate) const FOOTER_PAYLOAD_LEN: usize = 104;

const MAGIC: &[u8; 8] = b"edmsbkup";
const CHECKED_LEN: usize = 92;

/// The footer record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) codec: Codec,
    /// Features that readers need not know; none so far.
    pub(crate) optional_features: u32,
    /// Where the first member of the table of contents, its tar header, begins in the file.
    pub(crate) contents_offset: u64,
    /// The same in the tar stream: everything before are entries.
    pub(crate) contents_tar_offset: u64,
    /// Where the index begins in the file.
    pub(crate) index_offset: u64,
    /// Its length there.
    pub(crate) index_stored_len: u32,
    /// Its length when decoded.
    pub(crate) index_plain_len: u32,
    /// Digest of all stored bytes from the index to the footer.
    pub(crate) digest: Digest,
}

/// Why bytes are not a footer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FooterError {
    /// The magic is not there.
    Missing,
    /// It is there, but the record does not match its check.
    Damaged,
    /// Of a format version that is not known here.
    Version(u16),
    /// Needs features that are not known here.
    Features(u32),
}

impl Footer {
    pub(crate) fn encode(&self) -> [u8; FOOTER_PAYLOAD_LEN] {
        let mut bytes = [0; FOOTER_PAYLOAD_LEN];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[10] = self.codec as u8;
        // 12..16: required features; none so far.
        bytes[16..20].copy_from_slice(&self.optional_features.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.contents_offset.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.contents_tar_offset.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.index_offset.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.index_stored_len.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.index_plain_len.to_le_bytes());
        bytes[52..84].copy_from_slice(self.digest.as_bytes());
        let check = Digest::of(&bytes[..CHECKED_LEN]);
        bytes[CHECKED_LEN..].copy_from_slice(&check.as_bytes()[..FOOTER_PAYLOAD_LEN - CHECKED_LEN]);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; FOOTER_PAYLOAD_LEN]) -> Result<Self, FooterError> {
        if bytes[..8] != *MAGIC {
            return Err(FooterError::Missing);
        }
        let check = Digest::of(&bytes[..CHECKED_LEN]);
        if bytes[CHECKED_LEN..] != check.as_bytes()[..FOOTER_PAYLOAD_LEN - CHECKED_LEN] {
            return Err(FooterError::Damaged);
        }
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != FORMAT_VERSION {
            return Err(FooterError::Version(version));
        }
        if u32_at(12) != 0 {
            return Err(FooterError::Features(u32_at(12)));
        }
        let mut digest = [0; Digest::LEN];
        digest.copy_from_slice(&bytes[52..84]);
        Ok(Self {
            codec: Codec::from_number(bytes[10]).ok_or(FooterError::Damaged)?,
            optional_features: u32_at(16),
            contents_offset: u64_at(20),
            contents_tar_offset: u64_at(28),
            index_offset: u64_at(36),
            index_stored_len: u32_at(44),
            index_plain_len: u32_at(48),
            digest: digest.into(),
        })
    }
}
