//! Checking that a backup is what was written.

use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use backup_archive::{ArchivePath, ReadError, ScanDamage};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::default_jobs;
use crate::failure::Explain;
use crate::manifest::MANIFEST_PATH;
use crate::monitor::{Monitor, Phase};
use crate::opened::{Archives, OpenError, OpenedBackup};
use crate::rehearse::Rehearsal;
use crate::repository::sha256_path;

/// How thoroughly to check.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// Check the stored bytes against their digests only; otherwise everything is also unpacked and compared entry by entry.
    pub quick: bool,
    /// Also check the archives that hold content of an incremental backup, as thoroughly; otherwise only that their tables of contents
    /// list that content with the same digests.
    pub chain: bool,
    /// Where the archives are that an incremental backup refers to, and what opens sealed ones.
    pub archives: Archives,
    /// Threads. Default: the processors that the process may use.
    pub jobs: NonZeroUsize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            quick: false,
            chain: false,
            archives: Archives::default(),
            jobs: default_jobs(),
        }
    }
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyOutcome {
    /// Whether anything is damaged.
    pub status: VerifyStatus,
    /// Entries in the archive, those whose content is in others included.
    pub entries: u64,
    /// What is damaged, by name.
    pub damaged: Vec<DamagedPart>,
    /// Whether a restore was rehearsed; what it found is in `rehearsal`.
    pub rehearsed: bool,
    /// The rehearsal, when there was one. What differed is in `damaged` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
}

impl VerifyOutcome {
    /// Adds what a rehearsal of the same backup found.
    pub(crate) fn with(mut self, rehearsal: Rehearsal) -> Self {
        let differing = rehearsal.differences.iter().map(|reason| DamagedPart {
            path: "rehearsal".to_owned(),
            reason: reason.clone(),
        });
        self.damaged.extend(differing);
        if !rehearsal.passed {
            self.status = VerifyStatus::Damaged;
        }
        self.rehearsed = true;
        self.rehearsal = Some(rehearsal);
        self
    }
}

/// Whether a backup is what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyStatus {
    /// It is.
    Ok,
    /// It is not; what is not named can still be restored.
    Damaged,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedPart {
    /// The path of the entry, or a name for what is not an entry: `table of contents`, `archive file`.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Why a backup cannot even be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading failed in a way that is not damage.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: Box<ReadError>,
    },
    /// The archive or its `.sha256` file cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl Explain for VerifyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::Read { .. } => "unreadable",
            Self::Io { .. } => "unreadable",
            Self::Cancelled => "cancelled",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            _ => None,
        }
    }
}

/// Checks the archive at `path`, and its SHA-256 when a `.sha256` file is beside it.
///
/// # Errors
/// When the file is no archive, or cannot be read. Damage is no error: [`VerifyOutcome::damaged`] names what it hits.
pub fn verify(
    path: &Path,
    options: &VerifyOptions,
    monitor: &dyn Monitor,
) -> Result<VerifyOutcome, VerifyError> {
    let backup = match OpenedBackup::open_chain(path, &options.archives) {
        Err(error) if options.quick && error.needs_a_key() && sha256_path(path).is_file() => {
            return quick_without_key(path, monitor);
        }
        opened => opened?,
    };
    check(&backup, options, monitor)
}

/// As [`verify`], but nothing of what the archive refers to is looked at: for one that was made a moment ago, from the tables of contents
/// of the others.
pub(crate) fn verify_alone(
    path: &Path,
    options: &VerifyOptions,
    monitor: &dyn Monitor,
) -> Result<VerifyOutcome, VerifyError> {
    check(
        &OpenedBackup::open_alone(path, &options.archives.keys)?,
        options,
        monitor,
    )
}

fn check(
    backup: &OpenedBackup,
    options: &VerifyOptions,
    monitor: &dyn Monitor,
) -> Result<VerifyOutcome, VerifyError> {
    let path = backup.path();
    let size = fs::metadata(path).map(|metadata| metadata.len()).ok();
    monitor.phase(Phase::Verifying, size);
    let archive_options = backup_archive::VerifyOptions {
        quick: options.quick,
        jobs: options.jobs,
    };
    // The SHA-256 of the file is one long computation: it runs beside the parallel check.
    let (report, sha256) = thread::scope(|scope| {
        let sha256 = scope.spawn(|| check_sha256(path, monitor));
        let report = backup
            .reader()
            .verify(&archive_options, &ArchiveProgress(monitor));
        (report, sha256.join().expect("the digest does not panic"))
    });
    if monitor.is_cancelled() {
        return Err(VerifyError::Cancelled);
    }
    let report = report.map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let mut damaged = Vec::new();
    if let Some(reason) = backup.rebuilt_because() {
        damaged.push(DamagedPart {
            path: "table of contents".to_owned(),
            reason: format!("lost ({reason}); rebuilt by reading the whole archive"),
        });
    }
    damaged.extend(scan_damage(backup.reader().damage()));
    damaged.extend(report.damaged.iter().map(|entry| DamagedPart {
        path: entry.path.to_string(),
        reason: entry.reason.to_string(),
    }));
    if let Err(error) = backup.require_manifest()
        && !damaged.iter().any(|part| part.path == MANIFEST_PATH)
    {
        damaged.push(DamagedPart {
            path: MANIFEST_PATH.to_owned(),
            reason: error.to_string(),
        });
    }
    damaged.extend(sha256?);
    let elsewhere = check_links(backup, options, &archive_options, monitor, &mut damaged)?;
    Ok(VerifyOutcome {
        status: if damaged.is_empty() {
            VerifyStatus::Ok
        } else {
            VerifyStatus::Damaged
        },
        entries: report.entries + elsewhere,
        damaged,
        rehearsed: false,
        rehearsal: None,
    })
}

/// Checks what an incremental backup refers to; returns the number of such entries.
fn check_links(
    backup: &OpenedBackup,
    options: &VerifyOptions,
    archive_options: &backup_archive::VerifyOptions,
    monitor: &dyn Monitor,
    damaged: &mut Vec<DamagedPart>,
) -> Result<u64, VerifyError> {
    let failed = |source| VerifyError::Read {
        path: backup.path().to_owned(),
        source: Box::new(source),
    };
    if backup.links().is_empty() {
        return Ok(0);
    }
    let chain = backup.chain();
    damaged.extend(
        backup
            .costs_of_broken_links()?
            .into_iter()
            .map(|reason| DamagedPart {
                path: "chain".to_owned(),
                reason,
            }),
    );
    let (count, broken) = chain.check_links().map_err(failed)?;
    damaged.extend(broken.into_iter().map(|entry| DamagedPart {
        path: entry.path.to_string(),
        reason: entry.reason.to_string(),
    }));
    for (index, link) in (0..).zip(backup.links()) {
        let Some(holder) = chain.holder(index).filter(|_| options.chain) else {
            continue;
        };
        let report = holder
            .verify(archive_options, &ArchiveProgress(monitor))
            .map_err(failed)?;
        if monitor.is_cancelled() {
            return Err(VerifyError::Cancelled);
        }
        let hit: Vec<ArchivePath> = report.damaged.into_iter().map(|entry| entry.path).collect();
        let costs = chain.references_to(index, &hit).map_err(failed)?;
        damaged.extend(costs.into_iter().map(|entry| DamagedPart {
            path: entry.path.to_string(),
            reason: format!("its content in archive {} is damaged", link.id),
        }));
    }
    Ok(count)
}

/// What had to be skipped when the table of contents was rebuilt.
pub(crate) fn scan_damage(damage: &ScanDamage) -> Vec<DamagedPart> {
    let mut parts: Vec<DamagedPart> = damage
        .entries
        .iter()
        .map(|path| DamagedPart {
            path: path.to_string(),
            reason: "part of it lies in a stretch that cannot be decoded".to_owned(),
        })
        .collect();
    parts.extend(damage.stretches.iter().map(|(offset, len)| DamagedPart {
        path: "archive file".to_owned(),
        reason: format!(
            "{len} bytes from {offset} cannot be decoded; small entries in them are lost without a name"
        ),
    }));
    if damage.is_cut_short {
        parts.push(DamagedPart {
            path: "archive file".to_owned(),
            reason: "it is cut short: entries may be missing".to_owned(),
        });
    }
    parts
}

/// What can be said of a sealed archive without its key: whether the file is as it was written.
fn quick_without_key(path: &Path, monitor: &dyn Monitor) -> Result<VerifyOutcome, VerifyError> {
    let size = fs::metadata(path).map(|metadata| metadata.len()).ok();
    monitor.phase(Phase::Verifying, size);
    let damaged: Vec<DamagedPart> = check_sha256(path, monitor)?.into_iter().collect();
    if monitor.is_cancelled() {
        return Err(VerifyError::Cancelled);
    }
    Ok(VerifyOutcome {
        status: if damaged.is_empty() {
            VerifyStatus::Ok
        } else {
            VerifyStatus::Damaged
        },
        entries: 0,
        damaged,
        rehearsed: false,
        rehearsal: None,
    })
}

/// Compares the file with the `.sha256` beside it. Without one there is nothing to compare.
fn check_sha256(path: &Path, monitor: &dyn Monitor) -> Result<Option<DamagedPart>, VerifyError> {
    let sums = sha256_path(path);
    let expected = match fs::read_to_string(&sums) {
        Ok(line) => line,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&sums, error)),
    };
    let expected = expected.split_whitespace().next().unwrap_or_default();
    let actual = hex(&sha256_of(path, monitor)?);
    Ok(
        (!expected.eq_ignore_ascii_case(&actual)).then(|| DamagedPart {
            path: "archive file".to_owned(),
            reason: format!(
                "its SHA-256 is {actual}, {} says {expected}",
                sums.display()
            ),
        }),
    )
}

/// Compares the file with a SHA-256; without one it is only read.
pub(crate) fn check_sum(
    path: &Path,
    expected: Option<[u8; 32]>,
    monitor: &dyn Monitor,
) -> Result<Option<DamagedPart>, VerifyError> {
    let actual = sha256_of(path, monitor)?;
    let differs = expected.is_some_and(|expected| expected != actual);
    Ok(differs.then(|| DamagedPart {
        path: "archive file".to_owned(),
        reason: "it reads back other than it was written".to_owned(),
    }))
}

fn sha256_of(path: &Path, monitor: &dyn Monitor) -> Result<[u8; 32], VerifyError> {
    let mut file = File::open(path).map_err(|error| unreadable(path, error))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let len = file
            .read(&mut buffer)
            .map_err(|error| unreadable(path, error))?;
        if len == 0 || monitor.is_cancelled() {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&buffer[..len]);
    }
}

fn unreadable(path: &Path, source: io::Error) -> VerifyError {
    VerifyError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Passes the archive's progress on.
struct ArchiveProgress<'a>(&'a dyn Monitor);

impl backup_archive::Progress for ArchiveProgress<'_> {
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
