//! One regular file found by a walk, as the archive writer reads it.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backup_archive::extract::Folder;
use backup_archive::{FileSource, Metadata, OpenFile};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat};
use rustix::io::Errno;

use super::content::Content;
use super::stat::{has_holes, is_unchanged, metadata_of, size};
use super::{OwnerNames, xattrs};

/// Files held open between walk and reading, at most; a process may have about a thousand open.
const MAX_HELD: usize = 256;

/// A file to be read later, perhaps on another thread. It is opened beneath the root without following links, and read without
/// changing its access time where that is allowed.
#[derive(Debug)]
pub struct CapturedFile {
    root: Arc<Folder>,
    relative: Box<[u8]>,
    size_hint: u64,
    owners: Arc<OwnerNames>,
    held: Option<Held>,
}

impl CapturedFile {
    pub(super) fn new(
        root: Arc<Folder>,
        relative: &[u8],
        stat: &Stat,
        owners: Arc<OwnerNames>,
    ) -> Self {
        Self {
            root,
            relative: relative.into(),
            size_hint: size(stat),
            owners,
            held: None,
        }
    }

    /// Opens the file now: its content stays readable when its name vanishes. Does nothing when very many are held already.
    pub(super) fn hold(&mut self, handles: &HeldHandles) -> io::Result<()> {
        if let Some(slot) = handles.take() {
            self.held = Some(Held {
                file: Arc::new(self.open_by_name()?),
                _slot: slot,
            });
        }
        Ok(())
    }

    fn open_by_name(&self) -> io::Result<File> {
        // Should the name have become a pipe, opening it must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd =
            match self
                .root
                .open_beneath(&self.relative, flags | OFlags::NOATIME, Mode::empty())
            {
                // Only the owner of a file, or root, may leave its access time alone.
                Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => self
                    .root
                    .open_beneath(&self.relative, flags, Mode::empty())?,
                other => other?,
            };
        Ok(fd.into())
    }
}

impl FileSource for CapturedFile {
    fn size_hint(&self) -> u64 {
        self.size_hint
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile>> {
        let file = match &self.held {
            Some(held) => held.file.clone(),
            None => Arc::new(self.open_by_name()?),
        };
        let stat = fstat(&*file)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(io::Error::other("it is no longer a regular file"));
        }
        let mut metadata = metadata_of(&stat, &self.owners);
        metadata.xattrs = xattrs::of_handle(&*file)?;
        let content = if has_holes(&stat) {
            Content::sparse(file.clone(), size(&stat))
        } else {
            Content::dense(file.clone(), size(&stat))
        };
        Ok(Box::new(OpenedFile {
            file,
            stat,
            metadata,
            content,
        }))
    }
}

#[derive(Debug)]
struct OpenedFile {
    file: Arc<File>,
    stat: Stat,
    metadata: Metadata,
    content: Content,
}

impl Read for OpenedFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.content.read(buf)
    }
}

impl OpenFile for OpenedFile {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn size(&self) -> u64 {
        size(&self.stat)
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        Ok(is_unchanged(&self.stat, &fstat(&*self.file)?))
    }
}

#[derive(Debug)]
struct Held {
    file: Arc<File>,
    _slot: HeldSlot,
}

/// Counts the files of one walk that are held open.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldHandles(Arc<AtomicUsize>);

#[derive(Debug)]
struct HeldSlot(HeldHandles);

impl HeldHandles {
    fn take(&self) -> Option<HeldSlot> {
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                (held < MAX_HELD).then_some(held + 1)
            });
        taken.is_ok().then(|| HeldSlot(self.clone()))
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
