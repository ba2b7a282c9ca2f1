//! Making one full archive of a chain, so that the chain may go.
//!
//! The new backup holds the state of the incremental one, with its time: retention sees it where the other was. Everything is read through the
//! chain, checked against its digest, and written like a new backup, which is read back before it gets its name. The chain stays.

mod contents;
mod error;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use backup_archive::{
    ArchivePath, ArchiveWriter, Compression, FileOutcome, WriteObserver, WriterOptions,
};
use chrono::Utc;

pub use error::ConsolidateError;

use crate::create::{
    CreateError, Destination, PROGRAM, Written, check_written, default_jobs, elapsed_ms,
    own_metadata,
};
use crate::durable::parent;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::manifest::{ConsolidatedManifest, MANIFEST_PATH, Manifest};
use crate::monitor::{Monitor, Phase};
use crate::opened::{Archives, OpenedBackup, find_archive};
use crate::record::BackupRecord;
use crate::repository::{Draft, LeasePurpose, Repository};
use crate::sealing::{ArchiveSink, SealFor};
use contents::Copier;

/// What to consolidate, and where to.
#[derive(Debug, Clone)]
pub struct ConsolidateOptions {
    /// The archive of the incremental backup.
    pub source: PathBuf,
    /// Where the archives are that an incremental backup refers to, and what opens sealed ones.
    pub archives: Archives,
    /// Where the new backup goes.
    pub destination: Destination,
    /// Who can open the new archive; `None`: everybody who can read the file.
    pub seal_for: Option<SealFor>,
    /// How the archive is compressed. Default: gzip, level 1.
    pub compression: Compression,
    /// Threads. Default: the processors that the process may use.
    pub jobs: NonZeroUsize,
    /// Write a `.sha256` file beside the archive. Default: yes.
    pub sha256: bool,
    /// Read the whole archive back before it gets its name. Default: yes.
    pub verify: bool,
}

impl ConsolidateOptions {
    /// Options with every default.
    pub fn new(source: impl Into<PathBuf>, destination: Destination) -> Self {
        Self {
            source: source.into(),
            archives: Archives::default(),
            destination,
            seal_for: None,
            compression: Compression::default(),
            jobs: default_jobs(),
            sha256: true,
            verify: true,
        }
    }
}

/// Makes a full backup of the state that an incremental one has. Its database, and the system configuration, are those of the newest backup
/// in the chain that has them; a note says so.
///
/// # Errors
/// On any error nothing is left behind, and the chain is untouched. A chain that is damaged is not consolidated.
pub fn consolidate(
    options: &ConsolidateOptions,
    monitor: &dyn Monitor,
) -> Result<BackupRecord, ConsolidateError> {
    let began = Instant::now();
    monitor.phase(Phase::Preparing, None);
    let backup = OpenedBackup::open_chain(&options.source, &options.archives)?;
    let state = backup.require_manifest()?;
    if state.incremental.is_none() {
        return Err(ConsolidateError::NotIncremental {
            id: state.id.clone(),
        });
    }
    if let Some(problem) = backup.costs_of_broken_links()?.into_iter().next() {
        return Err(ConsolidateError::Incomplete { problem });
    }
    let ancestors = ancestors(&backup, state, options);
    let bases = || ancestors.iter();
    let with_database = bases().find(|one| has(one, |manifest| manifest.database.is_some()));
    let with_config = bases().find(|one| has(one, |manifest| !manifest.config.is_empty()));
    let database = match &state.database {
        Some(_) => Some(&backup),
        None => with_database,
    };
    let manifest = new_manifest(state, database, with_config)?;
    let draft = begin(options, &manifest)?;
    let problems = Arc::new(Problems::default());
    let writer_options = WriterOptions {
        compression: options.compression,
        jobs: options.jobs,
        spill_dir: draft.spill_folder().to_owned(),
        observer: Arc::clone(&problems) as Arc<dyn WriteObserver>,
    };
    let sink = ArchiveSink::new(
        draft.file()?,
        options.sha256,
        options.seal_for.as_ref(),
        draft.spill_folder(),
    )
    .map_err(CreateError::from)?;
    let mut writer = ArchiveWriter::new(sink, writer_options).map_err(CreateError::from)?;
    if let Some(database) = database {
        monitor.phase(Phase::Database, None);
        Copier::new(database.chain(), monitor).copy("database", &mut writer)?;
    }
    let bytes = manifest.files.values().map(|root| root.bytes).sum();
    monitor.phase(Phase::Files, Some(bytes));
    Copier::new(backup.chain(), monitor).copy("files", &mut writer)?;
    if let Some(config) = with_config {
        Copier::new(config.chain(), monitor).copy("config", &mut writer)?;
    }
    monitor.phase(Phase::Finishing, None);
    writer.flush().map_err(CreateError::from)?;
    problems.check()?;
    let path = ArchivePath::new(MANIFEST_PATH).expect("a constant path");
    let text = manifest.to_toml().into_bytes();
    writer
        .append_bytes(&path, &own_metadata(manifest.created_at), text)
        .and_then(|()| writer.finish())
        .map_err(CreateError::from)
        .map_err(ConsolidateError::from)
        .and_then(|stats| publish(options, draft, &manifest, stats, began, monitor))
}

fn publish(
    options: &ConsolidateOptions,
    draft: Draft,
    manifest: &Manifest,
    stats: backup_archive::WriteStats,
    began: Instant,
    monitor: &dyn Monitor,
) -> Result<BackupRecord, ConsolidateError> {
    if options.verify {
        let written = Written {
            path: draft.partial_path(),
            sha256: stats.stored.sha256,
        };
        check_written(&written, &options.archives.keys, options.jobs, monitor)?;
    }
    let mut record = BackupRecord::from_manifest(
        manifest,
        draft.target().to_owned(),
        stats.stored.bytes,
        stats.stored.sha256.map(|sum| crate::verify::hex(&sum)),
    );
    record.duration_ms = elapsed_ms(began);
    if monitor.is_cancelled() {
        return Err(CreateError::Cancelled.into());
    }
    draft.publish(&record)?;
    Ok(record)
}

/// The backups that it builds on, nearest first, as far as they are there.
fn ancestors(
    backup: &OpenedBackup,
    manifest: &Manifest,
    options: &ConsolidateOptions,
) -> Vec<OpenedBackup> {
    let beside = parent(backup.path()).to_owned();
    let mut found: Vec<OpenedBackup> = Vec::new();
    let mut next = manifest.incremental.as_ref().map(|one| one.base.clone());
    while let Some(id) = next {
        // Forged manifests could close a ring.
        let is_known = |one: &OpenedBackup| one.manifest().is_some_and(|known| known.id == id);
        if found.iter().any(is_known) || manifest.id == id {
            break;
        }
        let opened = find_archive(id.as_str(), &beside, &options.archives)
            .and_then(|path| OpenedBackup::open_alone(&path, &options.archives.keys).ok());
        let Some(base) = opened else { break };
        next = base
            .manifest()
            .and_then(|manifest| Some(manifest.incremental.as_ref()?.base.clone()));
        found.push(base);
    }
    found
}

fn has(backup: &OpenedBackup, what: impl Fn(&Manifest) -> bool) -> bool {
    backup.manifest().is_some_and(what)
}

fn new_manifest(
    state: &Manifest,
    database: Option<&OpenedBackup>,
    config: Option<&OpenedBackup>,
) -> Result<Manifest, ConsolidateError> {
    let source = database.and_then(OpenedBackup::manifest);
    let kind = match source {
        Some(_) => BackupKind::Full,
        None => BackupKind::Files,
    };
    let mut manifest = Manifest {
        id: BackupId::generate(state.created_at, kind).map_err(CreateError::Random)?,
        kind,
        program: PROGRAM.to_owned(),
        database: source.and_then(|manifest| manifest.database.clone()),
        config: config
            .and_then(OpenedBackup::manifest)
            .map(|manifest| manifest.config.clone())
            .unwrap_or_default(),
        incremental: None,
        consolidated: Some(ConsolidatedManifest {
            from: state.id.clone(),
            at: Utc::now(),
            database_from: source.map(|manifest| manifest.id.clone()),
        }),
        ..state.clone()
    };
    let Some(source) = source.filter(|source| source.id != state.id) else {
        return Ok(manifest);
    };
    if source.status != Status::Complete {
        manifest.status = source.status;
    }
    let of = |time: chrono::DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let taken = source
        .database
        .as_ref()
        .map(|database| of(database.snapshot_at));
    manifest.notes.push(crate::manifest::Issue {
        path: "database".to_owned(),
        reason: format!(
            "as of {}, taken from {}; the files are as of {}",
            taken.unwrap_or_default(),
            source.id,
            of(state.created_at)
        ),
    });
    Ok(manifest)
}

fn begin(options: &ConsolidateOptions, manifest: &Manifest) -> Result<Draft, ConsolidateError> {
    let ending = options.compression.extension();
    Ok(match &options.destination {
        Destination::Repository(path) => {
            let from = manifest.consolidated.as_ref().map(|one| one.from.clone());
            let purpose = LeasePurpose {
                job: "consolidate".to_owned(),
                // Jobs of its configuration may go on meanwhile.
                configuration: None,
                base: from,
            };
            let repository = Repository::open(path)?;
            Draft::in_repository(&repository, &manifest.id, ending, purpose)?
        }
        Destination::Path(path) => Draft::at_path(path, &manifest.id, ending)?,
    })
}

/// What could not be read while it was written.
#[derive(Debug, Default)]
struct Problems(Mutex<Option<String>>);

impl Problems {
    fn check(&self) -> Result<(), ConsolidateError> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(problem) => Err(ConsolidateError::Incomplete { problem }),
            None => Ok(()),
        }
    }
}

impl WriteObserver for Problems {
    fn file(&self, path: &ArchivePath, _size: u64, outcome: FileOutcome) {
        let reason = match outcome {
            FileOutcome::Captured => return,
            FileOutcome::Unreadable(error) => error.to_string(),
            other => format!("{other:?}"),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| format!("{path}: {reason}"));
    }
}
