//! The records, made anew from the archives.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::{ENDINGS, Repository, RepositoryError, make_folder, record_path, sha256_path, stem};
use crate::audit::{Actor, AuditResult, AuditTrail, warning};
use crate::durable;
use crate::failure::Failure;
use crate::id::BackupId;
use crate::record::BackupRecord;

/// What became of the records.
#[derive(Debug, Default, Serialize)]
pub struct Rebuilt {
    /// Backups whose record was missing, damaged or wrong, and was written.
    pub written: Vec<BackupId>,
    /// Backups whose record says what the archive says.
    pub unchanged: u64,
    /// Records and SHA-256 files of archives that are not there, which were removed.
    pub removed: Vec<PathBuf>,
    /// Archives that cannot be read.
    pub unreadable: Vec<UnreadableArchive>,
    /// What could not be noted.
    pub warnings: Vec<String>,
}

/// An archive that cannot be read.
#[derive(Debug, Serialize)]
pub struct UnreadableArchive {
    /// The archive.
    pub path: PathBuf,
    /// Why.
    pub error: Failure,
}

impl Repository {
    /// Makes every record anew from its archive alone, and notes that in the journal.
    ///
    /// What only the record knows is kept where there is one: how long reading back took, the last rehearsal, and the SHA-256 when its file is missing.
    ///
    /// # Errors
    /// When the folder cannot be read or written to. Archives that cannot be read are in the result.
    pub fn rebuild(&self, who: &Actor) -> Result<Rebuilt, RepositoryError> {
        let trail = AuditTrail::of(self, who.clone());
        let mut rebuilt = self
            .rebuild_records()
            .inspect_err(|error| trail.note_failure("catalogue-rebuild", "", error))?;
        let result = match rebuilt.unreadable.is_empty() {
            true => AuditResult::Success,
            false => AuditResult::Partial,
        };
        let noted = trail.note("catalogue-rebuild", "", result, json!(rebuilt));
        rebuilt.warnings.extend(warning(noted));
        Ok(rebuilt)
    }

    fn rebuild_records(&self) -> Result<Rebuilt, RepositoryError> {
        make_folder(&self.running())?;
        let _lock = self.lock()?;
        let mut rebuilt = Rebuilt::default();
        let mut archives = self.archives()?;
        archives.sort();
        for archive in &archives {
            match self.rebuild_one(archive) {
                Ok(Some(record)) => rebuilt.written.push(record.id),
                Ok(None) => rebuilt.unchanged += 1,
                Err(error) => rebuilt.unreadable.push(UnreadableArchive {
                    path: archive.clone(),
                    error: Failure::from(&error),
                }),
            }
        }
        self.remove_orphans(&archives, &mut rebuilt)?;
        Ok(rebuilt)
    }

    /// The record, if it had to be written.
    fn rebuild_one(&self, archive: &Path) -> Result<Option<BackupRecord>, RepositoryError> {
        let known = self.stored_record(archive);
        let mut record = self.read_from_archive(archive)?;
        if let Some(known) = &known {
            record.duration_ms = known.duration_ms;
            record.last_rehearsal.clone_from(&known.last_rehearsal);
            record.sha256 = record.sha256.or_else(|| known.sha256.clone());
            if *known == record {
                return Ok(None);
            }
        }
        let path = record_path(archive);
        durable::replace(&path, &self.running(), record.to_toml().as_bytes())
            .map_err(RepositoryError::io("write", &path))?;
        Ok(Some(record))
    }

    fn stored_record(&self, archive: &Path) -> Option<BackupRecord> {
        let text = fs::read_to_string(record_path(archive)).ok()?;
        let mut record: BackupRecord = toml::from_str(&text).ok()?;
        record.path = archive.to_owned();
        Some(record)
    }

    fn remove_orphans(
        &self,
        archives: &[PathBuf],
        rebuilt: &mut Rebuilt,
    ) -> Result<(), RepositoryError> {
        let folder = self.backups();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(RepositoryError::io("list", &folder)(error)),
        };
        for entry in entries {
            let path = entry.map_err(RepositoryError::io("list", &folder))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let Some(id) = sidecar_of(name) else { continue };
            let has_archive = archives.iter().any(|archive| {
                stem(archive) == Some(id)
                    && (path == record_path(archive) || path == sha256_path(archive))
            });
            if !has_archive {
                fs::remove_file(&path).map_err(RepositoryError::io("remove", &path))?;
                rebuilt.removed.push(path);
            }
        }
        rebuilt.removed.sort();
        Ok(())
    }
}

/// The id in the name of a record or a SHA-256 file.
fn sidecar_of(name: &str) -> Option<&str> {
    let id = name.strip_suffix(".toml").or_else(|| {
        let archive = name.strip_suffix(".sha256")?;
        ENDINGS
            .iter()
            .find_map(|ending| archive.strip_suffix(ending))
    })?;
    id.parse::<BackupId>().ok().map(|_| id)
}
