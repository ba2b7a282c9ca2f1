//! One file named by the operator, such as a configuration file: captured like the files of a root.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use backup_archive::ArchivePath;
use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, FileType, statat};

use super::source::CapturedFile;
use super::stat::{metadata_of, size};
use super::{Found, OwnerNames};

/// Captures one regular file. Links in `path` are followed: what the operator names is the file, not the link.
///
/// # Errors
/// It is missing, cannot be looked at, or is not a regular file.
pub fn single_file(
    path: &Path,
    stored_as: ArchivePath,
    owners: Arc<OwnerNames>,
) -> io::Result<Found> {
    let real = fs::canonicalize(path)?;
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    let folder = Folder::open(parent)?;
    let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let metadata = metadata_of(&stat, &owners);
    let source = CapturedFile::new(Arc::new(folder), name.as_bytes(), &stat, owners);
    Ok(Found::File {
        path: stored_as,
        metadata,
        size: size(&stat),
        source,
    })
}
