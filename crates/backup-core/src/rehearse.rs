//! The rehearsal: a backup is restored into a scratch database and a scratch folder, everything is compared, and both are removed.
//!
//! A checksum proves that the bytes of a backup are those that were written. That it can be restored is proven by restoring it.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use backup_db::{
    ConnectOptions, DumpSource, Problem, RestoreError as DatabaseError, SchemaComparison, Scratch,
    SnapshotOptions, compare_schemas, preflight, read_schema, same_wording,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::closure::{ClosureReport, check_restored};
use crate::config::ReferenceRule;
use crate::create::elapsed_ms;
use crate::database_errors::sentence;
use crate::failure::{Explain, wants_space, with_causes};
use crate::id::restore_id;
use crate::kind::Status;
use crate::monitor::{Monitor, Phase};
use crate::opened::{Archives, OpenError, OpenedBackup};
use crate::repository::{LeasedFolder, Repository, RepositoryError};
use crate::restore::{
    ArchivedDump, IntoDatabase, RestoreError, RestoreOptions, RestoreOutcome, restore,
};

/// How a rehearsal is done.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// A database on the server where the scratch database is made; it is not touched. Needed when the backup holds a database.
    pub database: Option<ConnectOptions>,
    /// Where files are restored to.
    pub scratch: ScratchFolder,
    /// Where the archives are that an incremental backup refers to, and what opens sealed ones.
    pub archives: Archives,
    /// Rows that name files: what was restored is checked as the backup was.
    pub references: Vec<ReferenceRule>,
    /// Threads, and connections to the database.
    pub jobs: NonZeroUsize,
    /// Try a server that is older than the backup's, or newer than any that is known here. Default: no.
    pub any_version: bool,
}

/// Where the scratch folder is made.
#[derive(Debug, Clone)]
pub enum ScratchFolder {
    /// Among a repository's work in progress: what a killed rehearsal leaves is removed by the next backup.
    Repository(PathBuf),
    /// In this folder.
    In(PathBuf),
}

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Whether everything was restored and is what was backed up.
    pub passed: bool,
    /// What is not.
    pub differences: Vec<String>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// Tables restored and compared.
    pub tables: u64,
    /// Rows restored and compared.
    pub rows: u64,
    /// Files restored and compared.
    pub files: u64,
    /// Whether every restored row has its restored file, where `[[references]]` say which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureReport>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// The part of a rehearsal that the record of a backup keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRehearsal {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Whether everything was restored and is what was backed up.
    pub passed: bool,
    /// The first thing that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// When a rehearsal last passed: the backup is proven restorable as of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<DateTime<Utc>>,
}

impl LastRehearsal {
    /// What is to be kept of `rehearsal`, after `before`.
    pub(crate) fn after(before: Option<&Self>, rehearsal: &Rehearsal) -> Self {
        Self {
            at: rehearsal.at,
            passed: rehearsal.passed,
            difference: rehearsal.differences.first().cloned(),
            proven_at: if rehearsal.passed {
                Some(rehearsal.at)
            } else {
                before.and_then(|before| before.proven_at)
            },
        }
    }
}

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// The backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup holds a database, and no server is given.
    #[error("the backup holds a database, and there is no server to rehearse on")]
    NoDatabase,
    /// The surroundings, not the backup, kept it from being restored.
    #[error("the rehearsal cannot be done here")]
    Restore(#[source] Box<RestoreError>),
    /// The restored database cannot be looked at.
    #[error("the scratch database cannot be compared")]
    Compare(#[source] Box<backup_db::DumpError>),
    /// The scratch folder cannot be made.
    #[error("cannot make a folder in {}", .path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The scratch folder cannot be made in the repository.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The scratch database is still there.
    #[error("the scratch database \"{database}\" cannot be dropped")]
    LeftBehind {
        /// Its name.
        database: String,
        /// Why not.
        source: Box<DatabaseError>,
    },
    /// The operating system has no random bytes for an id.
    #[error("cannot make an id")]
    Random(#[source] io::Error),
}

impl RehearseError {
    fn of_restore(error: RestoreError) -> Self {
        Self::Restore(Box::new(error))
    }
}

impl Explain for RehearseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::NoDatabase => "no_database",
            Self::Restore(error) => error.code(),
            Self::Compare(error) => error.code(),
            Self::Folder { .. } => "no_target",
            Self::Repository(error) => error.code(),
            Self::LeftBehind { .. } => "left_behind",
            Self::Random(_) => "no_random_bytes",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Open(error) => return error.hint(),
            Self::NoDatabase => "Name a database on it with --database-url, DATABASE_URL or DB_*; it is not touched.".into(),
            Self::Restore(error) => return error.hint(),
            Self::Compare(error) => return error.hint().map(sentence),
            Self::Folder { .. } => "Name a folder with --scratch DIR.".into(),
            Self::Repository(error) => return error.hint(),
            Self::LeftBehind { .. } => "`edms-backup recover` drops it.".into(),
            Self::Random(_) => return None,
        })
    }
}

/// Restores the backup at `path` beside everything else, compares, and removes what it made.
///
/// # Errors
/// When it cannot be done here. A backup that cannot be restored, or comes back different, is no error: [`Rehearsal::differences`].
pub fn rehearse(
    path: &Path,
    options: &RehearseOptions,
    monitor: &dyn Monitor,
) -> Result<Rehearsal, RehearseError> {
    let (at, began) = (Utc::now(), Instant::now());
    let backup = OpenedBackup::open_chain(path, &options.archives)?;
    let id = restore_id(at).map_err(RehearseError::Random)?;
    let folder = make_folder(&options.scratch, &id)?;
    let has_database = backup
        .manifest()
        .is_none_or(|manifest| manifest.database.is_some());
    let scratch = match (&options.database, has_database) {
        (None, true) => return Err(RehearseError::NoDatabase),
        (Some(connect), true) => Some(
            Scratch::reserve(connect, &id)
                .map_err(|error| RehearseError::of_restore(error.into()))?,
        ),
        (_, false) => None,
    };
    let trial = Trial {
        backup: &backup,
        options,
        folder: folder.path(),
        connect: scratch.as_ref().map(Scratch::connect),
        monitor,
    };
    let outcome = trial.run();
    if let Some(scratch) = scratch {
        let database = scratch.connect().database().to_owned();
        scratch
            .discard()
            .map_err(|source| RehearseError::LeftBehind {
                database,
                source: Box::new(source),
            })?;
    }
    let Found {
        differences,
        notes,
        restored,
        closure,
    } = outcome?;
    let of = |number: fn(&RestoreOutcome) -> u64| restored.as_ref().map_or(0, number);
    Ok(Rehearsal {
        at,
        passed: differences.is_empty(),
        differences,
        notes,
        tables: of(|restored| restored.tables),
        rows: of(|restored| restored.rows),
        files: of(|restored| restored.files),
        closure,
        duration_ms: elapsed_ms(began),
    })
}

struct Trial<'a> {
    backup: &'a OpenedBackup,
    options: &'a RehearseOptions,
    folder: &'a Path,
    connect: Option<&'a ConnectOptions>,
    monitor: &'a dyn Monitor,
}

/// What a trial came to.
#[derive(Default)]
struct Found {
    differences: Vec<String>,
    notes: Vec<String>,
    restored: Option<RestoreOutcome>,
    closure: Option<ClosureReport>,
}

impl Trial<'_> {
    fn run(&self) -> Result<Found, RehearseError> {
        let mut options = RestoreOptions::new(self.backup.path());
        options.target = Some(self.folder.to_owned());
        options.database = self.connect.cloned();
        options.into = Some(IntoDatabase::Fresh);
        options.verify = true;
        options.archives.clone_from(&self.options.archives);
        options.jobs = self.options.jobs;
        options.any_version = self.options.any_version;
        let mut found = Found::default();
        let dump = ArchivedDump::open(self.backup).map_err(RehearseError::of_restore)?;
        if let (Some(connect), Some(dump)) = (self.connect, &dump)
            && lacks_roles(connect, dump)?
        {
            // The roles of another server: what they own and may do is left out, everything else is tried.
            options.owners = false;
            options.privileges = false;
            found.notes.push(
                "roles of the backup are missing on this server: owners and privileges were left out"
                    .into(),
            );
        }
        match restore(&options, self.monitor) {
            Ok(restored) => {
                if restored.status != Status::Complete {
                    found.differences.extend(restored.warnings.iter().cloned());
                } else {
                    found.notes.extend(restored.warnings.iter().cloned());
                }
                found.restored = Some(restored);
            }
            Err(error) if is_the_backups_fault(&error) => {
                found.differences.push(with_causes(&error));
                return Ok(found);
            }
            Err(error) => return Err(RehearseError::of_restore(error)),
        }
        if let (Some(connect), Some(dump)) = (self.connect, &dump) {
            self.compare_schema(connect, dump, &options, &mut found)?;
            self.check_references(connect, &mut found);
        }
        Ok(found)
    }

    /// A row that lost its file since the backup is a difference; what the backup knew is a note.
    fn check_references(&self, connect: &ConnectOptions, found: &mut Found) {
        let Some(manifest) = self.backup.manifest() else {
            return;
        };
        let roots = manifest.files.keys().cloned().collect();
        match check_restored(&self.options.references, connect, self.folder, &roots) {
            Ok(None) => {}
            Ok(Some(report)) => {
                let known = manifest.closure.as_ref();
                let more = known.is_some_and(|known| known.missing.count < report.missing.count);
                let missing = report.describe_missing();
                if more {
                    found.differences.extend(missing);
                } else {
                    found.notes.extend(missing);
                }
                found.notes.extend(report.describe_others());
                found.closure = Some(report);
            }
            Err(error) => found
                .differences
                .push(format!("[[references]]: {}", with_causes(&error))),
        }
    }

    /// Rows, sequences and indexes were compared while restoring; what is left is every object's definition.
    fn compare_schema(
        &self,
        connect: &ConnectOptions,
        dump: &ArchivedDump<'_>,
        options: &RestoreOptions,
        found: &mut Found,
    ) -> Result<(), RehearseError> {
        self.monitor.phase(Phase::Verifying, None);
        let snapshot = SnapshotOptions {
            patience: None,
            any_version: options.any_version,
            ..SnapshotOptions::default()
        };
        let (major, actual) = read_schema(connect, &snapshot)
            .map_err(|error| RehearseError::Compare(Box::new(error)))?;
        let comparison = SchemaComparison {
            owners: options.owners,
            privileges: options.privileges,
            definitions: same_wording(dump.manifest().server.major(), major),
        };
        let differences = compare_schemas(dump.script(), &actual, comparison);
        found
            .differences
            .extend(differences.iter().map(ToString::to_string));
        Ok(())
    }
}

fn make_folder(scratch: &ScratchFolder, id: &str) -> Result<MadeFolder, RehearseError> {
    match scratch {
        ScratchFolder::Repository(path) => Ok(MadeFolder::Leased(
            Repository::open(path)?.leased_folder(id, "verify --rehearse")?,
        )),
        ScratchFolder::In(path) => tempfile::Builder::new()
            .prefix(".edms-rehearsal-")
            .tempdir_in(path)
            .map(MadeFolder::Temporary)
            .map_err(|source| RehearseError::Folder {
                path: path.clone(),
                source,
            }),
    }
}

/// A folder that is removed when it is dropped.
enum MadeFolder {
    Leased(LeasedFolder),
    Temporary(tempfile::TempDir),
}

impl MadeFolder {
    fn path(&self) -> &Path {
        match self {
            Self::Leased(folder) => folder.path(),
            Self::Temporary(folder) => folder.path(),
        }
    }
}

fn lacks_roles(connect: &ConnectOptions, dump: &ArchivedDump<'_>) -> Result<bool, RehearseError> {
    let found = preflight(connect, dump, &backup_db::RestoreOptions::default())
        .map_err(|error| RehearseError::of_restore(error.into()))?;
    Ok(found.problems.iter().any(|problem| {
        matches!(
            problem,
            Problem::RoleMissing { .. } | Problem::NotMemberOfOwner { .. }
        )
    }))
}

/// Whether the same restore would fail anywhere. When in doubt it is the backup's: a rehearsal must not pass for want of proof.
fn is_the_backups_fault(error: &RestoreError) -> bool {
    !matches!(
        error,
        RestoreError::Preflight { .. }
            | RestoreError::Placement(_)
            | RestoreError::Cancelled
            | RestoreError::Random(_)
            | RestoreError::Database(
                DatabaseError::Connect(_)
                    | DatabaseError::Preflight { .. }
                    | DatabaseError::ServerLost(_)
                    | DatabaseError::Cancelled
                    | DatabaseError::LeftBehind { .. }
            )
    ) && !wants_space(error)
}
