//! STORAGE: the file systems of the sources and of the repository.

mod growth;
mod sample;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use growth::{expected_daily_growth, largest_recent_backup};
pub use sample::{SampleOptions, sample};

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};
use super::quantity;
use super::thresholds::{StorageThresholds, Thresholds};

/// What is known of the places where files are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StorageFacts {
    /// File roots.
    pub sources: Vec<VolumeFacts>,
    /// The repository.
    pub repository: Option<RepositoryFacts>,
}

/// A folder and the file system it is on.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeFacts {
    /// What it is to us: the name of the file root, or `repository`.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// How much room there is; or why that cannot be told.
    pub space: Result<Space, String>,
    /// Whether there is anything in the folder; or why it cannot be read.
    pub content: Result<Content, String>,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size in bytes.
    pub total_bytes: u64,
    /// What this process could still write.
    pub free_bytes: u64,
    /// All inodes; 0 where the file system does not count them.
    pub total_inodes: u64,
    /// Inodes that are free.
    pub free_inodes: u64,
}

/// Whether there is anything in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// At least one entry.
    Something,
    /// Nothing at all.
    Nothing,
}

/// The repository.
#[derive(Debug, Clone, PartialEq)]
pub struct RepositoryFacts {
    /// Its folder.
    pub volume: VolumeFacts,
    /// How long it took to write and sync a small file, in milliseconds; or why that failed.
    pub write_ms: Result<f64, String>,
    /// Size of the largest recent backup; see [`largest_recent_backup`].
    pub largest_backup_bytes: Option<u64>,
    /// See [`expected_daily_growth`].
    pub daily_growth_bytes: Option<f64>,
    /// What [`sample()`] gave.
    pub sampled: Option<SampledDigests>,
}

/// What a look at some of the stored digests gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampledDigests {
    /// How many were compared with what is stored.
    pub checked: u64,
    /// What did not match.
    pub damaged: Vec<String>,
}

/// Looks at file roots (name and folder) and at the repository. Writes a small nameless file into the repository; nothing is left of it.
pub fn probe<'a>(
    sources: impl IntoIterator<Item = (&'a str, &'a Path)>,
    repository: Option<&Path>,
) -> StorageFacts {
    StorageFacts {
        sources: sources
            .into_iter()
            .map(|(name, path)| volume(name, path))
            .collect(),
        repository: repository.map(|path| RepositoryFacts {
            volume: volume("repository", path),
            write_ms: write_test(path).map_err(|error| error.to_string()),
            largest_backup_bytes: None,
            daily_growth_bytes: None,
            sampled: None,
        }),
    }
}

/// Judges storage.
pub fn evaluate(facts: &StorageFacts, thresholds: &Thresholds) -> Vec<Finding> {
    let limits = &thresholds.storage;
    let mut findings = Vec::new();
    for source in &facts.sources {
        findings.push(source_content(source));
        findings.extend(room(source, limits));
    }
    if let Some(repository) = &facts.repository {
        if let Err(reason) = &repository.volume.content {
            findings.push(unreadable(&repository.volume, reason));
        }
        findings.extend(room(&repository.volume, limits));
        findings.push(write(repository, limits));
        findings.extend(backups_that_fit(repository, limits));
        findings.extend(days_until_full(repository, limits));
        findings.extend(repository.sampled.as_ref().map(digests));
    }
    findings
}

const CONTENT: Measure = Measure {
    check: Check::Storage,
    code: "source_readable",
    unit: Unit::Flag,
    title: "Whether a source cannot be read or is empty.",
};
const FREE: Measure = Measure {
    check: Check::Storage,
    code: "storage_free",
    unit: Unit::Ratio,
    title: "Free space, as part of the file system.",
};
const INODES: Measure = Measure {
    check: Check::Storage,
    code: "storage_free_inodes",
    unit: Unit::Ratio,
    title: "Free inodes, as part of all.",
};
const WRITE: Measure = Measure {
    check: Check::Storage,
    code: "repository_write",
    unit: Unit::Seconds,
    title: "Time to write and sync a small file in the repository.",
};
const FIT: Measure = Measure {
    check: Check::Storage,
    code: "repository_backups_that_fit",
    unit: Unit::Count,
    title: "How many backups as large as the largest recent one still fit.",
};
const FULL: Measure = Measure {
    check: Check::Storage,
    code: "repository_days_until_full",
    unit: Unit::Count,
    title: "Days until the repository is full if weeks go on like the last one.",
};
const DIGESTS: Measure = Measure {
    check: Check::Storage,
    code: "sampled_digests_damaged",
    unit: Unit::Count,
    title: "Stored digests that did not match what is stored, of those sampled.",
};

fn source_content(source: &VolumeFacts) -> Finding {
    match &source.content {
        Ok(Content::Something) => CONTENT
            .healthy("can be read".to_owned())
            .value(0.0)
            .of(&source.name),
        Ok(Content::Nothing) => CONTENT
            .flagged(
                HealthStatus::Warning,
                format!("{} is empty", source.path.display()),
                "Is its volume mounted? Backups refuse an empty source.",
            )
            .of(&source.name),
        Err(reason) => unreadable(source, reason),
    }
}

fn unreadable(volume: &VolumeFacts, reason: &str) -> Finding {
    CONTENT
        .flagged(
            HealthStatus::Critical,
            format!("{} cannot be read: {reason}", volume.path.display()),
            "Mount the volume, correct the configuration, or run as a user who may read it.",
        )
        .of(&volume.name)
}

fn room(volume: &VolumeFacts, limits: &StorageThresholds) -> Vec<Finding> {
    let space = match &volume.space {
        Ok(space) => space,
        // That the folder is not there at all is told by its content.
        Err(_) if volume.content.is_err() => return Vec::new(),
        Err(reason) => {
            let finding = FREE.judged(
                HealthStatus::Unknown,
                format!(
                    "the free space of {} cannot be told: {reason}",
                    volume.path.display()
                ),
                "Look at the file system with df.",
            );
            return vec![finding.of(&volume.name)];
        }
    };
    let free = FREE.graded(
        ratio(space.free_bytes, space.total_bytes),
        limits.free_ratio,
        format!(
            "{} of {} free",
            quantity::bytes(space.free_bytes),
            quantity::bytes(space.total_bytes)
        ),
        "Free space on the file system, enlarge it, or keep fewer backups there.",
    );
    let inodes = (space.total_inodes > 0).then(|| {
        INODES.graded(
            ratio(space.free_inodes, space.total_inodes),
            limits.free_inodes_ratio,
            format!("{} of {} inodes free", space.free_inodes, space.total_inodes),
            "There are too many small files for this file system: remove some, or make one with more inodes.",
        )
    });
    std::iter::once(free)
        .chain(inodes)
        .map(|finding| finding.of(&volume.name))
        .collect()
}

fn write(repository: &RepositoryFacts, limits: &StorageThresholds) -> Finding {
    match &repository.write_ms {
        Ok(milliseconds) => WRITE
            .graded(
                *milliseconds,
                limits.write_ms,
                format!("a small file was written and synced in {milliseconds:.0} ms"),
                "The file system is slow: look for a failing disk or an overloaded network mount.",
            )
            .value(milliseconds / 1000.0),
        Err(reason) => WRITE.judged(
            HealthStatus::Critical,
            format!(
                "{} cannot be written to: {reason}",
                repository.volume.path.display()
            ),
            "Make the repository writable for the user who makes backups, or free space.",
        ),
    }
}

fn backups_that_fit(repository: &RepositoryFacts, limits: &StorageThresholds) -> Option<Finding> {
    let free = repository.volume.space.as_ref().ok()?.free_bytes;
    let largest = repository.largest_backup_bytes.filter(|bytes| *bytes > 0)?;
    let count = (free / largest) as f64;
    Some(FIT.graded(
        count,
        limits.backups_that_fit,
        format!(
            "{count:.0} more backups fit ({} free, the largest recent one takes {})",
            quantity::bytes(free),
            quantity::bytes(largest)
        ),
        "Enlarge the file system, or shorten retention and run `edms-backup prune`.",
    ))
}

fn days_until_full(repository: &RepositoryFacts, limits: &StorageThresholds) -> Option<Finding> {
    let free = repository.volume.space.as_ref().ok()?.free_bytes;
    let growth = repository.daily_growth_bytes?;
    if growth <= 0.0 {
        return Some(FULL.healthy("the repository does not grow".to_owned()));
    }
    let days = free as f64 / growth;
    Some(FULL.graded(
        days,
        limits.days_until_full,
        format!(
            "grows by {} a day: full in {days:.0} days",
            quantity::bytes(growth as u64)
        ),
        "Enlarge the file system, or shorten retention and run `edms-backup prune`.",
    ))
}

fn digests(sampled: &SampledDigests) -> Finding {
    let damaged = sampled.damaged.len();
    if let Some(first) = sampled.damaged.first() {
        return DIGESTS
            .flagged(
                HealthStatus::Critical,
                format!("{damaged} of {} sampled digests do not match, the first in {first}", sampled.checked),
                "Run `edms-backup verify` on every backup, and check the disk and the memory of this machine.",
            )
            .value(damaged as f64);
    }
    DIGESTS
        .healthy(format!("all {} sampled digests match", sampled.checked))
        .value(0.0)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

fn volume(name: &str, path: &Path) -> VolumeFacts {
    VolumeFacts {
        name: name.to_owned(),
        path: path.to_owned(),
        space: space(path).map_err(|error| error.to_string()),
        content: content(path).map_err(|error| error.to_string()),
    }
}

fn space(path: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Space {
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_inodes: stat.f_files,
        free_inodes: stat.f_favail,
    })
}

fn content(path: &Path) -> io::Result<Content> {
    match fs::read_dir(path)?.next() {
        Some(entry) => entry.map(|_| Content::Something),
        None => Ok(Content::Nothing),
    }
}

fn write_test(folder: &Path) -> io::Result<f64> {
    let begun = Instant::now();
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0x5a; 64 * 1024])?;
    file.sync_all()?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}
