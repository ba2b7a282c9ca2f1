//! Files that survive a crash: written to a temporary name, synced, renamed, and the folder synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};

/// Access rights of every file that is made: nobody else may read it.
pub(crate) const FILE_MODE: u32 = 0o600;
/// Access rights of every folder that is made.
pub(crate) const FOLDER_MODE: u32 = 0o700;

/// Makes a new file that only its owner may read; fails when there is one.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Replaces the file at `path`: a reader sees the old content or the new, also after a crash. The temporary file is made in `scratch`, a
/// folder on the same file system whose abandoned files are cleaned up.
pub(crate) fn replace(path: &Path, scratch: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".edms-new-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(FILE_MODE))
        .tempfile_in(scratch)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(parent(path))
}

/// Like [`replace`], for a caller that holds a lock against everybody else who writes `path`. The temporary file is `path` with `.new` at its end: what a crash
/// leaves of it is overwritten the next time.
pub(crate) fn replace_locked(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let scratch = Path::new(&name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(scratch)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(scratch, path))
        .inspect_err(|_| {
            // There is nothing to say about a file that cannot even be removed.
            let _ = std::fs::remove_file(scratch);
        })?;
    sync_folder(parent(path))
}

/// Renames `from` to `to`, which must not exist, and syncs the folder.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems do not know the flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)?;
        }
        result => result?,
    }
    sync_folder(parent(to))
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that holds `path`; the working folder for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
