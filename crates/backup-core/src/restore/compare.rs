//! Reading restored files back and comparing them with the backup.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use backup_archive::extract::{Folder, Selection};
use backup_archive::{ArchivePath, Digest};
use rustix::fs::{Mode, OFlags};

use super::error::RestoreError;
use super::files::below;
use super::plan::Root;
use crate::monitor::Monitor;
use crate::opened::OpenedBackup;

/// Reads every selected file of a root back from `folder` and compares length and digest. `failed` are paths that are known not to be there.
///
/// # Errors
/// [`RestoreError::Different`] names the first file that differs: what was written is not what is on the disk.
pub(super) fn compare(
    backup: &OpenedBackup,
    root: &Root,
    folder: &Folder,
    selection: &Selection,
    failed: &HashSet<ArchivePath>,
    jobs: NonZeroUsize,
    monitor: &dyn Monitor,
) -> Result<(), RestoreError> {
    let entries = Mutex::new(backup.reader().entries());
    let work = || -> Result<(), RestoreError> {
        loop {
            let next = entries
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next();
            let Some(entry) = next.transpose()? else {
                return Ok(());
            };
            if monitor.is_cancelled() {
                return Err(RestoreError::Cancelled);
            }
            let (Some(expected), Some(relative)) =
                (&entry.digest, below(&root.stored_as, &entry.path))
            else {
                continue;
            };
            if !selection.selects(&entry.path) || failed.contains(&entry.path) {
                continue;
            }
            let different = |reason: String| RestoreError::Different {
                path: entry.path.clone(),
                reason,
            };
            let (size, digest) = read_back(folder, relative, monitor)
                .map_err(|error| different(format!("it cannot be read back: {error}")))?;
            if size != entry.size || digest != *expected {
                return Err(different(
                    "its content is not that of the backup".to_owned(),
                ));
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..jobs.get()).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            result = result.and(other.join().expect("reading back does not panic"));
        }
        result
    })
}

fn read_back(folder: &Folder, path: &[u8], monitor: &dyn Monitor) -> io::Result<(u64, Digest)> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(folder.open_beneath(path, flags, Mode::empty())?);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let len = file.read(&mut buffer)?;
        if len == 0 {
            return Ok((size, Digest::from(*hasher.finalize().as_bytes())));
        }
        hasher.update(&buffer[..len]);
        size += len as u64;
        monitor.advance(len as u64);
    }
}
