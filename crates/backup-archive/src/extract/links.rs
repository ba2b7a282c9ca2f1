//! Hard links and symbolic links, made when all files are there.

use std::io;

use rustix::fs::{AtFlags, linkat, symlinkat};

use super::error::{ExtractError, FailReason};
use super::files::{concerns_one_entry, make_parents};
use super::folder::Folder;
use super::preparation::Destination;
use super::run::Extraction;
use crate::{ArchivePath, Entry, EntryKind};

impl Extraction<'_> {
    /// Makes all links, in the order of the archive.
    pub(super) fn make_links(&mut self) -> Result<(), ExtractError> {
        for entry in self.reader.entries() {
            let entry = entry?;
            if !self.scope.includes(&entry.path) {
                continue;
            }
            match &entry.kind {
                EntryKind::Symlink { target } => self.make_symlink(&entry, target)?,
                EntryKind::HardLink { target } => self.make_hard_link(&entry, target)?,
                EntryKind::File | EntryKind::Directory => {}
            }
        }
        Ok(())
    }

    fn make_symlink(&mut self, entry: &Entry, target: &[u8]) -> Result<(), ExtractError> {
        let Some(Destination::Below(path)) = self.scope.destination(&entry.path) else {
            // The folder to be extracted is a link itself: the target stands for it, and cannot become one.
            self.fail(&entry.path, FailReason::Exists);
            return Ok(());
        };
        let made = self.in_parent(&path, |parent, name| Ok(symlinkat(target, parent, name)?));
        if self.accept(entry, made)? {
            let (parent, name) = self
                .target
                .parent_of(path.as_bytes())
                .map_err(|source| self.refused("open", entry, source))?;
            self.setter
                .set_link(&parent, name, entry)
                .map_err(|source| self.refused("set the metadata of", entry, source))?;
            self.stats.symlinks += 1;
        }
        Ok(())
    }

    fn make_hard_link(&mut self, entry: &Entry, target: &ArchivePath) -> Result<(), ExtractError> {
        // The first name of a file that is not selected itself stands in for it.
        let source = self.stand_ins.get(target).unwrap_or(target);
        if source == &entry.path {
            return Ok(());
        }
        let (Some(Destination::Below(path)), Some(Destination::Below(source))) = (
            self.scope.destination(&entry.path),
            self.scope.destination(source),
        ) else {
            self.fail(&entry.path, FailReason::Exists);
            return Ok(());
        };
        let existing = self.target.parent_of(source.as_bytes());
        let made = match existing {
            Ok((holder, existing)) => self.in_parent(&path, |parent, name| {
                // Without AT_SYMLINK_FOLLOW a link is made to a symbolic link itself, never to what that points to.
                Ok(linkat(&holder, existing, parent, name, AtFlags::empty())?)
            }),
            Err(error) => Err(error),
        };
        match made {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fail(&entry.path, FailReason::LinkTarget(target.clone()));
                Ok(())
            }
            made => {
                if self.accept(entry, made)? {
                    self.stats.files += 1;
                }
                Ok(())
            }
        }
    }

    /// Does something in the folder around `path`, which is made if it is missing.
    pub(super) fn in_parent(
        &mut self,
        path: &ArchivePath,
        make: impl FnOnce(&Folder, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (parent, name) = match self.target.parent_of(path.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.made_folders.extend(make_parents(self.target, path)?);
                self.target.parent_of(path.as_bytes())?
            }
            found => found?,
        };
        make(&parent, name)
    }

    /// True if it was made; false if it could not be, for a reason of its own.
    fn accept(&mut self, entry: &Entry, made: io::Result<()>) -> Result<bool, ExtractError> {
        match made {
            Ok(()) => Ok(true),
            Err(error) => match concerns_one_entry(error) {
                Ok(reason) => {
                    self.fail(&entry.path, reason);
                    Ok(false)
                }
                Err(source) => Err(self.refused("create", entry, source)),
            },
        }
    }
}
