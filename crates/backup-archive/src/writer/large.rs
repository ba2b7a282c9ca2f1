//! Large files: read in segments, each a member of its own; written again when the file changed meanwhile.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::pipeline::Output;
use crate::buffer::{Buffer, BufferPool};
use crate::tar::{encode_headers, padding};
use crate::{
    ArchivePath, Digest, Entry, EntryKind, FileOutcome, FileSource, Location, MAX_ATTEMPTS,
    Metadata, OpenFile, WriteError,
};

/// So much is read at a time to be hashed.
const HASH_LEN: u64 = 1 << 20;

/// A part of a large file, as it stands in the tar stream.
pub(super) struct Segment {
    /// Headers, if it is the first; content; padding, if it is the last.
    pub(super) plain: Bytes,
    /// Where the content is in `plain`.
    pub(super) content: Range<usize>,
    /// Where the content belongs in the file.
    pub(super) offset: u64,
    /// Whether it is all of the file.
    pub(super) is_whole: bool,
}

/// Takes the parts of a large file in order.
pub(super) trait LargeOutput {
    fn segment(&mut self, segment: Segment) -> Result<(), WriteError>;
    fn control(&mut self, output: Output) -> Result<(), WriteError>;
}

/// Reads a file and hands it on, up to [`MAX_ATTEMPTS`] times as long as it changes while it is read.
pub(super) fn write_large(
    path: &ArchivePath,
    source: &mut dyn FileSource,
    pool: &BufferPool,
    segment_len: usize,
    output: &mut dyn LargeOutput,
) -> Result<(), WriteError> {
    for attempt in 1..=MAX_ATTEMPTS {
        let mut file = match open(source) {
            Ok(file) => file,
            Err(error) => return report(path, failure(error), output),
        };
        let mut header = Vec::new();
        let metadata = file.metadata().clone();
        let size = file.size();
        encode_headers(&mut header, path, &EntryKind::File, size, &metadata);
        output.control(Output::BeginLarge)?;
        let is_last_attempt = attempt == MAX_ATTEMPTS;
        let read = read_segments(
            file.as_mut(),
            &header,
            size,
            is_last_attempt,
            pool,
            segment_len,
            output,
        )?;
        let outcome = match read.and_then(|complete| Ok(complete && file.unchanged()?)) {
            Ok(true) => FileOutcome::Captured,
            Ok(false) if is_last_attempt => FileOutcome::Changed,
            Ok(false) => {
                output.control(Output::RewindLarge)?;
                continue;
            }
            Err(error) => {
                output.control(Output::RewindLarge)?;
                return report(path, failure(error), output);
            }
        };
        let entry = file_entry(path.clone(), metadata, size, header.len());
        return output.control(Output::EndLarge {
            entry: Box::new(entry),
            outcome,
        });
    }
    Ok(())
}

/// Reads a file to see whether its content is the expected one; its metadata then. `None` also if it changes or cannot be read:
/// whoever writes it tells.
pub(super) fn read_expecting(
    source: &mut dyn FileSource,
    size: u64,
    digest: &Digest,
    pool: &BufferPool,
) -> Option<Metadata> {
    let mut file = open(source).ok()?;
    if file.size() != size {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    let mut left = size;
    while left > 0 {
        let mut buffer = pool.take();
        let len = left.min(HASH_LEN) as usize;
        let read = read_full(file.as_mut(), buffer.reserve(len)).ok()?;
        buffer.advance(read);
        if read < len {
            return None;
        }
        hasher.update(buffer.as_slice());
        left -= len as u64;
    }
    let is_same = Digest::from(hasher.finalize()) == *digest && file.unchanged().ok()?;
    is_same.then(|| file.metadata().clone())
}

/// Opens a file, holding its metadata against what headers can carry.
pub(super) fn open(source: &mut dyn FileSource) -> io::Result<Box<dyn OpenFile + '_>> {
    let file = source.open()?;
    super::check_metadata(file.metadata()).map_err(io::Error::other)?;
    Ok(file)
}

pub(super) fn failure(error: io::Error) -> FileOutcome {
    match error.kind() {
        io::ErrorKind::NotFound => FileOutcome::Vanished,
        _ => FileOutcome::Unreadable(error),
    }
}

pub(super) fn file_entry(
    path: ArchivePath,
    metadata: Metadata,
    size: u64,
    header_len: usize,
) -> Entry {
    let location = Location::Here {
        offset: 0,
        header_len: header_len as u32,
    };
    Entry {
        path,
        kind: EntryKind::File,
        metadata,
        size,
        digest: None,
        location,
    }
}

/// Reads until `room` is full or the file ends; how much there was.
pub(super) fn read_full(file: &mut dyn OpenFile, room: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < room.len() {
        match file.read(&mut room[done..]) {
            Ok(0) => break,
            Ok(len) => done += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn report(
    path: &ArchivePath,
    outcome: FileOutcome,
    output: &mut dyn LargeOutput,
) -> Result<(), WriteError> {
    output.control(Output::Report {
        path: path.clone(),
        outcome,
    })
}

/// Hands on exactly `size` bytes of content. `Ok(false)`: the file had fewer; the rest is zeros if `fill`, otherwise missing.
fn read_segments(
    file: &mut dyn OpenFile,
    header: &[u8],
    size: u64,
    fill: bool,
    pool: &BufferPool,
    segment_len: usize,
    output: &mut dyn LargeOutput,
) -> Result<io::Result<bool>, WriteError> {
    let mut offset = 0;
    let mut is_complete = true;
    loop {
        let len = (size - offset).min(segment_len as u64) as usize;
        let mut plain = pool.take();
        if offset == 0 {
            plain.extend(header);
        }
        let start = plain.len();
        if is_complete {
            match read_full(file, plain.reserve(len)) {
                Ok(read) => plain.advance(read),
                Err(error) => return Ok(Err(error)),
            }
        }
        let missing = start + len - plain.len();
        if missing > 0 {
            is_complete = false;
            if !fill {
                return Ok(Ok(false));
            }
            plain.extend_zeros(missing);
        }
        let is_last = offset + len as u64 == size;
        output.segment(finish_segment(plain, start..start + len, offset, size))?;
        if is_last {
            return Ok(Ok(is_complete));
        }
        offset += len as u64;
    }
}

fn finish_segment(mut plain: Buffer, content: Range<usize>, offset: u64, size: u64) -> Segment {
    let len = content.len() as u64;
    if offset + len == size {
        plain.extend_zeros(padding(size));
    }
    Segment {
        plain: plain.freeze(),
        content,
        offset,
        is_whole: len == size,
    }
}
