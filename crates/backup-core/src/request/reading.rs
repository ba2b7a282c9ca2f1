//! `list`, `show` and `table`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::manifest::Manifest;
use crate::opened::Contents;
use crate::record::BackupRecord;
use crate::repository::RepositoryError;
use crate::restore::{TableRows, table_rows};

/// The catalogue of the repository.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRequest {}

/// A backup to be described.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowRequest {
    /// Archive path or backup id.
    pub source: String,
    /// List every entry.
    #[serde(default)]
    pub entries: bool,
}

/// Rows of one table in a backup, to be looked at before it is restored.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRequest {
    /// Archive path or backup id.
    pub source: String,
    /// `schema.table`.
    pub table: String,
}

/// A backup, described.
#[derive(Debug, Clone, Serialize)]
pub struct ShownBackup {
    /// The archive.
    pub path: PathBuf,
    /// What it holds.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Its entries, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<Contents>>,
}

/// What a repository holds.
#[derive(Debug)]
pub struct Listed {
    /// Backups, oldest first.
    pub backups: Vec<ListedBackup>,
    /// Archives whose record and manifest cannot be read, and why.
    pub unreadable: Vec<(PathBuf, RepositoryError)>,
}

/// A backup in the list: the fields of its record, and whether it is held.
#[derive(Debug, Clone, Serialize)]
pub struct ListedBackup {
    /// Its record.
    #[serde(flatten)]
    pub record: BackupRecord,
    /// Under legal hold.
    pub pinned: bool,
}

impl ListRequest {
    /// Lists the repository.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn run(&self, site: &Site) -> Result<Listed, ServiceError> {
        let repository = site.repository()?;
        let listing = repository.list()?;
        let pins = repository.pins()?;
        let backups = listing.backups.into_iter().map(|record| ListedBackup {
            pinned: pins.contains_key(&record.id),
            record,
        });
        Ok(Listed {
            backups: backups.collect(),
            unreadable: listing.unreadable,
        })
    }
}

impl ShowRequest {
    /// Describes the backup.
    ///
    /// # Errors
    /// When it cannot be opened, or its table of contents cannot be read.
    pub fn run(&self, site: &Site) -> Result<ShownBackup, ServiceError> {
        let backup = site.open(&self.source)?;
        Ok(ShownBackup {
            path: backup.path().to_owned(),
            manifest: backup.require_manifest()?.clone(),
            entries: if self.entries {
                Some(backup.contents().collect::<Result<_, _>>()?)
            } else {
                None
            },
        })
    }
}

impl TableRequest {
    /// Reads the rows.
    ///
    /// # Errors
    /// As [`table_rows`].
    pub fn run(&self, site: &Site) -> Result<TableRows, ServiceError> {
        Ok(table_rows(&site.open(&self.source)?, &self.table)?)
    }
}
