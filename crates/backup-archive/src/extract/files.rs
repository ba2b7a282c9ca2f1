//! Regular files, written by the threads that decode them.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, RenameFlags, mkdirat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::error::{ExtractError, FailReason, FailedEntry};
use super::folder::Folder;
use super::metadata::MetadataSetter;
use super::options::{ExtractObserver, ExtractOptions};
use super::preparation::{Destination, Scope};
use crate::{ArchivePath, Damage, Entry, EntryReceiver};

/// Zeros in a stretch of this length and alignment become a hole, in files that had holes.
const HOLE_BLOCK: usize = 4096;

/// Writes what the reader decodes.
pub(super) struct FileWriter<'a> {
    pub(super) target: &'a Folder,
    pub(super) scope: &'a Scope<'a>,
    pub(super) options: &'a ExtractOptions,
    pub(super) setter: &'a MetadataSetter,
    pub(super) observer: &'a dyn ExtractObserver,
    pub(super) stand_ins: &'a BTreeMap<ArchivePath, ArchivePath>,
    outcome: Mutex<Outcome>,
    files: AtomicU64,
    bytes: AtomicU64,
}

/// What came of all files.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) failed: Vec<FailedEntry>,
    /// Ended everything.
    pub(super) fatal: Option<ExtractError>,
    /// Folders that no entry before had made.
    pub(super) made_folders: HashSet<Vec<u8>>,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// A file being written; without handle if it has failed.
#[derive(Debug)]
pub(super) struct Output(Option<File>);

impl<'a> FileWriter<'a> {
    pub(super) fn new(
        target: &'a Folder,
        scope: &'a Scope<'a>,
        options: &'a ExtractOptions,
        setter: &'a MetadataSetter,
        observer: &'a dyn ExtractObserver,
        stand_ins: &'a BTreeMap<ArchivePath, ArchivePath>,
    ) -> Self {
        let outcome = Mutex::default();
        Self {
            target,
            scope,
            options,
            setter,
            observer,
            stand_ins,
            outcome,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    pub(super) fn finish(self) -> Outcome {
        let outcome = self
            .outcome
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Outcome {
            files: self.files.into_inner(),
            bytes: self.bytes.into_inner(),
            ..outcome
        }
    }

    /// Path below the target for a wanted entry.
    fn destination(&self, entry: &Entry) -> Option<ArchivePath> {
        let path = self.stand_ins.get(&entry.path).unwrap_or(&entry.path);
        match self.scope.destination(path)? {
            Destination::Below(path) => Some(path),
            Destination::Root => None,
        }
    }

    fn create(&self, path: &ArchivePath) -> io::Result<File> {
        match self.target.create_file(path.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = make_parents(self.target, path)?;
                self.lock().made_folders.extend(made);
                self.target.create_file(path.as_bytes())
            }
            outcome => outcome,
        }
    }

    fn complete(&self, entry: &Entry, file: &File) -> io::Result<()> {
        if entry.metadata.sparse {
            file.set_len(entry.size)?;
        }
        self.setter.set(file, &entry.path, &entry.metadata)
    }

    /// Takes a damaged file away, or gives it a name that tells.
    fn put_away(&self, path: &ArchivePath) -> io::Result<()> {
        let (parent, name) = self.target.parent_of(path.as_bytes())?;
        if self.options.keep_damaged {
            let kept = [name, b".damaged"].concat();
            // Never over another file: then there is no name for it.
            if renameat_with(
                &parent,
                name,
                &parent,
                kept.as_slice(),
                RenameFlags::NOREPLACE,
            )
            .is_ok()
            {
                return Ok(());
            }
        }
        Ok(unlinkat(&parent, name, AtFlags::empty())?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, entry: &Entry, reason: FailReason) {
        self.lock().failed.push(FailedEntry {
            path: entry.path.clone(),
            reason,
        });
    }

    fn stop<T>(
        &self,
        action: &'static str,
        entry: &Entry,
        source: io::Error,
    ) -> ControlFlow<(), T> {
        self.lock().fatal.get_or_insert(ExtractError::Target {
            action,
            path: entry.path.clone(),
            source,
        });
        ControlFlow::Break(())
    }
}

impl EntryReceiver for FileWriter<'_> {
    type Output = Output;

    fn begin(&self, entry: &Entry) -> ControlFlow<(), Output> {
        let Some(path) = self.destination(entry) else {
            self.fail(entry, FailReason::Exists);
            return ControlFlow::Continue(Output(None));
        };
        match self.create(&path) {
            Ok(file) => ControlFlow::Continue(Output(Some(file))),
            Err(error) => match concerns_one_entry(error) {
                Ok(reason) => {
                    self.fail(entry, reason);
                    ControlFlow::Continue(Output(None))
                }
                Err(error) => self.stop("create", entry, error),
            },
        }
    }

    fn piece(&self, entry: &Entry, output: &Output, offset: u64, data: &[u8]) -> ControlFlow<()> {
        let Output(Some(file)) = output else {
            return ControlFlow::Continue(());
        };
        let written = if entry.metadata.sparse {
            write_around_holes(file, data, offset)
        } else {
            file.write_all_at(data, offset)
        };
        match written {
            Ok(()) => {
                self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                self.observer.wrote(data.len() as u64);
                ControlFlow::Continue(())
            }
            Err(error) => self.stop("write", entry, error),
        }
    }

    fn end(
        &self,
        entry: &Entry,
        output: Option<Output>,
        outcome: Result<(), Damage>,
    ) -> ControlFlow<()> {
        self.observer.finished(&entry.path);
        let file = output.and_then(|Output(file)| file);
        match (outcome, file) {
            (Ok(()), Some(file)) => match self.complete(entry, &file) {
                Ok(()) => {
                    self.files.fetch_add(1, Ordering::Relaxed);
                    ControlFlow::Continue(())
                }
                Err(error) => self.stop("set the metadata of", entry, error),
            },
            // Remembered when it failed to be made.
            (Ok(()), None) => ControlFlow::Continue(()),
            (Err(damage), file) => {
                self.fail(entry, FailReason::Damaged(damage));
                let put_away = match file {
                    Some(_) => self
                        .destination(entry)
                        .map_or(Ok(()), |path| self.put_away(&path)),
                    None => Ok(()),
                };
                match put_away {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => self.stop("remove", entry, error),
                }
            }
        }
    }
}

/// Tells what a name alone can cause from what stops everything.
pub(super) fn concerns_one_entry(error: io::Error) -> Result<FailReason, io::Error> {
    match Errno::from_io_error(&error) {
        Some(Errno::EXIST | Errno::NOTDIR | Errno::LOOP | Errno::ISDIR) => Ok(FailReason::Exists),
        Some(Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL) => Ok(FailReason::Name(error)),
        _ => Err(error),
    }
}

/// Makes the folders above a path that are missing, and returns those that were.
pub(super) fn make_parents(target: &Folder, path: &ArchivePath) -> io::Result<Vec<Vec<u8>>> {
    let path = path.as_bytes();
    let mut made = Vec::new();
    let mut at = target.folder(b"")?;
    let mut start = 0;
    for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let name = &path[start..slash];
        match mkdirat(&at, name, Mode::RWXU) {
            Ok(()) => made.push(path[..slash].to_vec()),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        at = at.folder(name)?;
        start = slash + 1;
    }
    Ok(made)
}

fn write_around_holes(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    // Blocks are aligned in the file, wherever the piece begins.
    let lead = (HOLE_BLOCK - (offset % HOLE_BLOCK as u64) as usize) % HOLE_BLOCK;
    let (first, rest) = data.split_at(lead.min(data.len()));
    let mut at = offset;
    let mut run: Option<(u64, usize, usize)> = None;
    let mut position = 0;
    for block in std::iter::once(first).chain(rest.chunks(HOLE_BLOCK)) {
        let is_zero = block.iter().all(|byte| *byte == 0);
        run = match (run, is_zero) {
            (Some((at, start, len)), false) => Some((at, start, len + block.len())),
            (None, false) => Some((at, position, block.len())),
            (Some((at, start, len)), true) => {
                file.write_all_at(&data[start..start + len], at)?;
                None
            }
            (None, true) => None,
        };
        at += block.len() as u64;
        position += block.len();
    }
    match run {
        Some((at, start, len)) => file.write_all_at(&data[start..start + len], at),
        None => Ok(()),
    }
}
