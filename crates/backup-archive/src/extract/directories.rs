//! Folders: made first, open to us only; given their metadata last, when nothing changes in them any more.

use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;

use super::error::{ExtractError, FailReason};
use super::files::concerns_one_entry;
use super::preparation::Destination;
use super::run::Extraction;
use crate::{ArchivePath, ArchiveReader, Entry, ReadError};

impl Extraction<'_> {
    /// Makes all selected folders.
    pub(super) fn make_directories(&mut self) -> Result<(), ExtractError> {
        for entry in self.reader.entries() {
            let entry = entry?;
            if !entry.kind.is_directory() || !self.scope.includes(&entry.path) {
                continue;
            }
            if let Some(Destination::Below(path)) = self.scope.destination(&entry.path) {
                self.make_directory(&entry, &path)?;
            }
        }
        Ok(())
    }

    fn make_directory(&mut self, entry: &Entry, path: &ArchivePath) -> Result<(), ExtractError> {
        let made = self.in_parent(path, |parent, name| {
            match mkdirat(parent, name, Mode::RWXU) {
                // A folder may be there before: made for what is in it, or of the target.
                Err(Errno::EXIST) => parent.folder(name).map(|_| ()),
                made => Ok(made?),
            }
        });
        match made
            .or_else(|error| concerns_one_entry(error).map(|reason| self.fail(&entry.path, reason)))
        {
            Ok(()) => Ok(()),
            Err(source) => Err(self.refused("create", entry, source)),
        }
    }

    /// Gives folders their metadata, the inner ones first: a folder may forbid us to enter it.
    ///
    /// An archive in the order of a walk needs memory for one path per level only; any other is sorted here.
    pub(super) fn finish_directories(&mut self, is_sorted: bool) -> Result<(), ExtractError> {
        let mut open: Vec<Entry> = Vec::new();
        for entry in directories(self.reader, is_sorted)? {
            let entry = entry?;
            while let Some(last) = open.pop_if(|last| !entry.path.starts_with(&last.path)) {
                self.finish_directory(&last)?;
            }
            open.push(entry);
        }
        while let Some(last) = open.pop() {
            self.finish_directory(&last)?;
        }
        Ok(())
    }

    fn finish_directory(&mut self, entry: &Entry) -> Result<(), ExtractError> {
        let path = match self.scope.destination(&entry.path) {
            None => return Ok(()),
            Some(Destination::Root) => Vec::new(),
            Some(Destination::Below(path)) => path.as_bytes().to_vec(),
        };
        // Folders that are not selected themselves get their metadata if it was us who made them.
        if !self.scope.includes(&entry.path) && !self.made_folders.contains(&path) {
            return Ok(());
        }
        let folder = match self.target.folder(&path) {
            Ok(folder) => folder,
            Err(error) => {
                return match concerns_one_entry(error) {
                    // Told already, when it could not be made.
                    Ok(_) => Ok(()),
                    Err(source) => Err(self.refused("open", entry, source)),
                };
            }
        };
        self.stats.folders += 1;
        match self.setter.set(&folder, &entry.path, &entry.metadata) {
            Ok(()) => Ok(()),
            Err(error) if path.is_empty() => {
                // The target may belong to somebody else: its content is there all the same.
                self.fail(&entry.path, FailReason::Metadata(error));
                Ok(())
            }
            Err(source) => Err(self.refused("set the metadata of", entry, source)),
        }
    }
}

type Directories<'a> = Box<dyn Iterator<Item = Result<Entry, ReadError>> + 'a>;

/// All folders of the archive, each right before what it holds.
fn directories(reader: &ArchiveReader, is_sorted: bool) -> Result<Directories<'_>, ReadError> {
    let is_directory = |entry: &Result<Entry, ReadError>| {
        entry
            .as_ref()
            .map_or(true, |entry| entry.kind.is_directory())
    };
    let directories = reader.entries().filter(is_directory);
    if is_sorted {
        return Ok(Box::new(directories));
    }
    let mut all = directories.collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Box::new(all.into_iter().map(Ok)))
}
