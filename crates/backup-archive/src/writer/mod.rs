//! Writes an archive: entries in, members out, on all cores, in bounded memory and always in the same order.
//!
//! The caller's thread packs small entries into units and reads large files in segments. Workers read the files of a unit, hash,
//! classify and compress. One thread commits what comes back, in the order in which it was handed out.

mod commit;
mod contents;
mod cut;
mod large;
mod pipeline;
mod table;
mod unit;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::buffer::BufferPool;
use crate::codec::{Compression, Encoder};
use crate::format::CONTENTS_PATH;
use crate::sink::{Sink, SinkStats};
use crate::tar::{MAX_HEADER_LEN, padded};
use crate::{
    ArchivePath, Entry, EntryKind, FileSource, HeldContent, Location, Metadata, WriteError,
    WriteObserver,
};

pub(crate) use contents::{contents_headers, contents_member_header, contents_size, tail};
use large::{LargeOutput, read_expecting, write_large};
use pipeline::{Output, Pipeline};
pub(crate) use table::TableBuilder;
use unit::{Held, Item};

/// How an archive is written.
#[derive(Clone)]
pub struct WriterOptions {
    /// Default: gzip, level 1.
    pub compression: Compression,
    /// Worker threads, besides the caller's and the one that writes. Does not change a byte of the archive. Default: as many as
    /// there are cores.
    pub jobs: NonZeroUsize,
    /// Folder for the table of contents while it grows, in a file without a name; used for large archives only. Default: `/tmp`.
    pub spill_dir: PathBuf,
    /// Is told what becomes of files. Default: nobody.
    pub observer: Arc<dyn WriteObserver>,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            spill_dir: PathBuf::from("/tmp"),
            observer: Arc::new(()),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteStats {
    /// Number of entries, those that are in other archives included.
    pub entries: u64,
    /// Contents of the files in this archive, in bytes.
    pub content_bytes: u64,
    /// What the sink has taken.
    pub stored: SinkStats,
}

/// Writes an archive to a [`Sink`]. Only [`ArchiveWriter::finish`] makes it one; to drop the writer is to abandon it.
///
/// Paths must be unique, and a hard link must come after its target: the writer keeps no list of them. Table look-ups are fastest
/// when entries come in the order of [`ArchivePath`]. After an error nothing more can be written.
pub struct ArchiveWriter<S: Sink + 'static> {
    pipeline: Pipeline<S>,
    pool: BufferPool,
    member_target: usize,
    unit: Vec<Item>,
    /// Estimated length of the unit in the tar stream.
    unit_len: u64,
    archives: Vec<Vec<u8>>,
    archive_indices: HashMap<Vec<u8>, u32>,
}

/// An estimate of the headers of an entry: one extended header, with a time.
const TYPICAL_HEADER_LEN: u64 = 3 * 512;
/// A unit of this many items is full, however short they are.
const MAX_UNIT_ITEMS: usize = 1024;
/// The longest path or link target.
const MAX_PATH_LEN: usize = 64 << 10;

impl<S: Sink + 'static> ArchiveWriter<S> {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`WriteError::Option`]: a compression level that there is not. [`WriteError::Thread`]: a thread cannot be started.
    pub fn new(sink: S, options: WriterOptions) -> Result<Self, WriteError> {
        let member_target = options.compression.codec().member_target();
        // A buffer going in and one coming out for whatever is in flight.
        let in_flight = 2 * (Pipeline::<S>::depth(options.jobs) + options.jobs.get() + 2);
        let pool = BufferPool::new(in_flight, 4 * member_target);
        Encoder::new(options.compression, pool.clone()).map_err(WriteError::Option)?;
        let pipeline = Pipeline::start(sink, &options, &pool)?;
        Ok(Self {
            pipeline,
            pool,
            member_target,
            unit: Vec::new(),
            unit_len: 0,
            archives: Vec::new(),
            archive_indices: HashMap::new(),
        })
    }

    /// Appends a file whose content is in memory.
    ///
    /// # Errors
    /// Those of earlier entries show here too: writing goes on behind the caller's back.
    pub fn append_bytes(
        &mut self,
        path: &ArchivePath,
        metadata: &Metadata,
        content: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        check_entry(path, &EntryKind::File, metadata)?;
        let content = content.into();
        let len = content.len() as u64;
        self.push(
            Item::Bytes {
                path: path.clone(),
                metadata: metadata.clone(),
                content,
            },
            len,
        )
    }

    /// Appends an entry without content: a folder or a link.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`]. A link target that is empty, too long or holds a NUL byte is [`WriteError::Entry`].
    pub fn append_special(
        &mut self,
        path: &ArchivePath,
        kind: EntryKind,
        metadata: &Metadata,
    ) -> Result<(), WriteError> {
        check_entry(path, &kind, metadata)?;
        if kind.is_file() {
            return Err(WriteError::Entry {
                path: path.clone(),
                reason: "a file is not appended without its content",
            });
        }
        self.push(
            Item::Special {
                path: path.clone(),
                kind,
                metadata: metadata.clone(),
            },
            0,
        )
    }

    /// Appends a file that is read on the way: a small one on a worker thread, some time later; a large one here and now.
    ///
    /// A file that cannot be read is left out, and one that keeps changing is taken as it is: the observer is told, and the writer
    /// goes on.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`].
    pub fn append_file(
        &mut self,
        path: &ArchivePath,
        mut source: impl FileSource + 'static,
    ) -> Result<(), WriteError> {
        let size = source.size_hint();
        if self.is_small(size) {
            return self.push_file(path, Box::new(source), None);
        }
        self.append_now(path, &mut source)
    }

    /// As [`ArchiveWriter::append_file`], but reads the file before it returns, whatever its size: the source need not outlive the call.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`].
    pub fn append_now(
        &mut self,
        path: &ArchivePath,
        source: &mut dyn FileSource,
    ) -> Result<(), WriteError> {
        check_entry(path, &EntryKind::File, &Metadata::default())?;
        self.flush_unit()?;
        let mut output = Feeder {
            pipeline: &mut self.pipeline,
        };
        write_large(path, source, &self.pool, self.member_target, &mut output)
    }

    /// As [`ArchiveWriter::append_file`], unless the file has a content that another archive holds: then it is listed as in
    /// [`ArchiveWriter::append_reference`], and the observer is told [`FileOutcome::Held`](crate::FileOutcome::Held). A small file is
    /// read once for both; a large one is hashed first, and read again only if it differs.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`].
    pub fn append_unless_held(
        &mut self,
        path: &ArchivePath,
        mut source: impl FileSource + 'static,
        content: HeldContent,
    ) -> Result<(), WriteError> {
        let size = source.size_hint();
        if content.size != size {
            return self.append_file(path, source);
        }
        let held = Held {
            size,
            digest: content.digest,
            archive: self.archive_index(&content.archive),
            stored_as: content.stored_as,
        };
        if self.is_small(size) {
            return self.push_file(path, Box::new(source), Some(Box::new(held)));
        }
        let Some(metadata) = read_expecting(&mut source, size, &held.digest, &self.pool) else {
            return self.append_now(path, &mut source);
        };
        check_entry(path, &EntryKind::File, &metadata)?;
        self.flush_unit()?;
        let (entry, outcome) = held.into_entry(path.clone(), metadata);
        self.pipeline.submit_ready(Output::Unit {
            members: Vec::new(),
            entries: vec![entry],
            reports: vec![(path.clone(), size, outcome)],
        })
    }

    fn push_file(
        &mut self,
        path: &ArchivePath,
        source: Box<dyn FileSource>,
        held: Option<Box<Held>>,
    ) -> Result<(), WriteError> {
        check_entry(path, &EntryKind::File, &Metadata::default())?;
        let size = source.size_hint();
        let item = Item::File {
            path: path.clone(),
            source,
            held,
        };
        self.push(item, size)
    }

    /// Lists a file whose content is in another archive. `archive` identifies that one, in whatever way the caller finds it again by;
    /// `size` and `digest` are those of the entry there. Its path there is the same, unless [`Location::Elsewhere`] of `entry` says
    /// otherwise.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`].
    pub fn append_reference(&mut self, mut entry: Entry, archive: &[u8]) -> Result<(), WriteError> {
        check_entry(&entry.path, &entry.kind, &entry.metadata)?;
        let stored_as = match entry.location {
            Location::Elsewhere { stored_as, .. } => stored_as,
            Location::Here { .. } => None,
        };
        entry.location = Location::Elsewhere {
            archive: self.archive_index(archive),
            stored_as,
        };
        if self.unit.len() >= MAX_UNIT_ITEMS {
            self.flush_unit()?;
        }
        self.unit.push(Item::Reference(Box::new(entry)));
        Ok(())
    }

    /// Identifiers of the archives that entries so far refer to.
    pub fn archives(&self) -> &[Vec<u8>] {
        &self.archives
    }

    fn archive_index(&mut self, archive: &[u8]) -> u32 {
        if let Some(index) = self.archive_indices.get(archive) {
            return *index;
        }
        let index = self.archives.len() as u32;
        self.archives.push(archive.to_vec());
        self.archive_indices.insert(archive.to_vec(), index);
        index
    }

    /// Waits until all entries so far are written and the observer was told what became of them, so that a later entry can say so.
    ///
    /// # Errors
    /// As for [`ArchiveWriter::append_bytes`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.flush_unit()?;
        self.pipeline.flush()
    }

    /// Waits for all entries, writes the table of contents and the footer, and gives the sink its end.
    ///
    /// # Errors
    /// Everything that can go wrong while writing.
    pub fn finish(mut self) -> Result<WriteStats, WriteError> {
        self.flush_unit()?;
        self.pipeline.finish(self.archives)
    }

    fn is_small(&self, size: u64) -> bool {
        TYPICAL_HEADER_LEN + padded(size) <= self.member_target as u64
    }

    fn push(&mut self, item: Item, size: u64) -> Result<(), WriteError> {
        let len = TYPICAL_HEADER_LEN.saturating_add(padded(size));
        if self.unit_len.saturating_add(len) > self.member_target as u64
            || self.unit.len() >= MAX_UNIT_ITEMS
        {
            self.flush_unit()?;
        }
        self.unit.push(item);
        self.unit_len = self.unit_len.saturating_add(len);
        Ok(())
    }

    fn flush_unit(&mut self) -> Result<(), WriteError> {
        self.unit_len = 0;
        match std::mem::take(&mut self.unit) {
            items if items.is_empty() => Ok(()),
            items => self.pipeline.submit(pipeline::Job::Unit(items)),
        }
    }
}

/// What tar headers, or readers within their limits, could not give back.
fn check_entry(
    path: &ArchivePath,
    kind: &EntryKind,
    metadata: &Metadata,
) -> Result<(), WriteError> {
    let target: &[u8] = match kind {
        EntryKind::Symlink { target } if target.is_empty() || target.contains(&0) => {
            return Err(WriteError::Entry {
                path: path.clone(),
                reason: "its link target is empty or holds a NUL byte",
            });
        }
        EntryKind::Symlink { target } => target,
        _ => b"",
    };
    if path.as_bytes() == CONTENTS_PATH.as_bytes() {
        return Err(WriteError::Entry {
            path: path.clone(),
            reason: "its path is that of the table of contents",
        });
    }
    if path.as_bytes().len() > MAX_PATH_LEN || target.len() > MAX_PATH_LEN {
        return Err(WriteError::Entry {
            path: path.clone(),
            reason: "its path or link target is too long",
        });
    }
    check_metadata(metadata).map_err(|reason| WriteError::Entry {
        path: path.clone(),
        reason,
    })
}

fn check_metadata(metadata: &Metadata) -> Result<(), &'static str> {
    let has_nul = |name: &[u8]| name.contains(&0);
    let xattr_len: usize = metadata
        .xattrs
        .iter()
        .map(|(name, value)| 3 * name.len() + value.len() + 32)
        .sum();
    if metadata.mode > 0o7777 {
        Err("its mode has more than permission bits")
    } else if metadata.mtime.nanoseconds >= 1_000_000_000 {
        Err("its time has a second or more in nanoseconds")
    } else if has_nul(&metadata.user) || has_nul(&metadata.group) {
        Err("the name of its owner holds a NUL byte")
    } else if metadata.user.len() > 256 || metadata.group.len() > 256 {
        Err("the name of its owner is too long")
    } else if metadata
        .xattrs
        .iter()
        .any(|(name, _)| name.is_empty() || has_nul(name))
    {
        Err("the name of an extended attribute is empty or holds a NUL byte")
    } else if xattr_len > MAX_HEADER_LEN - 3 * MAX_PATH_LEN {
        Err("its extended attributes are too long")
    } else {
        Ok(())
    }
}

/// Sends the parts of a large file through the workers.
struct Feeder<'a, S: Sink + 'static> {
    pipeline: &'a mut Pipeline<S>,
}

impl<S: Sink + 'static> LargeOutput for Feeder<'_, S> {
    fn segment(&mut self, segment: large::Segment) -> Result<(), WriteError> {
        self.pipeline.submit(pipeline::Job::Segment(segment))
    }

    fn control(&mut self, output: Output) -> Result<(), WriteError> {
        self.pipeline.submit_ready(output)
    }
}
