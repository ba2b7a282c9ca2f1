//! The backup that an incremental one builds on.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use backup_archive::{ArchivePath, ArchiveReader, Entry, Location, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Base, CreateError, CreateOptions};
use crate::durable::parent;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::manifest::Manifest;
use crate::opened::{Archives, find_archive, open_by_table};
use crate::record::BackupRecord;
use crate::repository::Repository;

/// Times of files and ours may differ by so much: the coarsest clock of a file system, and of ours.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// The backup that an incremental one builds on, opened.
pub(super) struct OpenedBase {
    /// Its id.
    pub(super) id: BackupId,
    /// The archive.
    pub(super) path: PathBuf,
    /// The archive, opened.
    pub(super) reader: ArchiveReader,
    /// A file whose metadata changed from here on may have changed again, unseen, after the base read it.
    pub(super) doubtful_from: Timestamp,
    /// A file whose content changed later is not in the base, under whatever name.
    pub(super) ended_at: Timestamp,
    /// Every archive that may hold content: those of the base, and last the base itself.
    pub(super) holders: Vec<Vec<u8>>,
}

impl OpenedBase {
    /// Opens what the options ask for.
    pub(super) fn choose(
        options: &CreateOptions,
        repository: Option<&Repository>,
    ) -> Result<Self, CreateError> {
        match (&options.base, repository) {
            (Base::Archive(path), _) => Self::open(path, &archives(options, repository)),
            (Base::Newest, Some(repository)) => newest(options, repository),
            (Base::Newest, None) => Err(CreateError::BaseNotNamed),
        }
    }

    fn open(path: &Path, archives: &Archives) -> Result<Self, CreateError> {
        let (reader, manifest) = open_by_table(path, &archives.keys).map_err(CreateError::Base)?;
        let unusable = |reason: String| CreateError::UnusableBase {
            path: path.to_owned(),
            reason,
        };
        if manifest.files.is_empty() {
            return Err(unusable("it holds no files".to_owned()));
        }
        if manifest.kind == BackupKind::Export {
            return Err(unusable("it is a migration package".to_owned()));
        }
        if let Some(missing) = missing_link(&reader, path, archives) {
            return Err(unusable(format!(
                "archive {missing}, which holds files of it, is missing"
            )));
        }
        Ok(Self::new(path, reader, &manifest))
    }

    fn new(path: &Path, reader: ArchiveReader, manifest: &Manifest) -> Self {
        let mut holders = reader.archives().to_vec();
        holders.push(manifest.id.as_str().as_bytes().to_vec());
        let duration = TimeDelta::milliseconds(manifest.duration_ms.cast_signed());
        Self {
            id: manifest.id.clone(),
            path: path.to_owned(),
            reader,
            doubtful_from: timestamp(manifest.created_at - CLOCK_TOLERANCE),
            ended_at: timestamp(manifest.created_at + duration + CLOCK_TOLERANCE),
            holders,
        }
    }

    /// # Errors
    /// [`CreateError::UnusableBase`] when the archive was removed since it was opened.
    pub(super) fn check_still_there(&self) -> Result<(), CreateError> {
        if self.path.is_file() {
            return Ok(());
        }
        Err(CreateError::UnusableBase {
            path: self.path.clone(),
            reason: "it was removed a moment ago".to_owned(),
        })
    }

    /// Which of the holders has the content of a file of the base, and under which path.
    pub(super) fn holder_of<'e>(&self, entry: &'e Entry) -> (usize, &'e ArchivePath) {
        match &entry.location {
            Location::Here { .. } => (self.holders.len() - 1, &entry.path),
            Location::Elsewhere { archive, stored_as } => {
                (*archive as usize, stored_as.as_ref().unwrap_or(&entry.path))
            }
        }
    }

    /// The error for a table of contents that cannot be read on.
    pub(super) fn unreadable(&self, source: backup_archive::ReadError) -> CreateError {
        CreateError::ReadBase {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

/// The newest COMPLETE backup that will do; otherwise the newest PARTIAL one.
fn newest(options: &CreateOptions, repository: &Repository) -> Result<OpenedBase, CreateError> {
    let mut records = repository.list()?.backups;
    records.retain(|record| {
        matches!(
            record.kind,
            BackupKind::Full | BackupKind::Files | BackupKind::Incremental
        )
    });
    records.sort_by_key(|record| {
        (
            record.status != Status::Complete,
            Reverse(record.created_at),
        )
    });
    records
        .iter()
        .find_map(|record| open_if_fit(options, repository, record))
        .ok_or_else(|| CreateError::NoBase {
            repository: repository.path().to_owned(),
            roots: options
                .files
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// Where the archives are that a base may refer to.
fn archives(options: &CreateOptions, repository: Option<&Repository>) -> Archives {
    Archives {
        folders: repository.iter().map(|one| one.backups()).collect(),
        keys: options.keys.clone(),
    }
}

fn open_if_fit(
    options: &CreateOptions,
    repository: &Repository,
    record: &BackupRecord,
) -> Option<OpenedBase> {
    let (reader, manifest) = open_by_table(&record.path, &options.keys).ok()?;
    let is_fit = manifest.files.keys().eq(options.files.keys())
        && missing_link(&reader, &record.path, &archives(options, Some(repository))).is_none();
    is_fit.then(|| OpenedBase::new(&record.path, reader, &manifest))
}

/// The first archive that `reader`, the file at `path`, refers to and that is not there.
fn missing_link(reader: &ArchiveReader, path: &Path, archives: &Archives) -> Option<String> {
    reader
        .archives()
        .iter()
        .map(|id| String::from_utf8_lossy(id).into_owned())
        .find(|id| find_archive(id, parent(path), archives).is_none())
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanoseconds: time.timestamp_subsec_nanos().min(999_999_999),
    }
}
