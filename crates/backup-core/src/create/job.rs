//! One backup while it is made.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use backup_archive::{
    ArchivePath, ArchiveWriter, FileOutcome, Metadata, Timestamp, WriteObserver, WriterOptions,
};
use backup_db::Snapshot;
use chrono::{DateTime, Utc};

use super::base::OpenedBase;
use super::{Base, CreateError, CreateOptions, Destination, database, files, system};
use crate::closure::Closure;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::manifest::{FileCount, Issue, MANIFEST_PATH, MANIFEST_VERSION, Manifest};
use crate::monitor::{Monitor, Phase};
use crate::opened::Archives;
use crate::record::BackupRecord;
use crate::repository::{Draft, LeasePurpose, Repository, RepositoryError, host_name};
use crate::sealing::{ArchiveSink, Keyring};
use crate::verify::{VerifyError, VerifyOptions, check_sum, hex, verify_alone};

/// This program and its version, for manifests.
pub(crate) const PROGRAM: &str = concat!("edms-backup ", env!("CARGO_PKG_VERSION"));

/// One backup while it is made. Dropping it leaves nothing behind.
pub(super) struct Job<'a> {
    pub(super) options: &'a CreateOptions,
    pub(super) monitor: &'a dyn Monitor,
    pub(super) repository: Option<Repository>,
    pub(super) manifest: Manifest,
    pub(super) writer: ArchiveWriter<ArchiveSink>,
    pub(super) findings: Arc<Findings>,
    /// What an incremental backup builds on, until the files are compared with it.
    pub(super) base: Option<OpenedBase>,
    /// The check of rows against files, if there are rules for it.
    pub(super) closure: Option<Arc<Closure>>,
    draft: Draft,
    began: Instant,
}

impl<'a> Job<'a> {
    /// Makes the draft of the archive; everything that can be refused is refused before.
    pub(super) fn begin(
        options: &'a CreateOptions,
        monitor: &'a dyn Monitor,
        now: DateTime<Utc>,
    ) -> Result<Self, CreateError> {
        let began = Instant::now();
        let id = BackupId::generate(now, options.kind).map_err(CreateError::Random)?;
        let ending = archive_ending(options);
        let repository = match &options.destination {
            // What builds on another backup needs a repository that is there.
            Destination::Repository(path)
                if options.kind == BackupKind::Incremental && options.base == Base::Newest =>
            {
                Some(Repository::open(path)?)
            }
            Destination::Repository(path) => Some(Repository::open_or_create(path)?),
            Destination::Path(_) => None,
        };
        let base = match options.kind {
            BackupKind::Incremental => {
                let site = options.site_repository.as_ref();
                let known = repository.clone().or_else(|| Repository::open(site?).ok());
                Some(OpenedBase::choose(options, known.as_ref())?)
            }
            _ => None,
        };
        let draft = match (&options.destination, &repository) {
            (Destination::Path(path), _) => Draft::at_path(path, &id, &ending)?,
            (Destination::Repository(path), None) => {
                return Err(RepositoryError::Missing { path: path.clone() }.into());
            }
            (Destination::Repository(_), Some(repository)) => {
                let purpose = LeasePurpose {
                    job: format!("create {}", options.kind),
                    configuration: options.configuration.clone(),
                    base: base.as_ref().map(|base| base.id.clone()),
                };
                Draft::in_repository(repository, &id, &ending, purpose)?
            }
        };
        // A journal that cannot be read is no reason to make no backup; `audit --verify` tells.
        let audit = repository
            .as_ref()
            .and_then(|repository| repository.journal().head().ok().flatten());
        if let Some(base) = &base {
            // From here on the lease keeps it; before, somebody may have removed it.
            base.check_still_there()?;
        }
        let has_rows = options.has_database() && options.kind.has_files();
        let closure = has_rows
            .then(|| {
                let roots = options.files.keys().cloned();
                Closure::new(&options.references, roots, draft.spill_folder())
            })
            .flatten()
            .map(Arc::new);
        let findings = Arc::new(Findings {
            closure: closure.clone(),
            ..Findings::default()
        });
        let writer_options = WriterOptions {
            compression: options.compression,
            jobs: options.jobs,
            spill_dir: draft.spill_folder().to_owned(),
            observer: Arc::clone(&findings) as Arc<dyn WriteObserver>,
        };
        let sink = ArchiveSink::new(
            draft.file()?,
            options.sha256,
            options.seal_for.as_ref(),
            draft.spill_folder(),
        )?;
        let writer = ArchiveWriter::new(sink, writer_options)?;
        Ok(Self {
            options,
            monitor,
            repository,
            manifest: Manifest {
                manifest_version: MANIFEST_VERSION,
                id,
                kind: options.kind,
                status: Status::Complete,
                created_at: now,
                duration_ms: 0,
                configuration: options.configuration.clone(),
                program: PROGRAM.to_owned(),
                // A migration package says nothing of where it was made.
                host: match options.kind {
                    BackupKind::Export => String::new(),
                    _ => host_name(),
                },
                issues: Vec::new(),
                notes: Vec::new(),
                sanitized: Vec::new(),
                database: None,
                files: Default::default(),
                config: Vec::new(),
                closure: None,
                audit,
                incremental: None,
                consolidated: None,
            },
            closure,
            writer,
            findings,
            base,
            draft,
            began,
        })
    }

    /// Puts everything into the archive, in the order of the format.
    pub(super) fn fill(mut self, snapshot: Option<Snapshot>) -> Result<BackupRecord, CreateError> {
        let mut settings = Vec::new();
        if self.options.kind == BackupKind::Export {
            settings = self.redacted_settings()?;
            self.append_guide(snapshot.as_ref(), &settings)?;
        }
        if let Some(snapshot) = snapshot {
            database::append(&mut self, snapshot)?;
        }
        if self.options.kind.has_files() {
            files::append(&mut self)?;
        }
        if self.options.kind == BackupKind::Full {
            system::append(&mut self)?;
        }
        self.append_settings(settings)?;
        self.finish()
    }

    /// The repository that tells what earlier backups held.
    pub(super) fn history(&self) -> Option<Repository> {
        let site = self.options.site_repository.as_ref();
        self.repository
            .clone()
            .or_else(|| Repository::open(site?).ok())
    }

    /// Appends a small text of our own.
    pub(super) fn append_text(&mut self, path: &str, text: String) -> Result<(), CreateError> {
        let path = ArchivePath::new(path).expect("a constant path");
        let metadata = own_metadata(self.manifest.created_at);
        Ok(self
            .writer
            .append_bytes(&path, &metadata, text.into_bytes())?)
    }

    /// Fails when the caller asked to stop.
    pub(super) fn check_cancelled(&self) -> Result<(), CreateError> {
        if self.monitor.is_cancelled() {
            return Err(CreateError::Cancelled);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<BackupRecord, CreateError> {
        self.monitor.phase(Phase::Finishing, None);
        // What the workers find out is known only when they have dealt with every file.
        self.writer.flush()?;
        self.settle_closure()?;
        self.settle_findings();
        self.manifest.duration_ms = elapsed_ms(self.began);
        let text = self.manifest.to_toml();
        self.append_text(MANIFEST_PATH, text)?;
        let stats = self.writer.finish()?;
        if self.options.verify {
            let written = Written {
                path: self.draft.partial_path(),
                sha256: stats.stored.sha256,
            };
            check_written(
                &written,
                &self.options.keys,
                self.options.jobs,
                self.monitor,
            )?;
        }
        let mut record = BackupRecord::from_manifest(
            &self.manifest,
            self.draft.target().to_owned(),
            stats.stored.bytes,
            stats.stored.sha256.map(|sum| hex(&sum)),
        );
        record.duration_ms = elapsed_ms(self.began);
        if self.monitor.is_cancelled() {
            return Err(CreateError::Cancelled);
        }
        self.draft.publish(&record)?;
        Ok(record)
    }

    /// Compares rows with files; a row without its file makes the backup PARTIAL.
    fn settle_closure(&mut self) -> Result<(), CreateError> {
        let Some(closure) = &self.closure else {
            return Ok(());
        };
        let report = closure.finish().map_err(CreateError::Closure)?;
        let issue = |reason| Issue {
            path: "references".to_owned(),
            reason,
        };
        self.manifest
            .issues
            .extend(report.describe_missing().map(issue));
        self.manifest
            .notes
            .extend(report.describe_others().into_iter().map(issue));
        self.manifest.closure = Some(report);
        Ok(())
    }

    /// Takes what the workers reported into the manifest.
    fn settle_findings(&mut self) {
        let mut issues = std::mem::take(
            &mut *self
                .findings
                .issues
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.manifest.issues.append(&mut issues);
        self.manifest.issues.sort_by(|a, b| a.path.cmp(&b.path));
        if !self.manifest.issues.is_empty() {
            self.manifest.status = Status::Partial;
        }
    }
}

/// What the name of the archive ends with: `.tar.gz`, sealed `.tar.gz.age`.
fn archive_ending(options: &CreateOptions) -> String {
    let sealed = if options.seal_for.is_some() {
        ".age"
    } else {
        ""
    };
    format!("{}{sealed}", options.compression.extension())
}

/// What the workers of the archive report.
#[derive(Debug, Default)]
pub(super) struct Findings {
    issues: Mutex<Vec<Issue>>,
    read: AtomicU64,
    counts: Mutex<(FileCount, HashMap<u32, FileCount>)>,
    closure: Option<Arc<Closure>>,
}

impl Findings {
    /// Bytes of content read since the last call.
    pub(super) fn take_progress(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    /// Files that are in the archive so far; and those whose content was found to be in others, by number of the archive.
    pub(super) fn counts(&self) -> (FileCount, HashMap<u32, FileCount>) {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl WriteObserver for Findings {
    fn file(&self, path: &ArchivePath, size: u64, outcome: FileOutcome) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            FileOutcome::Captured | FileOutcome::Changed => counts.0.add(size),
            FileOutcome::Held { archive, .. } => counts.1.entry(archive).or_default().add(size),
            _ => {}
        }
        drop(counts);
        if let Some(closure) = &self.closure
            && matches!(
                outcome,
                FileOutcome::Captured | FileOutcome::Changed | FileOutcome::Held { .. }
            )
        {
            closure.present(path);
        }
        let reason = match outcome {
            FileOutcome::Captured | FileOutcome::Held { .. } => return,
            FileOutcome::Changed => "kept changing while it was read".to_owned(),
            FileOutcome::Vanished => "vanished before it was read".to_owned(),
            FileOutcome::Unreadable(error) => format!("cannot be read: {error}"),
            other => format!("{other:?}"),
        };
        self.issues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Issue {
                path: path.to_string(),
                reason,
            });
    }

    fn progress(&self, content_bytes: u64, _stored_bytes: u64) {
        self.read.fetch_add(content_bytes, Ordering::Relaxed);
    }
}

/// An archive that was just written.
pub(crate) struct Written<'a> {
    pub(crate) path: &'a Path,
    /// The SHA-256 of what was handed to the operating system.
    pub(crate) sha256: Option<[u8; 32]>,
}

/// Reads an archive back that was just written. Of one that was sealed for others, nothing but its bytes can be compared.
pub(crate) fn check_written(
    written: &Written<'_>,
    keys: &Keyring,
    jobs: NonZeroUsize,
    monitor: &dyn Monitor,
) -> Result<(), CreateError> {
    let options = VerifyOptions {
        jobs,
        archives: Archives {
            folders: Vec::new(),
            keys: keys.clone(),
        },
        ..VerifyOptions::default()
    };
    let damage = match verify_alone(written.path, &options, monitor) {
        Err(VerifyError::Open(error)) if error.needs_a_key() => {
            check_sum(written.path, written.sha256, monitor)?
        }
        outcome => outcome?.damaged.into_iter().next(),
    };
    match damage {
        None => Ok(()),
        Some(part) => Err(CreateError::Damaged {
            first: format!("{}: {}", part.path, part.reason),
        }),
    }
}

/// Metadata of entries that we make ourselves: private, of the time of the backup.
pub(crate) fn own_metadata(time: DateTime<Utc>) -> Metadata {
    Metadata {
        mode: 0o600,
        mtime: Timestamp {
            seconds: time.timestamp(),
            nanoseconds: 0,
        },
        ..Metadata::default()
    }
}

/// Milliseconds since `since`.
pub(crate) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
