//! Why nothing was restored.

use std::io;
use std::path::PathBuf;

use backup_archive::extract::ExtractError;
use backup_archive::{ArchivePath, ReadError};
use backup_db::{RestoreError as DatabaseError, ScriptError};

use super::options::Component;
use crate::database_errors::sentence;
use crate::failure::{Explain, wants_space};
use crate::opened::OpenError;
use crate::placement::PlacementError;

/// Why nothing was restored. What was there before is still there, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing of what is asked for is in the backup.
    #[error("the backup holds no {}", name(*.component))]
    NotInBackup {
        /// What was asked for.
        component: Component,
    },
    /// Nothing at all would be restored.
    #[error("nothing of this backup is selected")]
    NothingSelected,
    /// The backup holds a database, and none is given to restore it into.
    #[error("the backup holds a database, and none is given to restore it into")]
    NoDatabase,
    /// The backup holds a file root for which no folder is given.
    #[error("the backup holds the file root {root:?}, and no folder is given for it")]
    NoFolder {
        /// Name of the root.
        root: String,
    },
    /// A glob cannot be understood, or matches nothing.
    #[error("--path {pattern:?}: {reason}")]
    Path {
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A table is not in the backup.
    #[error("the backup has no table {table:?}")]
    NoSuchTable {
        /// As given.
        table: String,
    },
    /// The plan has problems: nothing was touched.
    #[error("the database cannot be restored: {}", .problems.join("; "))]
    Preflight {
        /// All of them.
        problems: Vec<String>,
    },
    /// Configuration files are restored beside the live ones only.
    #[error("configuration files are restored into a folder, and none is given")]
    NoConfigFolder,
    /// The archive cannot be read.
    #[error("the archive cannot be read")]
    Read(#[from] ReadError),
    /// A part of the database is not in the archive.
    #[error("the archive has no {path}")]
    Missing {
        /// The part.
        path: ArchivePath,
    },
    /// A text of our own is not UTF-8.
    #[error("{path} in the archive is not text")]
    NotText {
        /// The part.
        path: ArchivePath,
    },
    /// The schema in the archive is damaged.
    #[error("the schema in the archive cannot be used")]
    Script(#[from] ScriptError),
    /// Files cannot be extracted.
    #[error("cannot extract into {}", .folder.display())]
    Extract {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: ExtractError,
    },
    /// A file that was written reads back differently.
    #[error("{path} was restored, but {reason}; nothing was put in place")]
    Different {
        /// The file.
        path: ArchivePath,
        /// What is wrong with it.
        reason: String,
    },
    /// Files cannot be put in place.
    #[error("files cannot be put in place")]
    Placement(#[from] PlacementError),
    /// The database cannot be restored.
    #[error("the database cannot be restored")]
    Database(#[from] DatabaseError),
    /// Nothing is kept of the restore.
    #[error("nothing is kept of a restore {id:?}")]
    NoSuchRestore {
        /// As asked for.
        id: String,
    },
    /// The operating system has no random bytes for an id.
    #[error("cannot make an id")]
    Random(#[source] io::Error),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

fn name(component: Component) -> &'static str {
    match component {
        Component::Database => "database",
        Component::Files => "files",
        Component::Config => "configuration files",
    }
}

impl Explain for RestoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::NotInBackup { .. } => "not_in_backup",
            Self::NothingSelected => "nothing_selected",
            Self::NoDatabase => "no_database",
            Self::NoFolder { .. } => "no_folder",
            Self::Path { .. } => "bad_path",
            Self::NoSuchTable { .. } => "no_such_table",
            Self::Preflight { .. } => "preflight",
            Self::NoConfigFolder => "no_target",
            Self::Missing { .. } | Self::NotText { .. } | Self::Script(_) => "damaged",
            Self::Read(error) => read_code(error),
            Self::Extract { source, .. } if lacks_space(source) => "no_space",
            Self::Extract {
                source: ExtractError::Read(error),
                ..
            } => read_code(error),
            Self::Extract { .. } => "extract",
            Self::Placement(PlacementError::TargetNotEmpty { .. }) => "target_not_empty",
            Self::Placement(PlacementError::Unfinished { .. }) => "unfinished_restore",
            Self::Placement(PlacementError::Busy { .. }) => "busy",
            Self::Placement(_) => "placement",
            Self::Database(DatabaseError::Connect(error)) => error.code(),
            Self::Database(DatabaseError::Preflight { .. }) => "preflight",
            Self::Database(DatabaseError::ServerLost(_)) => "database_lost",
            Self::Database(DatabaseError::Different { .. }) => "restored_differs",
            Self::Database(DatabaseError::NoSuchTable { .. }) => "no_such_table",
            Self::Database(DatabaseError::NoSuchSchema { .. }) => "no_such_schema",
            Self::Database(DatabaseError::Cancelled) | Self::Cancelled => "cancelled",
            Self::Database(_) => "database_restore",
            Self::Different { .. } => "restored_differs",
            Self::NoSuchRestore { .. } => "no_such_restore",
            Self::Random(_) => "no_random_bytes",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Open(error) => return error.hint(),
            Self::NotInBackup { .. } | Self::NothingSelected => {
                "`edms-backup show` lists what the backup holds.".into()
            }
            Self::NoDatabase => "Name it with --database-url, DATABASE_URL or DB_*, or leave it out with --skip-database.".into(),
            Self::NoFolder { root } => format!(
                "Name it with --files {root}=DIR, restore everything below one folder with --target DIR, or leave files out with --skip-files."
            ),
            Self::Path { .. } => "`edms-backup show --entries` lists the files; globs begin with the name of the file root.".into(),
            Self::NoSuchTable { .. } => "Write it as SCHEMA.TABLE; `edms-backup show` lists the tables.".into(),
            Self::NoConfigFolder => "Name a folder with --target DIR; live configuration is never overwritten.".into(),
            Self::Missing { .. } | Self::NotText { .. } | Self::Script(_) => {
                "`edms-backup verify` names what is damaged; files can still be restored with --only files.".into()
            }
            Self::Read(ReadError::Refused { .. }) => {
                "This archive was not made by this program as it is, or was tampered with. Nothing was extracted.".into()
            }
            Self::Placement(PlacementError::TargetNotEmpty { .. }) => {
                "Choose an empty folder, or say --force to replace what is there (it is kept for undo).".into()
            }
            Self::Extract { source, .. } if lacks_space(source) => {
                "Free space there, or restore into another folder with --target.".into()
            }
            Self::Placement(error) => return error.hint().map(sentence),
            Self::Database(error) => return error.hint().as_deref().map(sentence),
            Self::NoSuchRestore { .. } => "Name the folders it went to with --files NAME=DIR or --target DIR, and the database.".into(),
            Self::Preflight { .. } => "Nothing was touched. `--dry-run` shows the whole plan.".into(),
            _ => return None,
        })
    }
}

fn read_code(error: &ReadError) -> &'static str {
    match error {
        ReadError::Refused { .. } => "hostile_archive",
        ReadError::Limit { .. } => "archive_limit",
        _ => "damaged",
    }
}

/// Whether the target is too small for what is to be extracted, as known beforehand or as it turned out.
fn lacks_space(error: &ExtractError) -> bool {
    matches!(error, ExtractError::NoSpace { .. }) || wants_space(error)
}
