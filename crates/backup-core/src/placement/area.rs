//! The staging folder of one restore inside its target: where it is, and what is in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, FlockOperation, Mode, Stat, flock, mkdirat, statat, unlinkat};
use rustix::io::Errno;

use super::error::PlacementError;
use super::folder_state::FolderState;
use super::journal::{Journal, Record, VERSION};
use super::remove::remove_tree;
use super::steps::Steps;
use crate::capture::Listing;

/// Folders of this prefix in a file root are ours: staging, and the old files of restores that can still be undone. They are never
/// part of a backup.
pub const RESTORE_PREFIX: &str = ".edms-restore-";

/// Folders of this prefix hold the old files of a restore by `restore.sh`, which knows no undo.
const PREVIOUS_PREFIX: &str = ".edms-previous-";

/// The target of a restore, locked against other restores.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) folder: Folder,
    lock: File,
}

/// One restore in a target.
pub(super) struct Area {
    pub(super) target: Arc<Target>,
    pub(super) id: String,
    pub(super) path: PathBuf,
    /// The staging folder itself.
    pub(super) holder: Folder,
    pub(super) new: Folder,
    pub(super) old: Folder,
    pub(super) journal: Journal,
    pub(super) steps: Arc<dyn Steps>,
}

impl Target {
    /// Opens and locks. The lock ends with the process, however it ends.
    pub(super) fn open(path: &Path) -> Result<Arc<Self>, PlacementError> {
        let failed = || PlacementError::io("open", path);
        let folder = Folder::open(path).map_err(failed())?;
        let lock = File::open(path).map_err(failed())?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(PlacementError::Busy {
                    target: path.to_path_buf(),
                });
            }
            // Some network file systems cannot lock folders: better a restore without than none.
            Err(Errno::NOTSUP | Errno::NOLCK | Errno::INVAL | Errno::BADF) => {}
            Err(error) => return Err(PlacementError::io("lock", path)(error.into())),
        }
        Ok(Arc::new(Self {
            path: path.to_path_buf(),
            folder,
            lock,
        }))
    }

    /// Ids of the restores that have a staging folder here, finished or not.
    pub(super) fn restores(&self) -> Result<Vec<String>, PlacementError> {
        let (mut names, listed) = Listing::read(&self.folder);
        listed.map_err(PlacementError::io("list", &self.path))?;
        let mut ids = Vec::new();
        while let Some(name) = names.next() {
            let id = name
                .strip_prefix(RESTORE_PREFIX.as_bytes())
                .and_then(|id| std::str::from_utf8(id).ok());
            ids.extend(id.filter(|id| is_valid_id(id)).map(str::to_owned));
        }
        Ok(ids)
    }

    /// Whether there is anything but our own folders and the `lost+found` of a fresh file system.
    pub(super) fn is_empty(&self) -> Result<bool, PlacementError> {
        let (mut names, listed) = Listing::read(&self.folder);
        listed.map_err(PlacementError::io("list", &self.path))?;
        while let Some(name) = names.next() {
            if !is_ours(name) && name != LOST_AND_FOUND {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Closing is not enough: a child process that is just being started may hold the handle a moment longer.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

/// Where `fsck` puts what it finds; belongs to the file system, not to its content.
pub(super) const LOST_AND_FOUND: &[u8] = b"lost+found";

/// Whether a child of a file root is a folder of ours.
pub(crate) fn is_ours(name: &[u8]) -> bool {
    [RESTORE_PREFIX, PREVIOUS_PREFIX]
        .iter()
        .any(|prefix| name.starts_with(prefix.as_bytes()))
}

pub(super) fn check_id(id: &str) -> Result<(), PlacementError> {
    if is_valid_id(id) {
        Ok(())
    } else {
        Err(PlacementError::BadId { id: id.to_owned() })
    }
}

fn is_valid_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 200
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn name_of(id: &str) -> String {
    format!("{RESTORE_PREFIX}{id}")
}

impl Area {
    /// Makes the staging folder, for its owner only.
    pub(super) fn create(
        target: &Arc<Target>,
        id: &str,
        target_created: bool,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, PlacementError> {
        let name = name_of(id);
        let path = target.path.join(&name);
        let failed = |action| PlacementError::io(action, &path);
        let before = FolderState::of(&target.folder).map_err(failed("prepare"))?;
        mkdirat(&target.folder, name.as_str(), Mode::RWXU)
            .map_err(|error| failed("create")(error.into()))?;
        let folder = target
            .folder
            .folder(name.as_bytes())
            .map_err(failed("open"))?;
        shed_inheritance(&folder).map_err(failed("prepare"))?;
        let journal = Journal::create(
            &folder,
            &path,
            &Record::Begin {
                version: VERSION,
                target_created,
                before,
            },
        )?;
        for sub in ["new", "old"] {
            mkdirat(&folder, sub, Mode::RWXU).map_err(|error| failed("create")(error.into()))?;
        }
        steps.reached("journal");
        Self::with_journal(target, id, path.clone(), folder, journal, steps)
    }

    /// Opens the staging folder of an earlier restore. `None`: it had never got as far as a journal, and is now removed.
    pub(super) fn open(
        target: &Arc<Target>,
        id: &str,
        steps: Arc<dyn Steps>,
    ) -> Result<Option<Self>, PlacementError> {
        let path = target.path.join(name_of(id));
        let folder = match target.folder.folder(name_of(id).as_bytes()) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(PlacementError::NoSuchRestore {
                    target: target.path.clone(),
                    id: id.to_owned(),
                });
            }
            Err(error) => return Err(PlacementError::io("open", &path)(error)),
        };
        match Journal::open(&folder, &path)? {
            Some(journal) => {
                for sub in ["new", "old"] {
                    match mkdirat(&folder, sub, Mode::RWXU) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => {
                            return Err(PlacementError::io("create", &path.join(sub))(
                                error.into(),
                            ));
                        }
                    }
                }
                Self::with_journal(target, id, path, folder, journal, steps).map(Some)
            }
            None => {
                // The journal is the first thing made and the last one removed: without it the folder must be empty.
                fs::remove_dir(&path).map_err(PlacementError::io("remove", &path))?;
                Ok(None)
            }
        }
    }

    fn with_journal(
        target: &Arc<Target>,
        id: &str,
        path: PathBuf,
        folder: Folder,
        journal: Journal,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, PlacementError> {
        let open = |sub: &str| {
            folder
                .folder(sub.as_bytes())
                .map_err(PlacementError::io("open", &path.join(sub)))
        };
        let (new, old) = (open("new")?, open("old")?);
        Ok(Self {
            target: target.clone(),
            id: id.to_owned(),
            path,
            holder: folder,
            new,
            old,
            journal,
            steps,
        })
    }

    /// Waits until the whole file system of the target is on disk.
    pub(super) fn sync(&self) -> Result<(), PlacementError> {
        rustix::fs::syncfs(&self.holder)
            .map_err(|error| PlacementError::io("sync", &self.path)(error.into()))
    }

    /// Deletes the staging folder with everything in it, the journal last. The time of the target stays as it is.
    pub(super) fn remove(self) -> Result<(), PlacementError> {
        let Self {
            target,
            path,
            holder: folder,
            steps,
            ..
        } = self;
        let failed = |action| PlacementError::io(action, &path);
        let (mut names, listed) = Listing::read(&folder);
        listed.map_err(failed("list"))?;
        while let Some(name) = names.next() {
            if name != b"journal" {
                remove_tree(&folder, name).map_err(failed("remove"))?;
                steps.reached("folder");
            }
        }
        unlinkat(&folder, "journal", AtFlags::empty())
            .map_err(|error| failed("remove")(error.into()))?;
        steps.reached("journal");
        let state = FolderState::of(&target.folder).map_err(failed("remove"))?;
        let name = path.file_name().unwrap_or_default();
        unlinkat(&target.folder, name, AtFlags::REMOVEDIR)
            .map_err(|error| failed("remove")(error.into()))?;
        state.apply(&target.folder).map_err(failed("remove"))
    }
}

/// What is at a path below a folder; `None` when nothing is.
pub(super) fn look(folder: &Folder, path: &[u8]) -> io::Result<Option<Stat>> {
    let found = folder
        .parent_of(path)
        .and_then(|(parent, name)| Ok(statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?));
    match found {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A path below a folder, for messages.
pub(super) fn display_path(folder: &Path, relative: &[u8]) -> PathBuf {
    folder.join(std::ffi::OsStr::from_bytes(relative))
}

/// New files must not inherit a group or a default ACL from the target: each gets its own.
fn shed_inheritance(folder: &Folder) -> io::Result<()> {
    match rustix::fs::fremovexattr(folder, "system.posix_acl_default") {
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(rustix::fs::fchmod(folder, Mode::RWXU)?)
}
