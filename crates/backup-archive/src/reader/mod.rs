//! Reads an archive: its table of contents, single entries, or all of them on all cores. Nothing it says is believed unchecked.

mod chain;
mod cursor;
mod engine;
mod entry_reader;
mod gaps;
mod header_check;
mod large;
mod links;
mod open;
mod ordered;
mod scan;
mod scan_members;
mod stream;
mod strict;
mod table;
mod verify;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::codec::Codec;
use crate::{ArchivePath, Entry, EntryReceiver, Limits, Location, ReadError, Source};

pub use chain::Chain;
pub use entry_reader::EntryReader;
pub use ordered::OrderedReader;
pub use scan::ScanDamage;
use stream::StreamFormat;
use table::Table;
pub use verify::{DamagedEntry, Progress, VerifyOptions, VerifyReport};

/// An archive open for reading. Can be used by several threads at once.
pub struct ArchiveReader {
    source: Arc<dyn Source>,
    layout: Layout,
    table: Table,
    damage: ScanDamage,
    table_damage: Option<ReadError>,
}

/// How the tar stream lies in the file.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// In members that the table of contents lists. `end`: where they end, in the file and in the tar stream, if it is known.
    Members {
        codec: Codec,
        end: Option<(u64, u64)>,
    },
    /// In one piece, as other programs write it: only to be read from the beginning.
    Stream(StreamFormat),
}

impl ArchiveReader {
    /// Opens an archive of ours by its footer and its table of contents. Reads a few kilobytes.
    ///
    /// # Errors
    /// [`ReadError::NotAnArchive`], [`ReadError::NoFooter`], [`ReadError::DamagedTable`], [`ReadError::UnsupportedVersion`],
    /// [`ReadError::UnsupportedFeatures`], [`ReadError::Limit`] and [`ReadError::Io`].
    pub fn open(source: Arc<dyn Source>, limits: Limits) -> Result<Self, ReadError> {
        open::open(source, limits)
    }

    /// Opens an archive that has no table of contents of ours, or has lost it: reads everything once and makes a table.
    ///
    /// In an archive of ours, what cannot be decoded is skipped, and [`ArchiveReader::damage`] tells where; entries have no digests, but
    /// the checksums of the container. In any other `.tar.gz`, `.tar.zst` or `.tar` damage ends the scan. Both are read strictly.
    ///
    /// # Errors
    /// [`ReadError::NotAnArchive`]; [`ReadError::Refused`] names an entry that is not accepted; [`ReadError::DamagedStream`],
    /// [`ReadError::Limit`], [`ReadError::Io`] and [`ReadError::Spill`].
    pub fn scan(source: Arc<dyn Source>, limits: Limits) -> Result<Self, ReadError> {
        scan::scan(source, limits)
    }

    /// Opens an archive by its table of contents if all of that is in order, and otherwise by a scan;
    /// [`ArchiveReader::table_damage`] then tells why.
    ///
    /// # Errors
    /// Those of [`ArchiveReader::scan`]; and of [`ArchiveReader::open`] those that a scan cannot help.
    pub fn open_or_scan(source: Arc<dyn Source>, limits: Limits) -> Result<Self, ReadError> {
        let opened = Self::open(Arc::clone(&source), limits.clone());
        match opened.and_then(|reader| reader.table.check_all().map(|()| reader)) {
            Err(
                reason @ (ReadError::NoFooter
                | ReadError::DamagedTable { .. }
                | ReadError::Io { .. }),
            ) => Ok(Self {
                table_damage: Some(reason),
                ..Self::scan(source, limits)?
            }),
            other => other,
        }
    }

    /// Why the archive was scanned, if [`ArchiveReader::open_or_scan`] had to.
    pub fn table_damage(&self) -> Option<&ReadError> {
        self.table_damage.as_ref()
    }

    /// What a scan had to skip. Nothing, unless the archive was scanned.
    pub fn damage(&self) -> &ScanDamage {
        &self.damage
    }

    /// Number of entries, as the table of contents says.
    pub fn entry_count(&self) -> u64 {
        self.table.entry_count()
    }

    /// Identifiers of the archives that hold the content of entries with [`Location::Elsewhere`], as given to
    /// [`ArchiveWriter::append_reference`](crate::ArchiveWriter::append_reference).
    pub fn archives(&self) -> &[Vec<u8>] {
        &self.table.archives
    }

    /// All entries in the order of the archive. Holds one block of the table in memory at a time.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, ReadError>> + '_ {
        self.table.entries()
    }

    /// The entry with this number, from 0 in the order of the archive. Reads one block of the table.
    ///
    /// # Errors
    /// [`ReadError::DamagedTable`] and [`ReadError::Io`].
    pub fn entry(&self, number: u64) -> Result<Option<Entry>, ReadError> {
        self.table.entry(number)
    }

    /// The entry with this path. Reads one block of the table, as long as the entries were written in sorted order.
    ///
    /// # Errors
    /// [`ReadError::DamagedTable`] and [`ReadError::Io`].
    pub fn find(&self, path: &ArchivePath) -> Result<Option<Entry>, ReadError> {
        self.table.find(path)
    }

    /// Reads the content of a file from the beginning, without reading those before it. The digest is checked after the last byte.
    ///
    /// # Errors
    /// [`ReadError::NotAFile`], [`ReadError::Elsewhere`], [`ReadError::DamagedTable`]. Damage of the entry shows while reading.
    pub fn read(&self, entry: &Entry) -> Result<EntryReader<'_>, ReadError> {
        EntryReader::new(self, entry)
    }

    /// The content of a file of at most `max` bytes.
    ///
    /// # Errors
    /// As for [`ArchiveReader::read`]; [`ReadError::TooLarge`]; [`ReadError::Damaged`].
    pub fn read_bytes(&self, entry: &Entry, max: u64) -> Result<Vec<u8>, ReadError> {
        entry_reader::read_bytes(self, entry, max)
    }

    /// Reads all entries that are `wanted` and in this archive, on `jobs` threads, and gives them to `receiver`. Members without a
    /// wanted entry are not read. Damaged entries are told to the receiver, and the others go on.
    ///
    /// `wanted` is asked once for each entry, in the order of the archive.
    ///
    /// # Errors
    /// [`ReadError::DamagedTable`] and [`ReadError::Io`] of the table itself; [`ReadError::DamagedStream`] of a foreign archive.
    pub fn read_entries<R: EntryReceiver>(
        &self,
        wanted: &mut (dyn FnMut(&Entry) -> bool + Send),
        jobs: NonZeroUsize,
        receiver: &R,
    ) -> Result<ControlFlow<()>, ReadError> {
        self.read_expecting(&mut |entry| wanted(entry), jobs, receiver)
    }

    /// As [`ArchiveReader::read_entries`]; `wanted` may give an entry without digest the one that its content must have.
    fn read_expecting<R: EntryReceiver>(
        &self,
        wanted: &mut (dyn FnMut(&mut Entry) -> bool + Send),
        jobs: NonZeroUsize,
        receiver: &R,
    ) -> Result<ControlFlow<()>, ReadError> {
        match self.layout {
            Layout::Members { .. } => engine::Engine::new(self, receiver).run(wanted, jobs),
            Layout::Stream(format) => stream::read_entries(self, format, wanted, receiver),
        }
    }

    /// Checks the archive. `Ok` also if it is damaged: the report names what is.
    ///
    /// # Errors
    /// [`ReadError::DamagedTable`] and [`ReadError::Io`] of the table of contents: a scan may help.
    pub fn verify(
        &self,
        options: &VerifyOptions,
        progress: &dyn Progress,
    ) -> Result<VerifyReport, ReadError> {
        verify::verify(self, options, progress)
    }
}

/// Where an entry lies in the tar stream of this archive.
struct Extent {
    start: u64,
    content: u64,
    end: u64,
}

impl Extent {
    fn of(entry: &Entry) -> Option<Self> {
        match entry.location {
            Location::Here { offset, header_len } => {
                let content = offset.checked_add(header_len.into())?;
                let end = content.checked_add(crate::tar::padded(entry.size))?;
                Some(Self {
                    start: offset,
                    content,
                    end,
                })
            }
            Location::Elsewhere { .. } => None,
        }
    }
}
