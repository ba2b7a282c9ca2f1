//! Archives that other programs wrote: one stream, read from its beginning.

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::{ArchiveReader, Extent};
use crate::codec::Codec;
use crate::{Damage, Entry, EntryReceiver, ReadError, Source};

/// The container around the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamFormat {
    Plain,
    Gzip,
    Zstd,
}

impl From<Codec> for StreamFormat {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Plain => Self::Plain,
            Codec::Gzip => Self::Gzip,
            Codec::Zstd => Self::Zstd,
        }
    }
}

/// So much is read from the file, and given to receivers, at a time.
const PIECE_LEN: usize = 1 << 20;
const FILE_BUFFER_LEN: usize = 128 << 10;

/// Opens the tar stream at its beginning.
pub(super) fn open(
    source: &Arc<dyn Source>,
    format: StreamFormat,
) -> Result<Box<dyn Read + Send>, ReadError> {
    let file = SourceReader {
        source: Arc::clone(source),
        offset: 0,
    };
    let file = BufReader::with_capacity(FILE_BUFFER_LEN, file);
    Ok(match format {
        StreamFormat::Plain => Box::new(file),
        StreamFormat::Gzip => Box::new(BufReader::with_capacity(
            FILE_BUFFER_LEN,
            MultiGzDecoder::new(file),
        )),
        StreamFormat::Zstd => {
            let decoder = zstd::Decoder::with_buffer(file)
                .map_err(|source| ReadError::Io { offset: 0, source })?;
            Box::new(BufReader::with_capacity(FILE_BUFFER_LEN, decoder))
        }
    })
}

/// Opens the tar stream at an offset.
pub(super) fn open_at<'a>(
    reader: &'a ArchiveReader,
    format: StreamFormat,
    offset: u64,
) -> Result<Box<dyn Read + Send + 'a>, ReadError> {
    if format == StreamFormat::Plain {
        let file = SourceReader {
            source: Arc::clone(&reader.source),
            offset,
        };
        return Ok(Box::new(BufReader::with_capacity(FILE_BUFFER_LEN, file)));
    }
    let mut stream = open(&reader.source, format)?;
    skip(stream.as_mut(), offset).map_err(|source| ReadError::DamagedStream { offset, source })?;
    Ok(stream)
}

/// Reads some of the content of an entry; nothing more of it is damage.
pub(super) fn read_some(
    stream: &mut dyn Read,
    buffer: &mut [u8],
    entry: &Entry,
) -> Result<usize, ReadError> {
    let damaged = |damage| ReadError::Damaged {
        path: entry.path.clone(),
        damage,
    };
    loop {
        match stream.read(buffer) {
            Ok(0) if !buffer.is_empty() => return Err(damaged(Damage::Content)),
            Ok(len) => return Ok(len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(Damage::Unreadable(error.to_string()))),
        }
    }
}

/// Gives the wanted entries to a receiver, on this thread.
pub(super) fn read_entries<R: EntryReceiver>(
    reader: &ArchiveReader,
    format: StreamFormat,
    wanted: &mut (dyn FnMut(&mut Entry) -> bool + Send),
    receiver: &R,
) -> Result<ControlFlow<()>, ReadError> {
    let mut stream = open(&reader.source, format)?;
    let mut position = 0;
    let mut buffer = vec![0; PIECE_LEN];
    for entry in reader.entries() {
        let mut entry = entry?;
        let Some(extent) = Extent::of(&entry) else {
            continue;
        };
        if !wanted(&mut entry) {
            continue;
        }
        skip(stream.as_mut(), extent.content - position).map_err(|source| {
            ReadError::DamagedStream {
                offset: position,
                source,
            }
        })?;
        position = extent.content + entry.size;
        if deliver(&entry, stream.as_mut(), &mut buffer, receiver).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn deliver<R: EntryReceiver>(
    entry: &Entry,
    stream: &mut dyn Read,
    buffer: &mut [u8],
    receiver: &R,
) -> ControlFlow<()> {
    let output = receiver.begin(entry)?;
    let mut hasher = entry.digest.map(|_| blake3::Hasher::new());
    let mut offset = 0;
    while offset < entry.size {
        let len = (entry.size - offset).min(buffer.len() as u64) as usize;
        if stream.read_exact(&mut buffer[..len]).is_err() {
            return receiver.end(entry, Some(output), Err(Damage::Content));
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(&buffer[..len]);
        }
        receiver.piece(entry, &output, offset, &buffer[..len])?;
        offset += len as u64;
    }
    let actual = hasher.map(|hasher| hasher.finalize().into());
    let outcome = if actual == entry.digest {
        Ok(())
    } else {
        Err(Damage::Content)
    };
    receiver.end(entry, Some(output), outcome)
}

/// Reads `len` bytes and forgets them.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] if there are fewer.
pub(super) fn skip(stream: &mut dyn Read, len: u64) -> io::Result<()> {
    let skipped = io::copy(&mut stream.take(len), &mut io::sink())?;
    if skipped == len {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A source, read from front to back.
struct SourceReader {
    source: Arc<dyn Source>,
    offset: u64,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read_at(buffer, self.offset)?;
        self.offset += len as u64;
        Ok(len)
    }
}
