//! The container around the tar stream: how a piece of it becomes a member, and a member the piece again.

mod detector;
mod gzip;
mod stored;
mod zstandard;

use bytes::Bytes;
use memchr::memmem;

use crate::buffer::BufferPool;
use crate::format::{FOOTER_PAYLOAD_LEN, Footer, FooterError, MemberHeader};
use crate::tar::BLOCK;

pub(crate) use detector::{Class, Detector};

/// How the contents of an archive are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (`.tar.gz`): what every system can read.
    Gzip {
        /// 1, the fastest and default, to 12.
        level: u8,
    },
    /// Zstandard (`.tar.zst`): about twice as fast as gzip, somewhat smaller.
    Zstd {
        /// 1, the fastest and default, to 22.
        level: i32,
    },
    /// None (`.tar`). A file without its table of contents then has nothing left to find damage in contents with.
    None,
}

/// gzip level 1.
impl Default for Compression {
    fn default() -> Self {
        Self::Gzip { level: 1 }
    }
}

impl Compression {
    /// What file names of such archives end with, the dot included.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip { .. } => ".tar.gz",
            Self::Zstd { .. } => ".tar.zst",
            Self::None => ".tar",
        }
    }

    pub(crate) fn codec(self) -> Codec {
        match self {
            Self::Gzip { .. } => Codec::Gzip,
            Self::Zstd { .. } => Codec::Zstd,
            Self::None => Codec::Plain,
        }
    }
}

/// The container formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Codec {
    Plain = 0,
    Gzip = 1,
    Zstd = 2,
}

impl Codec {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Plain, Self::Gzip, Self::Zstd]
            .into_iter()
            .find(|codec| *codec as u8 == number)
    }

    /// How much of the tar stream goes into one member: larger ones compress better, smaller ones are read sooner.
    /// A power of two, so that the contents of large files are cut into whole subtrees of BLAKE3.
    pub(crate) fn member_target(self) -> usize {
        match self {
            Self::Gzip | Self::Plain => 1 << 20,
            Self::Zstd => 4 << 20,
        }
    }

    /// Length of the header of every member.
    pub(crate) fn header_len(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Gzip => gzip::HEADER_LEN,
            Self::Zstd => zstandard::HEADER_LEN,
        }
    }

    /// The header of a member, as stored.
    pub(crate) fn encode_header(self, header: &MemberHeader) -> Bytes {
        match self {
            Self::Plain => Bytes::new(),
            Self::Gzip => gzip::encode_header(header),
            Self::Zstd => zstandard::encode_header(header),
        }
    }

    /// Reads a header of a member at the beginning of `bytes`, if there is one of ours.
    pub(crate) fn decode_header(self, bytes: &[u8]) -> Option<MemberHeader> {
        match self {
            Self::Plain => None,
            Self::Gzip => gzip::decode_header(bytes),
            Self::Zstd => zstandard::decode_header(bytes),
        }
    }

    /// Where in `bytes` the first header of a member begins that is complete and `accept`ed.
    pub(crate) fn find_header(
        self,
        bytes: &[u8],
        accept: &dyn Fn(&MemberHeader) -> bool,
    ) -> Option<usize> {
        let prefix: &[u8] = match self {
            Self::Plain => return None,
            Self::Gzip => &gzip::FIXED_HEADER,
            Self::Zstd => &zstandard::MEMBER_MAGIC_BYTES,
        };
        memmem::find_iter(bytes, prefix).find(|&at| {
            self.decode_header(&bytes[at..])
                .is_some_and(|header| accept(&header))
        })
    }

    /// The footer as stored, and how many bytes of the file come after it.
    pub(crate) fn encode_footer(self, footer: &Footer) -> Bytes {
        let payload = footer.encode();
        match self {
            Self::Plain => {
                let mut block = payload.to_vec();
                block.resize(BLOCK, 0);
                block.into()
            }
            Self::Gzip => gzip::encode_footer(&payload),
            Self::Zstd => zstandard::encode_footer(&payload),
        }
    }

    /// How far before the end of the file the footer begins, and how long it is. Without a container it is the end of the
    /// last entry, and the two blocks that end a tar archive follow.
    pub(crate) fn footer_place(self) -> FooterPlace {
        match self {
            Self::Plain => FooterPlace {
                from_end: 3 * BLOCK,
                len: BLOCK,
                payload_at: 0,
            },
            Self::Gzip => FooterPlace {
                from_end: gzip::FOOTER_LEN,
                len: gzip::FOOTER_LEN,
                payload_at: gzip::FOOTER_PAYLOAD_AT,
            },
            Self::Zstd => FooterPlace {
                from_end: zstandard::FOOTER_LEN,
                len: zstandard::FOOTER_LEN,
                payload_at: zstandard::FOOTER_PAYLOAD_AT,
            },
        }
    }

    /// Finds the footer in the last bytes of a file. Every byte around the record must be what this crate writes.
    pub(crate) fn decode_footer(self, tail: &[u8]) -> Result<Footer, FooterError> {
        let place = self.footer_place();
        let start = tail
            .len()
            .checked_sub(place.from_end)
            .ok_or(FooterError::Missing)?;
        let bytes = &tail[start..start + place.len];
        let payload = bytes[place.payload_at..]
            .first_chunk::<FOOTER_PAYLOAD_LEN>()
            .ok_or(FooterError::Missing)?;
        let footer = Footer::decode(payload)?;
        let has_right_end = tail[start + place.len..].iter().all(|&byte| byte == 0);
        if footer.codec != self || *self.encode_footer(&footer) != *bytes || !has_right_end {
            return Err(FooterError::Damaged);
        }
        Ok(footer)
    }
}

/// Where the footer is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FooterPlace {
    pub(crate) from_end: usize,
    pub(crate) len: usize,
    payload_at: usize,
}

/// The longest of the places of [`Codec::footer_place`].
pub(crate) const MAX_FOOTER_FROM_END: usize = 3 * BLOCK;

/// The stored form of a piece of the tar stream, without the header of its member.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) len: usize,
    /// Whether the bytes are stored as they are.
    pub(crate) is_stored: bool,
}

impl Payload {
    fn new(pieces: Vec<Bytes>, is_stored: bool) -> Self {
        let len = pieces.iter().map(Bytes::len).sum();
        Self {
            pieces,
            len,
            is_stored,
        }
    }
}

/// Compresses; each worker has its own.
pub(crate) enum Encoder {
    Plain,
    Gzip(gzip::Encoder),
    Zstd(zstandard::Encoder),
}

/// Compressing must save this share, or the bytes are stored: reading them is then almost free.
const LEAST_SAVING_PERCENT: usize = 3;

/// The longest compressed form of `len` bytes that is worth it.
fn worthwhile_len(len: usize) -> usize {
    len - len * LEAST_SAVING_PERCENT / 100
}

impl Encoder {
    pub(crate) fn new(compression: Compression, pool: BufferPool) -> Result<Self, &'static str> {
        match compression {
            Compression::None => Ok(Self::Plain),
            Compression::Gzip { level } => gzip::Encoder::new(level, pool).map(Self::Gzip),
            Compression::Zstd { level } => zstandard::Encoder::new(level, pool).map(Self::Zstd),
        }
    }

    /// Encodes `plain`, storing it if its class says so, or if compressing does not pay.
    pub(crate) fn encode(&mut self, plain: &Bytes, class: Class) -> Payload {
        let compressed = match (&mut *self, class) {
            (_, Class::Incompressible) | (Self::Plain, _) => None,
            (Self::Gzip(encoder), _) => encoder.compress(plain),
            (Self::Zstd(encoder), _) => encoder.compress(plain),
        };
        match compressed {
            Some(pieces) => Payload::new(pieces, false),
            None => Payload::new(self.store(plain), true),
        }
    }

    fn store(&self, plain: &Bytes) -> Vec<Bytes> {
        match self {
            Self::Plain => vec![plain.clone()],
            Self::Gzip(_) => gzip::store(plain),
            Self::Zstd(_) => zstandard::store(plain),
        }
    }
}

/// Decompresses; each thread has its own.
pub(crate) struct Decoder {
    gzip: gzip::Decoder,
    zstd: Option<zstandard::Decoder>,
}

/// The bytes of a member are not a member, or not of the length expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecodable;

impl Decoder {
    pub(crate) fn new() -> Self {
        Self {
            gzip: gzip::Decoder::new(),
            zstd: None,
        }
    }

    /// Decodes a whole member, header included, to exactly `plain.len()` bytes. Bytes that another reader would understand as
    /// something more are an error.
    pub(crate) fn decode(
        &mut self,
        codec: Codec,
        member: &[u8],
        plain: &mut [u8],
    ) -> Result<(), Undecodable> {
        match codec {
            Codec::Plain if member.len() == plain.len() => {
                plain.copy_from_slice(member);
                Ok(())
            }
            Codec::Plain => Err(Undecodable),
            Codec::Gzip => self.gzip.decode(member, plain),
            Codec::Zstd => {
                if self.zstd.is_none() {
                    self.zstd = Some(zstandard::Decoder::new()?);
                }
                self.zstd.as_mut().ok_or(Undecodable)?.decode(member, plain)
            }
        }
    }
}
