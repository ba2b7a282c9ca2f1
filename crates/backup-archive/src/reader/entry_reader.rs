//! Reads the content of one entry.

use std::io::{self, Read};

use super::engine::Scratch;
use super::header_check::check_header;
use super::{ArchiveReader, Extent, Layout, stream};
use crate::codec::Codec;
use crate::format::Member;
use crate::{Damage, Entry, ReadError};

/// The content of a file, from [`ArchiveReader::read`]. The error after the last byte of a damaged one is a [`ReadError::Damaged`]
/// within an [`io::Error`]; until then nothing is sure.
pub struct EntryReader<'a> {
    entry: Entry,
    pieces: Pieces<'a>,
    remaining: u64,
    hasher: blake3::Hasher,
    is_checked: bool,
}

enum Pieces<'a> {
    Members(Box<MemberPieces<'a>>),
    Stream(Box<dyn Read + Send + 'a>),
}

/// The pieces of the content in the members that hold it.
struct MemberPieces<'a> {
    reader: &'a ArchiveReader,
    codec: Codec,
    extent: Extent,
    members: Box<dyn Iterator<Item = Result<Member, ReadError>> + Send + 'a>,
    scratch: Scratch,
    /// The piece at hand, and how much of it is taken.
    piece: Vec<u8>,
    taken: usize,
}

impl<'a> EntryReader<'a> {
    pub(super) fn new(reader: &'a ArchiveReader, entry: &Entry) -> Result<Self, ReadError> {
        if !entry.kind.is_file() {
            return Err(ReadError::NotAFile {
                path: entry.path.clone(),
            });
        }
        let extent = Extent::of(entry).ok_or_else(|| ReadError::Elsewhere {
            path: entry.path.clone(),
        })?;
        let pieces = match reader.layout {
            Layout::Members { codec, .. } => Pieces::Members(Box::new(MemberPieces {
                reader,
                codec,
                members: Box::new(reader.table.members_from(extent.start)),
                extent,
                scratch: Scratch::default(),
                piece: Vec::new(),
                taken: 0,
            })),
            Layout::Stream(format) => {
                Pieces::Stream(stream::open_at(reader, format, extent.content)?)
            }
        };
        Ok(Self {
            entry: entry.clone(),
            pieces,
            remaining: entry.size,
            hasher: blake3::Hasher::new(),
            is_checked: false,
        })
    }

    fn damaged(&self, damage: Damage) -> ReadError {
        ReadError::Damaged {
            path: self.entry.path.clone(),
            damage,
        }
    }

    /// As [`Read::read`], with errors that say what is wrong.
    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if self.is_checked {
            return Ok(0);
        }
        let max = self.remaining.min(buffer.len() as u64) as usize;
        let len = match &mut self.pieces {
            // Also without content the header is to be checked.
            Pieces::Members(pieces) => pieces.read(&self.entry, &mut buffer[..max])?,
            Pieces::Stream(stream) => {
                stream::read_some(stream.as_mut(), &mut buffer[..max], &self.entry)?
            }
        };
        self.hasher.update(&buffer[..len]);
        self.remaining -= len as u64;
        if self.remaining == 0 && !self.is_checked {
            self.is_checked = true;
            let digest = self.hasher.finalize().into();
            if self.entry.digest.is_some_and(|expected| expected != digest) {
                return Err(self.damaged(Damage::Content));
            }
        }
        Ok(len)
    }
}

impl Read for EntryReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl MemberPieces<'_> {
    fn read(&mut self, entry: &Entry, buffer: &mut [u8]) -> Result<usize, ReadError> {
        while self.taken == self.piece.len() && (!buffer.is_empty() || self.piece.is_empty()) {
            if !self.next_piece(entry)? {
                return if buffer.is_empty() {
                    Ok(0)
                } else {
                    Err(damaged(entry, Damage::Content))
                };
            }
            if entry.size == 0 {
                return Ok(0);
            }
        }
        let len = buffer.len().min(self.piece.len() - self.taken);
        buffer[..len].copy_from_slice(&self.piece[self.taken..self.taken + len]);
        self.taken += len;
        Ok(len)
    }

    /// Decodes the next member; `false` if there is none.
    fn next_piece(&mut self, entry: &Entry) -> Result<bool, ReadError> {
        let Some(member) = self.members.next().transpose()? else {
            return Ok(false);
        };
        let source = self.reader.source.as_ref();
        let plain = self
            .scratch
            .decode(source, self.codec, &member, false)
            .map_err(|damage| damaged(entry, damage))?;
        let within = |offset: u64| {
            offset
                .saturating_sub(member.tar_offset)
                .min(plain.len() as u64) as usize
        };
        let start = within(self.extent.content);
        if self.extent.start >= member.tar_offset {
            check_header(entry, &plain[within(self.extent.start)..start])
                .map_err(|damage| damaged(entry, damage))?;
        }
        let end = within(self.extent.content + entry.size);
        self.piece.clear();
        self.piece.extend_from_slice(&plain[start..end]);
        self.taken = 0;
        Ok(true)
    }
}

fn damaged(entry: &Entry, damage: Damage) -> ReadError {
    ReadError::Damaged {
        path: entry.path.clone(),
        damage,
    }
}

pub(super) fn read_bytes(
    reader: &ArchiveReader,
    entry: &Entry,
    max: u64,
) -> Result<Vec<u8>, ReadError> {
    if entry.size > max {
        return Err(ReadError::TooLarge {
            path: entry.path.clone(),
            size: entry.size,
            max,
        });
    }
    let mut content = EntryReader::new(reader, entry)?;
    // The size is a claim: the memory grows with what is really there.
    let mut bytes = Vec::new();
    let mut chunk = vec![0; (entry.size as usize).clamp(1, 1 << 20)];
    loop {
        match content.read_some(&mut chunk)? {
            0 => return Ok(bytes),
            len => bytes.extend_from_slice(&chunk[..len]),
        }
    }
}
