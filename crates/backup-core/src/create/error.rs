//! Why no backup was made.

use std::path::PathBuf;

use backup_archive::seal::SealError;
use backup_archive::{ReadError, WriteError};
use backup_db::DumpError;

use crate::audit::AuditError;
use crate::capture::{GuardError, WalkError};
use crate::database_errors::sentence;
use crate::failure::{Explain, is_full, wants_space};
use crate::id::BackupId;
use crate::kind::BackupKind;
use crate::opened::OpenError;
use crate::repository::RepositoryError;
use crate::sanitize::SanitizeError;
use crate::sealing::ArchiveSinkError;
use crate::verify::VerifyError;

/// Why no backup was made. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The kind contains a database, and none is described.
    #[error("a {kind} backup needs a database, and none is given")]
    NoDatabase {
        /// The kind.
        kind: BackupKind,
    },
    /// The kind contains files, and no root is given.
    #[error("a {kind} backup needs at least one file root, and none is given")]
    NoFiles {
        /// The kind.
        kind: BackupKind,
    },
    /// A file root is missing, empty or sharply smaller than before.
    #[error("file root {root:?} is refused")]
    Source {
        /// Name of the root.
        root: String,
        /// What is wrong with it.
        source: GuardError,
    },
    /// A file root cannot be opened.
    #[error("a file root cannot be read")]
    Walk(#[source] WalkError),
    /// A system configuration file cannot be read.
    #[error("cannot read the system configuration file {}", .path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database cannot be dumped.
    #[error("the database cannot be dumped")]
    Database(#[from] DumpError),
    /// The archive cannot be sealed.
    #[error("the archive cannot be sealed")]
    Seal(#[source] SealError),
    /// The package cannot be made free of secrets.
    #[error("the package would hold secrets")]
    Sanitize(#[from] SanitizeError),
    /// There is nothing that an incremental backup could build on.
    #[error("there is no backup to build on: none in {} has the file roots {roots}", .repository.display())]
    NoBase {
        /// The repository.
        repository: PathBuf,
        /// The roots.
        roots: String,
    },
    /// Outside of a repository, nothing tells what to build on.
    #[error("an incremental backup outside of the repository needs to be told what it builds on")]
    BaseNotNamed,
    /// The base cannot be opened.
    #[error("the base cannot be used")]
    Base(#[source] OpenError),
    /// The base cannot be built on.
    #[error("{} cannot be built on: {reason}", .path.display())]
    UnusableBase {
        /// The archive.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The table of contents of the base cannot be read.
    #[error("the table of contents of the base {} cannot be read", .path.display())]
    ReadBase {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: Box<ReadError>,
    },
    /// A `[[references]]` rule names a table or a column that cannot be read.
    #[error("[[references]] of {table} cannot be checked")]
    References {
        /// The tables of the rules.
        table: String,
        /// Why not.
        source: Box<DumpError>,
    },
    /// What rows and files are compared with cannot be written or read.
    #[error("rows and files cannot be compared")]
    Closure(#[source] std::io::Error),
    /// The archive cannot be written.
    #[error("the archive cannot be written")]
    Write(#[from] WriteError),
    /// The repository or the output path cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// What was written does not read back.
    #[error("the archive that was just written does not verify")]
    Verify(#[from] VerifyError),
    /// What was written reads back differently: memory or disk is faulty.
    #[error("the archive that was just written is damaged: {first}")]
    Damaged {
        /// The first entry that is hit.
        first: String,
    },
    /// The backup is there, and could not be written down.
    #[error("the backup {id} is there, but cannot be noted in the audit journal")]
    Unrecorded {
        /// The backup.
        id: BackupId,
        /// Why not.
        source: AuditError,
    },
    /// The operating system has no random bytes for an id.
    #[error("cannot make an id")]
    Random(#[source] std::io::Error),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<ArchiveSinkError> for CreateError {
    fn from(error: ArchiveSinkError) -> Self {
        match error {
            ArchiveSinkError::File(error) => Self::Write(WriteError::Sink(error)),
            ArchiveSinkError::Seal(SealError::Sink(error)) => Self::Write(WriteError::Sink(error)),
            ArchiveSinkError::Seal(error) => Self::Seal(error),
        }
    }
}

impl Explain for CreateError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDatabase { .. } => "no_database",
            Self::NoFiles { .. } => "no_files",
            Self::Source { source, .. } => match source {
                GuardError::Empty { .. }
                | GuardError::Emptied { .. }
                | GuardError::Shrunken { .. } => "source_shrunken",
                _ => "source_unusable",
            },
            Self::Walk(_) => "source_unusable",
            Self::System { .. } => "system_file",
            Self::Database(error) => error.code(),
            Self::Sanitize(error) => error.code(),
            Self::NoBase { .. } => "no_base",
            Self::BaseNotNamed => "no_base",
            Self::Base(error) => error.code(),
            Self::UnusableBase { .. } | Self::ReadBase { .. } => "unusable_base",
            Self::References { .. } => "references",
            Self::Closure(error) if is_full(error) => "no_space",
            Self::Closure(_) => "closure_io",
            Self::Seal(_) => "cannot_seal",
            Self::Write(error) if wants_space(error) => "no_space",
            Self::Write(_) => "archive_write",
            Self::Repository(error) => error.code(),
            Self::Verify(error) => error.code(),
            Self::Damaged { .. } => "written_damaged",
            Self::Unrecorded { source, .. } if is_full(&source.source) => "no_space",
            Self::Unrecorded { source, .. } => source.code(),
            Self::Random(_) => "no_random_bytes",
            Self::Cancelled => "cancelled",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoDatabase { .. } => "Describe it with --database-url, DATABASE_URL, DB_* or PG* variables, or [database] in the configuration file; `create files` needs none.".into(),
            Self::NoFiles { .. } => "Name each folder with --files NAME=DIR or in [files] of the configuration file; `create database` needs none.".into(),
            Self::Source { source, .. } => sentence(source.hint()),
            Self::System { .. } => "Correct [system] paths or --config-file, and check that this user may read the file.".into(),
            Self::Database(error) => return Explain::hint(error),
            Self::Sanitize(error) => return error.hint(),
            Self::NoBase { .. } => "Make a full or files backup of the same roots first, or name the base with --base.".into(),
            Self::BaseNotNamed => "Name it with --base ID|PATH.".into(),
            Self::Base(error) => return error.hint(),
            Self::UnusableBase { .. } | Self::ReadBase { .. } => "Name another one with --base, or make a full backup.".into(),
            Self::Seal(_) => "Correct the recipients: `edms-backup key generate` makes a key and prints its recipient.".into(),
            Self::Write(error) if wants_space(error) => {
                "Free space on that file system, or choose another repository; nothing was left behind.".into()
            }
            Self::Repository(error) => return error.hint(),
            Self::Verify(error) => return error.hint(),
            Self::Damaged { .. } => "The disk or the memory of this machine is faulty: check both before relying on any backup made here.".into(),
            Self::References { .. } => "Correct table, path_column and checksum_column of [[references]]: names as in the database, the table as schema.table. The role needs SELECT on it.".into(),
            Self::Closure(_) => "Temporary files lie beside the archive that is made: is there space, and is the disk well?".into(),
            Self::Unrecorded { source, .. } if is_full(&source.source) => {
                "Free space on the file system of the repository; the backup can be restored, retention did not run.".into()
            }
            Self::Unrecorded { .. } => "Make the repository writable; the backup can be restored, retention did not run.".into(),
            Self::Walk(_) | Self::Write(_) | Self::Random(_) | Self::Cancelled => return None,
        })
    }
}
