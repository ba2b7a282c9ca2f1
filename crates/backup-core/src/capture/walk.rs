//! The walk over one root: sorted, streaming, never through a link.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::extract::Folder;
use backup_archive::{ArchivePath, Metadata};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::issue::{Issue, IssueReason, SkipReason};
use super::listing::Listing;
use super::source::{CapturedFile, HeldHandles};
use super::stat::{metadata_of, names, size};
use super::{Exclude, OwnerNames, xattrs};
use crate::placement::is_ours;

/// Folders kept open at a time; of a deeper tree the upper ones are closed and opened again on the way back.
const MAX_OPEN_LEVELS: usize = 64;

/// What to leave out, and how owners are named.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Patterns of paths below the root to leave out.
    pub exclude: Exclude,
    /// Folders to leave out wherever they lie (known by device and inode): above all the repository itself. Missing ones are ignored.
    pub exclude_folders: Vec<PathBuf>,
    /// Stay on the root's file system: what is mounted below is stored as an empty folder. Default: false, mounts are entered.
    pub one_file_system: bool,
    /// Names stored beside user and group numbers.
    pub owners: Arc<OwnerNames>,
}

/// One thing that the walk came upon. Paths are those in the archive.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// A folder; what is in it follows.
    Folder {
        /// Path in the archive.
        path: ArchivePath,
        /// Everything but the content.
        metadata: Metadata,
    },
    /// A symbolic link.
    Symlink {
        /// Path in the archive.
        path: ArchivePath,
        /// Where it points, as stored in the file system.
        target: Vec<u8>,
        /// Everything but the target.
        metadata: Metadata,
    },
    /// A further name of a file that came before.
    HardLink {
        /// Path in the archive.
        path: ArchivePath,
        /// The first name of the same file, in the archive.
        target: ArchivePath,
        /// As of the file itself.
        metadata: Metadata,
    },
    /// A regular file.
    File {
        /// Path in the archive.
        path: ArchivePath,
        /// What the listing says of it, without extended attributes: enough to tell whether it changed since an earlier backup.
        metadata: Metadata,
        /// Bytes.
        size: u64,
        /// Gives the content and the metadata that goes with it.
        source: CapturedFile,
    },
    /// Left out on purpose.
    Skipped {
        /// Path that it would have in the archive.
        path: ArchivePath,
        /// Why.
        reason: SkipReason,
    },
    /// Missing from the backup: the backup is PARTIAL.
    Issue(Issue),
}

/// The root itself cannot be walked.
#[derive(Debug, thiserror::Error)]
#[error("cannot open folder {path:?}")]
pub struct WalkError {
    /// The root.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Iterator over everything below a root, the root first, depth first, the children of a folder in the order of their names' bytes:
/// the order of [`ArchivePath`].
///
/// Memory is that of the names in one folder per level, plus one path per file that has further names not yet seen.
#[derive(Debug)]
pub struct Walk {
    root: Arc<Folder>,
    prefix: ArchivePath,
    options: WalkOptions,
    exclude_folders: HashSet<(u64, u64)>,
    device: u64,
    levels: Vec<Level>,
    /// Path below the root of the innermost level.
    relative: Vec<u8>,
    links: HashMap<(u64, u64), FirstName>,
    /// `None`: only counting, no file will be read.
    held: Option<HeldHandles>,
    /// Found already, to be given before the walk goes on.
    pending: Vec<Found>,
    started: bool,
}

/// A folder being walked.
#[derive(Debug)]
struct Level {
    folder: Option<Folder>,
    names: Listing,
    /// Length of the path of the folder above, in `Walk::relative`.
    parent_len: usize,
}

/// A file with several names.
#[derive(Debug)]
struct FirstName {
    path: ArchivePath,
    names_left: u64,
}

/// Walks `root`; what is found is named `prefix/…` (`files/<root name>/…`).
///
/// The root itself may be a link to a folder, or a mount point. Sockets, pipes and devices are never opened.
///
/// # Errors
/// When the root cannot be opened as a folder. Everything below it that cannot be read is an [`Issue`] instead.
pub fn walk(root: &Path, prefix: ArchivePath, options: WalkOptions) -> Result<Walk, WalkError> {
    let failed = |source: io::Error| WalkError {
        path: root.to_path_buf(),
        source,
    };
    let folder = Folder::open(root).map_err(failed)?;
    let device = rustix::fs::fstat(&folder)
        .map_err(|error| failed(error.into()))?
        .st_dev;
    let exclude_folders = options
        .exclude_folders
        .iter()
        .filter_map(|path| fs::metadata(path).ok());
    Ok(Walk {
        root: Arc::new(folder),
        prefix,
        exclude_folders: exclude_folders
            .map(|metadata| (metadata.dev(), metadata.ino()))
            .collect(),
        options,
        device,
        levels: Vec::new(),
        relative: Vec::new(),
        links: HashMap::new(),
        held: Some(HeldHandles::default()),
        pending: Vec::new(),
        started: false,
    })
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if !self.started {
            self.started = true;
            match self.root.folder(b"") {
                Ok(folder) => self.enter(folder),
                Err(error) => return Some(self.issue(IssueReason::from_error(error))),
            }
        }
        loop {
            if let Some(found) = self.pending.pop() {
                return Some(found);
            }
            let level = self.levels.last_mut()?;
            if let Some(name) = level.names.next() {
                let parent_len = self.relative.len();
                if parent_len > 0 {
                    self.relative.push(b'/');
                }
                self.relative.extend_from_slice(name);
                let found = self.visit(parent_len);
                if found.is_some() {
                    return found;
                }
            } else {
                self.leave();
            }
        }
    }
}

impl Walk {
    /// For a walk that only counts: no file is opened ahead of being read.
    pub(super) fn without_holding(mut self) -> Self {
        self.held = None;
        self
    }

    /// Looks at the child that `self.relative` names; back to the folder's own path unless the child is entered.
    fn visit(&mut self, parent_len: usize) -> Option<Found> {
        if self.options.exclude.matches(&self.relative) {
            return self.skipped(parent_len, SkipReason::Excluded);
        }
        let name_start = if parent_len == 0 { 0 } else { parent_len + 1 };
        let stat = self.open_level(parent_len).and_then(|()| {
            let level = self
                .levels
                .last()
                .and_then(|level| level.folder.as_ref())
                .ok_or(Errno::BADF)?;
            Ok(statat(
                level,
                &self.relative[name_start..],
                AtFlags::SYMLINK_NOFOLLOW,
            )?)
        });
        let found = match stat {
            Err(error) => self.issue(IssueReason::from_error(error)),
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => return self.visit_folder(&stat, parent_len, name_start),
                FileType::RegularFile => self.regular(&stat),
                FileType::Symlink => self.symlink(&stat, name_start),
                FileType::Socket => return self.skipped(parent_len, SkipReason::Socket),
                FileType::Fifo => return self.skipped(parent_len, SkipReason::Fifo),
                _ => return self.skipped(parent_len, SkipReason::Device),
            },
        };
        self.relative.truncate(parent_len);
        Some(found)
    }

    fn visit_folder(&mut self, stat: &Stat, parent_len: usize, name_start: usize) -> Option<Found> {
        if self.exclude_folders.contains(&(stat.st_dev, stat.st_ino)) {
            return self.skipped(parent_len, SkipReason::ExcludedFolder);
        }
        if name_start == 0 && is_ours(&self.relative) {
            return self.skipped(parent_len, SkipReason::RestoreFolder);
        }
        if self.options.one_file_system && stat.st_dev != self.device {
            let path = self.path();
            self.pending.push(Found::Skipped {
                path: path.clone(),
                reason: SkipReason::OtherFileSystem,
            });
            self.relative.truncate(parent_len);
            return Some(Found::Folder {
                path,
                metadata: metadata_of(stat, &self.options.owners),
            });
        }
        let level = self.levels.last().and_then(|level| level.folder.as_ref())?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(level, &self.relative[name_start..], flags, Mode::empty()) {
            Ok(folder) => {
                self.enter_at(folder.into(), parent_len);
                None
            }
            Err(error) => {
                let issue = self.issue(IssueReason::from_error(error.into()));
                self.pending.push(issue);
                let found = Found::Folder {
                    path: self.path(),
                    metadata: metadata_of(stat, &self.options.owners),
                };
                self.relative.truncate(parent_len);
                Some(found)
            }
        }
    }

    fn enter(&mut self, folder: Folder) {
        self.enter_at(folder, 0);
    }

    /// Makes a folder the innermost level: itself is found first, then what is in it.
    fn enter_at(&mut self, folder: Folder, parent_len: usize) {
        let (names, listed) = Listing::read(&folder);
        let (metadata, attributes) = match self.folder_metadata(&folder) {
            Ok(found) => found,
            Err(error) => {
                let issue = self.issue(IssueReason::from_error(error));
                self.pending.push(issue);
                self.relative.truncate(parent_len);
                return;
            }
        };
        for problem in [listed.err().map(IssueReason::Unreadable), attributes]
            .into_iter()
            .flatten()
        {
            let issue = self.issue(problem);
            self.pending.push(issue);
        }
        self.pending.push(Found::Folder {
            path: self.path(),
            metadata,
        });
        let open = self.levels.len();
        if let Some(above) = open.checked_sub(MAX_OPEN_LEVELS) {
            self.levels[above].folder = None;
        }
        self.levels.push(Level {
            folder: Some(folder),
            names,
            parent_len,
        });
    }

    fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.relative.truncate(level.parent_len);
        }
    }

    fn folder_metadata(&self, folder: &Folder) -> io::Result<(Metadata, Option<IssueReason>)> {
        let mut metadata = metadata_of(&rustix::fs::fstat(folder)?, &self.options.owners);
        let problem = match xattrs::of_handle(folder) {
            Ok(xattrs) => {
                metadata.xattrs = xattrs;
                None
            }
            Err(error) => Some(IssueReason::AttributesUnreadable(error)),
        };
        Ok((metadata, problem))
    }

    /// Opens the innermost level again if it was closed for the sake of deeper ones.
    fn open_level(&mut self, parent_len: usize) -> io::Result<()> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if level.folder.is_none() {
            level.folder = Some(self.root.folder(&self.relative[..parent_len])?);
        }
        Ok(())
    }

    fn regular(&mut self, stat: &Stat) -> Found {
        let path = self.path();
        let metadata = metadata_of(stat, &self.options.owners);
        let mut source = CapturedFile::new(
            self.root.clone(),
            &self.relative,
            stat,
            self.options.owners.clone(),
        );
        if names(stat) > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get_mut(&inode) {
                let target = first.path.clone();
                first.names_left -= 1;
                if first.names_left == 0 {
                    self.links.remove(&inode);
                }
                return Found::HardLink {
                    path,
                    target,
                    metadata,
                };
            }
            // The other names rely on this one: hold the file, so that its content cannot vanish together with the name.
            if let Some(handles) = &self.held
                && let Err(error) = source.hold(handles)
            {
                return Found::Issue(Issue {
                    path,
                    reason: IssueReason::from_error(error),
                });
            }
            self.links.insert(
                inode,
                FirstName {
                    path: path.clone(),
                    names_left: names(stat) - 1,
                },
            );
        }
        Found::File {
            path,
            metadata,
            size: size(stat),
            source,
        }
    }

    fn symlink(&mut self, stat: &Stat, name_start: usize) -> Found {
        let Some(folder) = self.levels.last().and_then(|level| level.folder.as_ref()) else {
            return self.issue(IssueReason::Vanished);
        };
        let name = &self.relative[name_start..];
        match readlinkat(folder, name, Vec::new()) {
            Err(error) => self.issue(IssueReason::from_error(error.into())),
            Ok(target) => {
                let mut metadata = metadata_of(stat, &self.options.owners);
                match xattrs::of_link(folder.as_fd(), name) {
                    Ok(xattrs) => metadata.xattrs = xattrs,
                    Err(error) => {
                        let issue = self.issue(IssueReason::AttributesUnreadable(error));
                        self.pending.push(issue);
                    }
                }
                Found::Symlink {
                    path: self.path(),
                    target: target.into_bytes(),
                    metadata,
                }
            }
        }
    }

    fn skipped(&mut self, parent_len: usize, reason: SkipReason) -> Option<Found> {
        let path = self.path();
        self.relative.truncate(parent_len);
        Some(Found::Skipped { path, reason })
    }

    fn issue(&self, reason: IssueReason) -> Found {
        Found::Issue(Issue {
            path: self.path(),
            reason,
        })
    }

    /// Path in the archive of what `self.relative` names.
    fn path(&self) -> ArchivePath {
        if self.relative.is_empty() {
            return self.prefix.clone();
        }
        // Names from the kernel hold no NUL, are never empty, and `.` and `..` were left out: every path is valid.
        self.prefix
            .join(&self.relative)
            .expect("a path made of names that the kernel listed")
    }
}
