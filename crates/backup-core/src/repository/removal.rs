//! Taking a backup away.

use std::fs;
use std::io;

use super::{Repository, RepositoryError, record_path, sha256_path};
use crate::durable;
use crate::record::BackupRecord;

impl Repository {
    /// Removes the files of a backup; the lock must be held. Needs no free space.
    ///
    /// The archive goes last: cut short before, the backup is still there and listed, and the next attempt removes the rest. Nothing is left over
    /// that belongs to no backup.
    pub(crate) fn remove(&self, record: &BackupRecord) -> Result<(), RepositoryError> {
        let archive = &record.path;
        for path in [record_path(archive), sha256_path(archive), archive.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(RepositoryError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        let folder = self.backups();
        durable::sync_folder(&folder).map_err(RepositoryError::io("sync", &folder))
    }
}
