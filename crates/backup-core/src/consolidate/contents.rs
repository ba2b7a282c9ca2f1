//! Entries, copied from wherever in a chain their content is.

use std::collections::HashMap;
use std::io::{self, Read};

use backup_archive::{
    ArchivePath, ArchiveWriter, Chain, Entry, EntryReader, FileSource, Location, Metadata,
    OpenFile, OrderedReader,
};

use super::ConsolidateError;
use crate::create::CreateError;
use crate::monitor::Monitor;
use crate::sealing::ArchiveSink;

/// Files up to this length are held in memory as a whole.
const SMALL: u64 = 512 << 10;

/// Copies entries of a chain into a new archive.
pub(super) struct Copier<'a> {
    chain: &'a Chain,
    monitor: &'a dyn Monitor,
    /// One for each archive: `None` is the one that lists the entries.
    readers: HashMap<Option<u32>, OrderedReader<'a>>,
}

impl<'a> Copier<'a> {
    pub(super) fn new(chain: &'a Chain, monitor: &'a dyn Monitor) -> Self {
        Self {
            chain,
            monitor,
            readers: HashMap::new(),
        }
    }

    /// Copies everything in a top-level folder.
    pub(super) fn copy(
        &mut self,
        folder: &str,
        writer: &mut ArchiveWriter<ArchiveSink>,
    ) -> Result<(), ConsolidateError> {
        let folder = ArchivePath::new(folder).expect("a plain name");
        for entry in self.chain.archive().entries() {
            let entry = entry.map_err(ConsolidateError::Table)?;
            if !entry.path.starts_with(&folder) {
                continue;
            }
            if self.monitor.is_cancelled() {
                return Err(CreateError::Cancelled.into());
            }
            self.copy_entry(entry, writer)?;
        }
        Ok(())
    }

    fn copy_entry(
        &mut self,
        entry: Entry,
        writer: &mut ArchiveWriter<ArchiveSink>,
    ) -> Result<(), ConsolidateError> {
        self.monitor.advance(entry.size);
        let written = if !entry.kind.is_file() {
            writer.append_special(&entry.path, entry.kind, &entry.metadata)
        } else if entry.size <= SMALL {
            let content = self.read(&entry)?;
            writer.append_bytes(&entry.path, &entry.metadata, content)
        } else {
            let path = entry.path.clone();
            let chain = self.chain;
            writer.append_now(&path, &mut Stored { chain, entry })
        };
        Ok(written.map_err(CreateError::from)?)
    }

    fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, ConsolidateError> {
        let failed = |source| ConsolidateError::Entry {
            path: entry.path.clone(),
            source: Box::new(source),
        };
        let number = match entry.location {
            Location::Here { .. } => None,
            Location::Elsewhere { archive, .. } => Some(archive),
        };
        let (archive, held) = self.chain.resolve(entry).map_err(failed)?;
        let reader = self
            .readers
            .entry(number)
            .or_insert_with(|| OrderedReader::new(archive));
        reader.read(&held).map_err(failed)
    }
}

/// A large file as it is stored.
struct Stored<'a> {
    chain: &'a Chain,
    entry: Entry,
}

impl FileSource for Stored<'_> {
    fn size_hint(&self) -> u64 {
        self.entry.size
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile + '_>> {
        let content = self.chain.read(&self.entry).map_err(io::Error::other)?;
        Ok(Box::new(OpenStored {
            content,
            metadata: &self.entry.metadata,
            size: self.entry.size,
        }))
    }
}

struct OpenStored<'a> {
    content: EntryReader<'a>,
    metadata: &'a Metadata,
    size: u64,
}

impl Read for OpenStored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer)
    }
}

impl OpenFile for OpenStored<'_> {
    fn metadata(&self) -> &Metadata {
        self.metadata
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}
