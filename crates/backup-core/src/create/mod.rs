//! Making a backup.
//!
//! ```text
//! snapshot ──> database/…        the recovery point is taken first,
//! walk ──────> files/<root>/…    files after it, so that every row finds its file
//!              config/…
//!              manifest.toml     last: without it there is no backup
//! ```
//! The archive gets its final name only when all of that is written, synced and (unless turned off) read back.

mod base;
mod comparison;
mod database;
mod error;
mod export;
mod files;
mod job;
mod moved;
mod system;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use backup_archive::Compression;
use backup_db::{ConnectOptions, Snapshot, SnapshotOptions};
use chrono::Utc;
use serde_json::json;

pub use error::CreateError;

use crate::audit::{Actor, AuditTrail};
use crate::capture::{GuardOptions, check_root};
use crate::config::ReferenceRule;
use crate::kind::BackupKind;
use crate::monitor::{Monitor, Phase};
use crate::record::BackupRecord;
use crate::sanitize::SanitizeOptions;
use crate::sealing::{Keyring, SealFor};
use job::Job;
pub(crate) use job::{PROGRAM, Written, check_written, elapsed_ms, own_metadata};

/// Attempts, when somebody changes the schema of the database meanwhile.
const ATTEMPTS: u32 = 3;
/// Before another attempt: a migration gets time to finish.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(5);

/// What to back up, how, and where to.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// What the backup shall contain.
    pub kind: BackupKind,
    /// Where it goes.
    pub destination: Destination,
    /// The database; needed by kinds that contain one, and with `include_database`.
    pub database: Option<ConnectOptions>,
    /// File roots by name; needed by kinds that contain files.
    pub files: BTreeMap<String, PathBuf>,
    /// System configuration files, for full backups and, without their secrets, for migration packages.
    pub system: Vec<PathBuf>,
    /// The configuration that asks for it; there may be one job of a configuration at a time.
    pub configuration: Option<String>,
    /// How the archive is compressed. Default: gzip, level 1.
    pub compression: Compression,
    /// Threads, and connections to the database. Default: the processors that the process may use.
    pub jobs: NonZeroUsize,
    /// Write a `.sha256` file beside the archive. Default: yes.
    pub sha256: bool,
    /// Read the whole archive back before it gets its name. Default: yes.
    pub verify: bool,
    /// Accept a source that is empty or shrank sharply since the last backup. Default: no.
    pub allow_shrunken: bool,
    /// Dump a server that is newer than any that is known here. Default: no; something in it may be missed then.
    pub any_version: bool,
    /// Who can open the archive; `None`: everybody who can read the file.
    pub seal_for: Option<SealFor>,
    /// What opens it again to read it back. Without a key that fits, a sealed archive is read back as bytes alone.
    pub keys: Keyring,
    /// How a migration package is kept free of secrets; nothing for other kinds.
    pub sanitize: SanitizeOptions,
    /// From when on a source counts as sharply shrunken.
    pub source_guard: GuardOptions,
    /// Rows that name files: checked in backups of database and files.
    pub references: Vec<ReferenceRule>,
    /// The repository of the site, for a backup that goes elsewhere: its journal gets a line, and its backups tell what the sources held.
    pub site_repository: Option<PathBuf>,
    /// Who asks, for the journal.
    pub who: Actor,
    /// What an incremental backup builds on. Default: the newest that will do.
    pub base: Base,
    /// Read every file, and believe digests only. Default: no; files whose size, times and inode are those of the base are not read.
    pub paranoid: bool,
    /// An incremental backup holds the database too, as a whole. Default: no.
    pub include_database: bool,
}

/// What an incremental backup builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The newest COMPLETE backup of the repository that has the same file roots and whose archives are all there; where there is
    /// none, the newest PARTIAL one: what that lacks is stored.
    Newest,
    /// The archive at this path.
    Archive(PathBuf),
}

/// Where a backup goes.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A repository, made when there is none.
    Repository(PathBuf),
    /// A file that must not exist yet, or a folder.
    Path(PathBuf),
}

impl CreateOptions {
    /// Options with every default.
    pub fn new(kind: BackupKind, destination: Destination) -> Self {
        Self {
            kind,
            destination,
            database: None,
            files: BTreeMap::new(),
            system: Vec::new(),
            configuration: None,
            compression: Compression::default(),
            jobs: default_jobs(),
            sha256: true,
            verify: true,
            allow_shrunken: false,
            any_version: false,
            seal_for: None,
            keys: Keyring::default(),
            sanitize: SanitizeOptions::default(),
            source_guard: GuardOptions::default(),
            references: Vec::new(),
            site_repository: None,
            who: Actor::default(),
            base: Base::Newest,
            paranoid: false,
            include_database: false,
        }
    }
}

impl CreateOptions {
    /// Whether the backup will hold a database.
    fn has_database(&self) -> bool {
        self.kind.has_database() || (self.kind == BackupKind::Incremental && self.include_database)
    }
}

/// As many jobs as there are processors for this process.
pub fn default_jobs() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Makes a backup.
///
/// The result's status is PARTIAL when something could not be read; [`BackupRecord::warnings`] names it.
///
/// # Errors
/// On any error but [`CreateError::Unrecorded`] nothing is left behind; no other backup is touched.
pub fn create(options: &CreateOptions, monitor: &dyn Monitor) -> Result<BackupRecord, CreateError> {
    let result = make(options, monitor);
    let repository = match &options.destination {
        Destination::Repository(path) => Some(path),
        Destination::Path(_) => options.site_repository.as_ref(),
    };
    let trail = AuditTrail::new(repository.map(PathBuf::as_path), options.who.clone());
    match &result {
        Ok(record) => {
            let details = json!({
                "kind": record.kind,
                "configuration": record.configuration,
                "path": record.path,
                "sha256": record.sha256,
                "bytes_stored": record.bytes_stored,
                "duration_ms": record.duration_ms,
                "warnings": record.warnings.len(),
            });
            trail
                .note("create", record.id.as_str(), record.status.into(), details)
                .map_err(|source| CreateError::Unrecorded {
                    id: record.id.clone(),
                    source,
                })?;
        }
        Err(error) => {
            let subject = options.configuration.as_deref();
            trail.note_failure("create", subject.unwrap_or(options.kind.name()), error);
        }
    }
    result
}

fn make(options: &CreateOptions, monitor: &dyn Monitor) -> Result<BackupRecord, CreateError> {
    monitor.phase(Phase::Preparing, None);
    if options.kind.has_files() {
        check_roots(options)?;
    }
    let mut attempt = 1;
    loop {
        match attempt_once(options, monitor) {
            Err(error) if attempt < ATTEMPTS && database::is_transient(&error) => {
                monitor.warning(&format!("{error}: trying again"));
                std::thread::sleep(BETWEEN_ATTEMPTS * attempt);
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn attempt_once(
    options: &CreateOptions,
    monitor: &dyn Monitor,
) -> Result<BackupRecord, CreateError> {
    let mut job = Job::begin(options, monitor, Utc::now())?;
    // The snapshot comes before the first file: a row never names a file that was written after it and is missing here.
    let snapshot = if options.has_database() {
        let connect = options
            .database
            .as_ref()
            .ok_or(CreateError::NoDatabase { kind: options.kind })?;
        let snapshot_options = SnapshotOptions {
            jobs: options.jobs,
            any_version: options.any_version,
            ..SnapshotOptions::default()
        };
        let mut snapshot = Snapshot::open(connect, &snapshot_options)?;
        if options.kind == BackupKind::Export {
            job.sanitize(&mut snapshot)?;
        }
        Some(snapshot)
    } else {
        None
    };
    job.fill(snapshot)
}

fn check_roots(options: &CreateOptions) -> Result<(), CreateError> {
    if options.files.is_empty() {
        return Err(CreateError::NoFiles { kind: options.kind });
    }
    for (name, folder) in &options.files {
        check_root(folder).map_err(|source| CreateError::Source {
            root: name.clone(),
            source,
        })?;
    }
    Ok(())
}
