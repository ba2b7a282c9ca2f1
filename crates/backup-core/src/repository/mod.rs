//! Where backups live: a plain folder that a person can read.
//!
//! ```text
//! repository.toml                           version of the layout
//! backups/20260131T020000Z-full-1f9a03c2.tar.gz          the archive
//! backups/20260131T020000Z-full-1f9a03c2.tar.gz.sha256   for `sha256sum -c`
//! backups/20260131T020000Z-full-1f9a03c2.toml            the record, written last
//! pins/20260131T020000Z-full-1f9a03c2.toml               it is under legal hold: why, since when, who said so
//! schedule/daily.json                       what is remembered of a configuration's runs
//! audit.jsonl, audit.jsonl.head             the journal, and its last line
//! running/<id>/                             work in progress, with the lease of the process that does it
//! ```
//!
//! Folders have mode 0700, files 0600. A backup exists once its archive has its final name, which happens after it is complete and synced.
//! A record that is missing (a crash in between, or a copied archive) is read from the archive's manifest.

mod catalogue;
mod draft;
mod error;
mod lease;
mod pin;
mod removal;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

pub use catalogue::{Rebuilt, UnreadableArchive};
pub(crate) use draft::Draft;
pub use error::{JournalError, RepositoryError};
use lease::Lease;
pub(crate) use lease::{LeasePurpose, RunningJob, host_name};
pub use pin::Pin;

use crate::audit::{self, AuditHead, AuditJournal, AuditReport};
use crate::durable::{self, FOLDER_MODE};
use crate::id::BackupId;
use crate::opened::{OpenError, OpenedBackup};
use crate::record::BackupRecord;
use crate::rehearse::{LastRehearsal, Rehearsal};
use crate::schedule::ScheduleStore;

/// The version of the layout that this crate makes, and the newest that it opens.
pub const REPOSITORY_VERSION: u32 = 1;

const DESCRIPTION: &str = "repository.toml";
const BACKUPS: &str = "backups";
const RUNNING: &str = "running";
const PINS: &str = "pins";
const SCHEDULE: &str = "schedule";
const JOURNAL: &str = "audit.jsonl";

/// A folder of backups.
#[derive(Debug, Clone)]
pub struct Repository {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Description {
    repository_version: u32,
}

impl Repository {
    /// Opens the repository at `path`.
    ///
    /// # Errors
    /// [`RepositoryError::Missing`] when there is none, [`RepositoryError::Newer`] when this program is too old for it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RepositoryError> {
        let path = absolute(path.into())?;
        let file = path.join(DESCRIPTION);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(RepositoryError::Missing { path });
            }
            Err(error) => return Err(RepositoryError::io("read", &file)(error)),
        };
        let Description { repository_version } =
            toml::from_str(&text).map_err(|error| RepositoryError::Malformed {
                path: file,
                source: Box::new(error),
            })?;
        if repository_version > REPOSITORY_VERSION {
            return Err(RepositoryError::Newer {
                path,
                found: repository_version,
            });
        }
        Ok(Self { path })
    }

    /// Opens the repository at `path`, and makes it first when there is none. Folders that were there keep their modes.
    ///
    /// # Errors
    /// As [`Repository::open`], and when a folder cannot be made.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, RepositoryError> {
        let path = path.into();
        match Self::open(&path) {
            Err(RepositoryError::Missing { path }) => {
                for folder in [path.clone(), path.join(BACKUPS), path.join(RUNNING)] {
                    make_folder(&folder)?;
                }
                let description = toml::to_string(&Description {
                    repository_version: REPOSITORY_VERSION,
                })
                .expect("two plain fields");
                let file = path.join(DESCRIPTION);
                durable::replace(&file, &path.join(RUNNING), description.as_bytes())
                    .map_err(RepositoryError::io("write", &file))?;
                Ok(Self { path })
            }
            result => result,
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every backup, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read. A damaged record or an unreadable archive is reported in [`Listing::unreadable`], not as an error.
    pub fn list(&self) -> Result<Listing, RepositoryError> {
        let mut listing = Listing::default();
        for archive in self.archives()? {
            match self.record_of(&archive) {
                Ok(record) => listing.backups.push(record),
                Err(error) => listing.unreadable.push((archive, error)),
            }
        }
        listing.backups.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(listing)
    }

    /// The record of one backup, by id or by an unambiguous beginning of it; `latest` is the newest.
    ///
    /// # Errors
    /// [`RepositoryError::NoSuchBackup`], also when several ids begin with `id`.
    pub fn find(&self, id: &str) -> Result<BackupRecord, RepositoryError> {
        let mut found: Vec<PathBuf> = self.archives()?;
        found.sort();
        if id == "latest" {
            found.drain(..found.len().saturating_sub(1));
        } else {
            found.retain(|path| stem(path).is_some_and(|name| name.starts_with(id)));
        }
        match found.as_slice() {
            [archive] => self.record_of(archive),
            _ => Err(RepositoryError::NoSuchBackup {
                id: id.to_owned(),
                path: self.path.clone(),
            }),
        }
    }

    /// A folder of one's own among the work in progress, for `job`. It is removed when it is dropped, or after a crash by the next lease.
    pub(crate) fn leased_folder(
        &self,
        name: &str,
        job: &str,
    ) -> Result<LeasedFolder, RepositoryError> {
        let purpose = LeasePurpose {
            job: job.to_owned(),
            configuration: None,
            base: None,
        };
        let lease = Lease::acquire(self, name, purpose)?;
        let folder = lease.folder().join("work");
        make_folder(&folder)?;
        Ok(LeasedFolder {
            folder,
            _lease: lease,
        })
    }

    /// Whether the archive at `path` lies in this repository.
    pub fn holds(&self, path: &Path) -> bool {
        absolute(path.to_owned()).is_ok_and(|path| path.parent() == Some(&self.backups()))
    }

    /// Notes a rehearsal in the record of the archive at `path`, which lies in this repository.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(crate) fn note_rehearsal(
        &self,
        path: &Path,
        rehearsal: &Rehearsal,
    ) -> Result<(), RepositoryError> {
        let archive = absolute(path.to_owned())?;
        let _lock = self.lock()?;
        let mut record = self.record_of(&archive)?;
        record.last_rehearsal = Some(LastRehearsal::after(
            record.last_rehearsal.as_ref(),
            rehearsal,
        ));
        let file = record_path(&archive);
        durable::replace(&file, &self.running(), record.to_toml().as_bytes())
            .map_err(RepositoryError::io("write", &file))
    }

    /// The journal of what was done.
    pub fn journal(&self) -> AuditJournal {
        AuditJournal::new(self.path.join(JOURNAL))
    }

    /// Checks the journal, also against the lines that the records of backups name.
    ///
    /// # Errors
    /// When it, or the folder of backups, cannot be read.
    pub fn verify_journal(&self) -> Result<AuditReport, JournalError> {
        let records = self.list()?.backups;
        let noted: Vec<AuditHead> = records
            .into_iter()
            .filter_map(|record| record.audit)
            .collect();
        Ok(audit::verify(self.journal().path(), &noted)?)
    }

    /// What is remembered of every configuration's runs.
    pub fn schedule_store(&self) -> ScheduleStore {
        ScheduleStore::new(self.path.join(SCHEDULE))
    }

    /// Whether a job of `configuration` is at work.
    ///
    /// # Errors
    /// When the folder of running jobs cannot be read.
    pub fn is_busy(&self, configuration: &str) -> Result<bool, RepositoryError> {
        Ok(lease::running_jobs(self)?
            .iter()
            .any(|job| job.purpose.configuration.as_deref() == Some(configuration)))
    }

    /// The jobs that are at work. The lock must be held for the answer to stay true.
    pub(crate) fn running_jobs(&self) -> Result<Vec<RunningJob>, RepositoryError> {
        lease::running_jobs(self)
    }

    /// Takes the lock under which leases are made and removed. Held for moments only; the kernel drops it with the process.
    pub(crate) fn lock(&self) -> Result<File, RepositoryError> {
        let path = self.path.join(DESCRIPTION);
        let file = File::open(&path).map_err(RepositoryError::io("open", &path))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| RepositoryError::io("lock", &path)(error.into()))?;
        Ok(file)
    }

    fn pins_folder(&self) -> PathBuf {
        self.path.join(PINS)
    }

    /// The folder of the archives.
    pub fn backups(&self) -> PathBuf {
        self.path.join(BACKUPS)
    }

    fn running(&self) -> PathBuf {
        self.path.join(RUNNING)
    }

    fn archives(&self) -> Result<Vec<PathBuf>, RepositoryError> {
        let folder = self.backups();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RepositoryError::io("list", &folder)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(RepositoryError::io("list", &folder))?.path();
            if stem(&path).is_some_and(|name| name.parse::<BackupId>().is_ok()) {
                found.push(path);
            }
        }
        Ok(found)
    }

    fn record_of(&self, archive: &Path) -> Result<BackupRecord, RepositoryError> {
        let path = record_path(archive);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mut record: BackupRecord =
                    toml::from_str(&text).map_err(|error| RepositoryError::Malformed {
                        path,
                        source: Box::new(error),
                    })?;
                record.path = archive.to_owned();
                Ok(record)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.read_from_archive(archive)
            }
            Err(error) => Err(RepositoryError::io("read", &path)(error)),
        }
    }

    fn read_from_archive(&self, archive: &Path) -> Result<BackupRecord, RepositoryError> {
        let unreadable =
            |error: OpenError| RepositoryError::io("read", archive)(io::Error::other(error));
        let backup = OpenedBackup::open(archive).map_err(unreadable)?;
        let size = fs::metadata(archive)
            .map_err(RepositoryError::io("read", archive))?
            .len();
        let sha256 = fs::read_to_string(sha256_path(archive))
            .ok()
            .and_then(|line| line.split(' ').next().map(str::to_owned));
        Ok(BackupRecord::from_manifest(
            backup.require_manifest().map_err(unreadable)?,
            archive.to_owned(),
            size,
            sha256,
        ))
    }
}

/// A folder among the work in progress. Dropping it removes it.
pub(crate) struct LeasedFolder {
    folder: PathBuf,
    // Before everything in it goes, its heartbeat ends.
    _lease: Lease,
}

impl LeasedFolder {
    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }
}

/// What a repository holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Backups, oldest first.
    pub backups: Vec<BackupRecord>,
    /// Archives whose record and manifest cannot be read, and why.
    pub unreadable: Vec<(PathBuf, RepositoryError)>,
}

/// The endings that archives have, by compression.
pub(crate) const ENDINGS: [&str; 6] = [
    ".tar.gz",
    ".tar.zst",
    ".tar",
    ".tar.gz.age",
    ".tar.zst.age",
    ".tar.age",
];

/// The backup id that the name of an archive begins with.
fn stem(archive: &Path) -> Option<&str> {
    let name = archive.file_name()?.to_str()?;
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// The backup that an archive of a repository is.
pub(crate) fn id_of(archive: &Path) -> Option<BackupId> {
    stem(archive)?.parse().ok()
}

/// `x.tar.gz` → `x.toml`.
fn record_path(archive: &Path) -> PathBuf {
    let name = stem(archive).expect("only archives have records");
    archive.with_file_name(format!("{name}.toml"))
}

/// `x.tar.gz` → `x.tar.gz.sha256`.
pub(crate) fn sha256_path(archive: &Path) -> PathBuf {
    let mut name = archive.file_name().unwrap_or_default().to_owned();
    name.push(".sha256");
    archive.with_file_name(name)
}

fn make_folder(path: &Path) -> Result<(), RepositoryError> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        // The mask of the process may have taken more away than we want.
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE)))
        .map_err(RepositoryError::io("make", path))
}

fn absolute(path: PathBuf) -> Result<PathBuf, RepositoryError> {
    std::path::absolute(&path).map_err(RepositoryError::io("resolve", &path))
}
