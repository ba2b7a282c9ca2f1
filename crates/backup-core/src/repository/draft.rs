//! An archive while it is made, and the moment it becomes a backup.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{
    Lease, LeasePurpose, Repository, RepositoryError, make_folder, record_path, sha256_path,
};
use crate::durable;
use crate::id::BackupId;
use crate::record::BackupRecord;

/// Ending of the temporary file beside an `--output` path.
const PARTIAL: &str = ".edms-partial";

/// An archive that is being made. Dropping it removes every trace.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    partial: PathBuf,
    target: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In the repository: the partial file lies in the lease's folder, which goes with the lease.
    Repository { _lease: Lease },
    /// Beside its final name. The lock on the partial file tells the next run whether its maker still lives.
    Output,
}

impl Draft {
    /// Begins an archive of the repository.
    pub(crate) fn in_repository(
        repository: &Repository,
        id: &BackupId,
        ending: &str,
        purpose: LeasePurpose,
    ) -> Result<Self, RepositoryError> {
        let lease = Lease::acquire(repository, id.as_str(), purpose)?;
        let partial = lease.folder().join("archive");
        let file =
            durable::create_new(&partial).map_err(RepositoryError::io("create", &partial))?;
        Ok(Self {
            file,
            partial,
            target: repository.backups().join(format!("{id}{ending}")),
            place: Place::Repository { _lease: lease },
        })
    }

    /// Begins an archive at `output`: a file that must not exist, or a folder in which it gets the id as its name.
    pub(crate) fn at_path(
        output: &Path,
        id: &BackupId,
        ending: &str,
    ) -> Result<Self, RepositoryError> {
        let names_folder = output.is_dir() || output.as_os_str().as_encoded_bytes().ends_with(b"/");
        let target = if names_folder {
            make_folder(output)?;
            output.join(format!("{id}{ending}"))
        } else {
            output.to_owned()
        };
        for taken in [target.clone(), sha256_path(&target)] {
            if taken.symlink_metadata().is_ok() {
                return Err(RepositoryError::Exists { path: taken });
            }
        }
        let folder = durable::parent(&target);
        if !folder.is_dir() {
            return Err(RepositoryError::io("write to", folder)(
                io::ErrorKind::NotFound.into(),
            ));
        }
        remove_abandoned(folder).map_err(RepositoryError::io("clean up", folder))?;
        let partial = folder.join(format!(".{id}{PARTIAL}"));
        let file =
            durable::create_new(&partial).map_err(RepositoryError::io("create", &partial))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| RepositoryError::io("lock", &partial)(error.into()))?;
        Ok(Self {
            file,
            partial,
            target,
            place: Place::Output,
        })
    }

    /// The file to write the archive to; a second handle on the same file.
    pub(crate) fn file(&self) -> Result<File, RepositoryError> {
        self.file
            .try_clone()
            .map_err(RepositoryError::io("open", &self.partial))
    }

    /// Where the archive is until it is published.
    pub(crate) fn partial_path(&self) -> &Path {
        &self.partial
    }

    /// The name that the archive will have.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A folder for temporary files of the writer, on the same file system.
    pub(crate) fn spill_folder(&self) -> &Path {
        durable::parent(&self.partial)
    }

    /// Makes the archive durable and gives it its final name, and so its SHA-256 file and, in a repository, its record.
    ///
    /// Everything is on disk before the first name is given, so that a full disk is noticed in time. When a name cannot be given, those that were are taken back.
    pub(crate) fn publish(self, record: &BackupRecord) -> Result<(), RepositoryError> {
        self.file
            .sync_all()
            .map_err(RepositoryError::io("sync", &self.partial))?;
        let mut beside = Vec::new();
        if let Some(sha256) = &record.sha256 {
            let name = self.target.file_name().unwrap_or_default();
            let mut line = format!("{sha256}  ").into_bytes();
            line.extend_from_slice(name.as_encoded_bytes());
            line.push(b'\n');
            beside.push(self.prepare("sha256", sha256_path(&self.target), &line)?);
        }
        if let Place::Repository { .. } = self.place {
            let path = record_path(&self.target);
            beside.push(self.prepare("record", path, record.to_toml().as_bytes())?);
        }
        let archive = (&self.partial, &self.target);
        let all =
            std::iter::once(archive).chain(beside.iter().map(|one| (&one.partial, &one.target)));
        let mut named = Vec::new();
        for (partial, target) in all {
            let result = name(partial, target);
            // The name may have been given and the folder not synced.
            if result.is_ok() || partial.symlink_metadata().is_err() {
                named.push(target);
            }
            if let Err(error) = result {
                for path in named.iter().rev() {
                    // What cannot be taken back is a backup that is complete, or beside one.
                    let _ = fs::remove_file(path);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes a small file next to where the partial archive is.
    fn prepare(
        &self,
        what: &str,
        target: PathBuf,
        content: &[u8],
    ) -> Result<Beside, RepositoryError> {
        use io::Write;
        let name = self.partial.file_name().unwrap_or_default();
        let name = match self.place {
            Place::Repository { .. } => what.to_owned(),
            // Ends as every partial file does.
            Place::Output => format!(".{what}{}", name.to_string_lossy()),
        };
        let partial = self.partial.with_file_name(name);
        let mut file =
            durable::create_new(&partial).map_err(RepositoryError::io("write", &target))?;
        let beside = Beside { partial, target };
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(content))
            .and_then(|()| file.sync_all())
            .map_err(RepositoryError::io("write", &beside.target))?;
        Ok(beside)
    }
}

/// A small file that gets its name after its archive.
#[derive(Debug)]
struct Beside {
    partial: PathBuf,
    target: PathBuf,
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After publication there is nothing of that name any more.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Gives a file its final name.
fn name(partial: &Path, target: &Path) -> Result<(), RepositoryError> {
    durable::rename_new(partial, target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => RepositoryError::Exists {
            path: target.to_owned(),
        },
        _ => RepositoryError::io("rename to", target)(error),
    })
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publication there is nothing of that name any more.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Removes partial files beside an output whose makers are dead.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !(name.starts_with(b".") && name.ends_with(PARTIAL.as_bytes())) {
            continue;
        }
        if let Ok(file) = File::open(entry.path())
            && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
