//! The tar layer: headers as POSIX.1-2001 (pax) defines them, written one way and read strictly.

mod decode;
mod encode;
mod pax;
mod refusal;

pub(crate) use decode::{Item, TarEntry, TarError, read_item};
pub(crate) use encode::{MAX_HEADER_LEN, encode_headers};
pub use refusal::Refusal;

/// Everything in a tar stream is padded to this many bytes.
pub(crate) const BLOCK: usize = 512;

/// Two blocks of zeros end an archive.
pub(crate) const END_OF_ARCHIVE: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Sizes from here on do not fit the octal digits of a ustar header.
const OCTAL_SIZE_LIMIT: u64 = 1 << 33;

/// `len` rounded up to whole blocks. Saturates, so that a hostile length stays one.
pub(crate) fn padded(len: u64) -> u64 {
    len.saturating_add(padding(len) as u64)
}

/// Bytes that pad `len` to whole blocks.
pub(crate) fn padding(len: u64) -> usize {
    (len.wrapping_neg() % BLOCK as u64) as usize
}

/// Offsets and lengths of the fields of a ustar header.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const TYPE: usize = 156;
    pub(super) const LINK: Range<usize> = 157..257;
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const USER: Range<usize> = 265..297;
    pub(super) const GROUP: Range<usize> = 297..329;
    pub(super) const DEVICE_MAJOR: Range<usize> = 329..337;
    pub(super) const DEVICE_MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;

    /// Sum of all bytes of the header, those of the checksum itself counted as spaces.
    pub(super) fn checksum(header: &[u8]) -> u32 {
        let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
        let spaces = CHECKSUM.len() as u32 * u32::from(b' ');
        sum(&header[..CHECKSUM.start]) + spaces + sum(&header[CHECKSUM.end..])
    }
}
