//! Units: some small entries, read, hashed and compressed by one worker.

use std::io;

use bytes::Bytes;
use crossbeam_channel::Sender;

use super::cut::{Span, cut};
use super::large::{LargeOutput, Segment, failure, file_entry, open, read_full, write_large};
use super::pipeline::{EncodedMember, Output, Reply, SegmentHash};
use crate::buffer::{Buffer, BufferPool};
use crate::codec::{Class, Detector, Encoder};
use crate::subtree::hash_segment;
use crate::tar::{encode_headers, padding};
use crate::{
    ArchivePath, Digest, Entry, EntryKind, FileOutcome, FileSource, Location, MAX_ATTEMPTS,
    Metadata, WriteError,
};

/// Something to be written, in order.
pub(super) enum Item {
    Special {
        path: ArchivePath,
        kind: EntryKind,
        metadata: Metadata,
    },
    Bytes {
        path: ArchivePath,
        metadata: Metadata,
        content: Bytes,
    },
    File {
        path: ArchivePath,
        source: Box<dyn FileSource>,
        held: Option<Box<Held>>,
    },
    Reference(Box<Entry>),
}

/// Content that another archive holds.
pub(super) struct Held {
    pub(super) size: u64,
    pub(super) digest: Digest,
    pub(super) archive: u32,
    pub(super) stored_as: Option<ArchivePath>,
}

impl Held {
    /// The entry of a file with this content, and what to say of it.
    pub(super) fn into_entry(self, path: ArchivePath, metadata: Metadata) -> (Entry, FileOutcome) {
        let outcome = FileOutcome::Held {
            archive: self.archive,
            renamed: self.stored_as.is_some(),
        };
        let entry = Entry {
            path,
            kind: EntryKind::File,
            metadata,
            size: self.size,
            digest: Some(self.digest),
            location: Location::Elsewhere {
                archive: self.archive,
                stored_as: self.stored_as,
            },
        };
        (entry, outcome)
    }
}

/// What one worker thread works with.
pub(super) struct Worker {
    pub(super) encoder: Encoder,
    pub(super) detector: Detector,
    pub(super) pool: BufferPool,
    pub(super) member_target: usize,
}

/// The pipeline has ended: nobody waits for more.
pub(super) struct Stopped;

impl Worker {
    /// Reads and encodes the items of a unit.
    pub(super) fn encode_unit(
        &mut self,
        items: Vec<Item>,
        out: &Sender<Reply>,
    ) -> Result<(), Stopped> {
        let mut unit = Unit::new(&self.pool);
        for item in items {
            match item {
                Item::Special {
                    path,
                    kind,
                    metadata,
                } => unit.push_special(path, kind, metadata),
                Item::Reference(entry) => unit.entries.push(*entry),
                Item::Bytes {
                    path,
                    metadata,
                    content,
                } if content.len() <= self.member_target => {
                    unit.push_bytes(path, metadata, &content, &mut self.detector);
                }
                Item::Bytes {
                    path,
                    metadata,
                    content,
                } => {
                    self.flush(&mut unit, out)?;
                    self.encode_large_bytes(path, metadata, &content, out)?;
                }
                Item::File { path, source, held } => {
                    self.encode_file(path, source, held, &mut unit, out)?;
                }
            }
            if unit.buffer.len() > self.member_target {
                self.flush(&mut unit, out)?;
            }
        }
        self.flush(&mut unit, out)
    }

    /// Encodes a part of a large file.
    pub(super) fn encode_segment(&mut self, segment: &Segment) -> Output {
        let content = &segment.plain[segment.content.clone()];
        let hash = if segment.is_whole {
            SegmentHash::Whole(Digest::of(content))
        } else {
            SegmentHash::Part(hash_segment(segment.offset, content))
        };
        let class = self.detector.classify(content);
        Output::Segment {
            member: self.encode_member(&segment.plain, class, segment.offset == 0),
            hash,
        }
    }

    fn encode_file(
        &mut self,
        path: ArchivePath,
        mut source: Box<dyn FileSource>,
        held: Option<Box<Held>>,
        unit: &mut Unit,
        out: &Sender<Reply>,
    ) -> Result<(), Stopped> {
        // A file that has outgrown a member since it was last looked at is written like any large one, by this thread alone.
        match unit.push_file(
            &path,
            source.as_mut(),
            held,
            2 * self.member_target,
            &mut self.detector,
        ) {
            Pushed::Done => Ok(()),
            Pushed::TooLarge => {
                self.flush(unit, out)?;
                let (pool, segment_len) = (self.pool.clone(), self.member_target);
                let mut output = InPlace { worker: self, out };
                write_large(&path, source.as_mut(), &pool, segment_len, &mut output)
                    .map_err(|_| Stopped)
            }
        }
    }

    fn encode_large_bytes(
        &mut self,
        path: ArchivePath,
        metadata: Metadata,
        content: &Bytes,
        out: &Sender<Reply>,
    ) -> Result<(), Stopped> {
        let size = content.len() as u64;
        let mut header = Vec::new();
        encode_headers(&mut header, &path, &EntryKind::File, size, &metadata);
        let mut members = Vec::new();
        let mut rest = content.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(self.member_target));
            let class = self.detector.classify(&piece);
            let is_first = members.is_empty();
            let plain = if is_first || rest.is_empty() {
                let mut plain = self.pool.take();
                plain.extend(if is_first { &header } else { b"" });
                plain.extend(&piece);
                plain.extend_zeros(if rest.is_empty() { padding(size) } else { 0 });
                plain.freeze()
            } else {
                piece
            };
            members.push(self.encode_member(&plain, class, is_first));
        }
        let mut entry = file_entry(path, metadata, size, header.len());
        entry.digest = Some(Digest::of(content));
        send(
            out,
            Output::Unit {
                members,
                entries: vec![entry],
                reports: Vec::new(),
            },
        )
    }

    fn flush(&mut self, unit: &mut Unit, out: &Sender<Reply>) -> Result<(), Stopped> {
        let Unit {
            buffer,
            spans,
            entries,
            reports,
            ..
        } = std::mem::replace(unit, Unit::new(&self.pool));
        if entries.is_empty() && reports.is_empty() {
            return Ok(());
        }
        let plain = buffer.freeze();
        let members = cut(&spans)
            .into_iter()
            .map(|(range, class)| self.encode_member(&plain.slice(range), class, true));
        let members = members.collect();
        send(
            out,
            Output::Unit {
                members,
                entries,
                reports,
            },
        )
    }

    fn encode_member(&mut self, plain: &Bytes, class: Class, starts_entry: bool) -> EncodedMember {
        let payload = self.encoder.encode(plain, class);
        EncodedMember {
            digest: digest_of_pieces(&payload.pieces),
            payload,
            tar_len: plain.len() as u32,
            starts_entry,
        }
    }
}

/// Digest of the stored bytes of a member, without its header.
pub(super) fn digest_of_pieces(pieces: &[Bytes]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize().into()
}

fn send(out: &Sender<Reply>, output: Output) -> Result<(), Stopped> {
    out.send(Reply::Output(output)).map_err(|_| Stopped)
}

/// Encodes the segments of a large file on this thread.
struct InPlace<'a> {
    worker: &'a mut Worker,
    out: &'a Sender<Reply>,
}

impl LargeOutput for InPlace<'_> {
    fn segment(&mut self, segment: Segment) -> Result<(), WriteError> {
        let output = self.worker.encode_segment(&segment);
        self.control(output)
    }

    fn control(&mut self, output: Output) -> Result<(), WriteError> {
        self.out
            .send(Reply::Output(output))
            .map_err(|_| WriteError::WorkerDied)
    }
}

/// A part of the tar stream that grows entry by entry.
struct Unit {
    buffer: Buffer,
    header: Vec<u8>,
    spans: Vec<Span>,
    entries: Vec<Entry>,
    reports: Vec<(ArchivePath, u64, FileOutcome)>,
}

enum Pushed {
    /// The file is in the unit, or reported.
    Done,
    /// It is not: it is larger than allowed.
    TooLarge,
}

impl Unit {
    fn new(pool: &BufferPool) -> Self {
        let (header, spans, entries, reports) = Default::default();
        Self {
            buffer: pool.take(),
            header,
            spans,
            entries,
            reports,
        }
    }

    fn push_special(&mut self, path: ArchivePath, kind: EntryKind, metadata: Metadata) {
        let header_len = self.push_headers(&path, &kind, 0, &metadata) as u32;
        self.spans.push(Span {
            end: self.buffer.len(),
            class: Class::Compressible,
        });
        let location = Location::Here {
            offset: 0,
            header_len,
        };
        self.entries.push(Entry {
            path,
            kind,
            metadata,
            size: 0,
            digest: None,
            location,
        });
    }

    fn push_bytes(
        &mut self,
        path: ArchivePath,
        metadata: Metadata,
        content: &[u8],
        detector: &mut Detector,
    ) {
        let header_len =
            self.push_headers(&path, &EntryKind::File, content.len() as u64, &metadata);
        let start = self.buffer.len();
        self.buffer.extend(content);
        self.finish_file(
            file_entry(path, metadata, content.len() as u64, header_len),
            start,
            detector,
        );
    }

    fn push_file(
        &mut self,
        path: &ArchivePath,
        source: &mut dyn FileSource,
        held: Option<Box<Held>>,
        max_len: usize,
        detector: &mut Detector,
    ) -> Pushed {
        let before = self.buffer.len();
        for attempt in 1..=MAX_ATTEMPTS {
            self.buffer.truncate(before);
            let is_last_attempt = attempt == MAX_ATTEMPTS;
            match self.try_file(path, source, max_len, is_last_attempt) {
                Ok(Some(Attempt {
                    entry,
                    start,
                    is_intact,
                })) => {
                    if !is_intact && !is_last_attempt {
                        continue;
                    }
                    if let Some(held) = held
                        && is_intact
                        && held.size == entry.size
                        && Digest::of(&self.buffer.as_slice()[start..]) == held.digest
                    {
                        self.buffer.truncate(before);
                        let (entry, outcome) = held.into_entry(entry.path, entry.metadata);
                        self.reports.push((path.clone(), entry.size, outcome));
                        self.entries.push(entry);
                        break;
                    }
                    let outcome = if is_intact {
                        FileOutcome::Captured
                    } else {
                        FileOutcome::Changed
                    };
                    self.reports.push((path.clone(), entry.size, outcome));
                    self.finish_file(entry, start, detector);
                }
                Ok(None) => {
                    self.buffer.truncate(before);
                    return Pushed::TooLarge;
                }
                Err(error) => {
                    self.buffer.truncate(before);
                    self.reports.push((path.clone(), 0, failure(error)));
                }
            }
            break;
        }
        Pushed::Done
    }

    /// Reads the file once. `None`: it is too large.
    fn try_file(
        &mut self,
        path: &ArchivePath,
        source: &mut dyn FileSource,
        max_len: usize,
        fill: bool,
    ) -> io::Result<Option<Attempt>> {
        let mut file = open(source)?;
        let size = file.size();
        if size > max_len as u64 {
            return Ok(None);
        }
        let header_len = self.push_headers(path, &EntryKind::File, size, file.metadata());
        let start = self.buffer.len();
        let read = read_full(file.as_mut(), self.buffer.reserve(size as usize))?;
        self.buffer.advance(read);
        let missing = size as usize - read;
        let is_intact = missing == 0 && file.unchanged()?;
        if fill {
            self.buffer.extend_zeros(missing);
        }
        let entry = file_entry(path.clone(), file.metadata().clone(), size, header_len);
        Ok(Some(Attempt {
            entry,
            start,
            is_intact,
        }))
    }

    fn push_headers(
        &mut self,
        path: &ArchivePath,
        kind: &EntryKind,
        size: u64,
        metadata: &Metadata,
    ) -> usize {
        self.header.clear();
        encode_headers(&mut self.header, path, kind, size, metadata);
        self.buffer.extend(&self.header);
        self.header.len()
    }

    /// The content is in the buffer, from `start` on.
    fn finish_file(&mut self, mut entry: Entry, start: usize, detector: &mut Detector) {
        let content = &self.buffer.as_slice()[start..];
        entry.digest = Some(Digest::of(content));
        let class = detector.classify(content);
        self.buffer.extend_zeros(padding(entry.size));
        self.spans.push(Span {
            end: self.buffer.len(),
            class,
        });
        self.entries.push(entry);
    }
}

/// What one reading of a small file gave.
struct Attempt {
    entry: Entry,
    /// Where its content begins in the buffer.
    start: usize,
    is_intact: bool,
}
