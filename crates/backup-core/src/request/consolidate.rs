//! `consolidate`.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::create::Codec;
use super::error::ServiceError;
use super::site::Site;
use crate::consolidate::{ConsolidateOptions, consolidate};
use crate::create::CreateError;
use crate::monitor::Monitor;
use crate::record::BackupRecord;

/// A chain to be made one full backup.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsolidateRequest {
    /// The incremental backup: archive path or backup id.
    pub source: String,
    /// A new file, or a folder, instead of the repository.
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// How the archive is compressed. Default: gzip.
    #[serde(default)]
    pub compression: Codec,
    /// gzip 1 to 12, zstd 1 to 19. Default: 1.
    #[serde(default)]
    pub level: Option<u8>,
    /// Do not read the archive back.
    #[serde(default)]
    pub no_verify: bool,
    /// Do not write a `.sha256` file.
    #[serde(default)]
    pub no_sha256: bool,
}

impl ConsolidateRequest {
    /// Makes the full backup.
    ///
    /// # Errors
    /// As [`consolidate`]; on any error nothing is left behind.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<BackupRecord, ServiceError> {
        let destination = site.destination(self.output.as_ref(), None)?;
        let options = ConsolidateOptions {
            archives: site.archives()?,
            seal_for: site.settings.encryption.seal_for()?,
            compression: self.compression.at_level(self.level)?,
            jobs: site.jobs,
            sha256: !self.no_sha256,
            verify: !self.no_verify,
            ..ConsolidateOptions::new(site.archive(&self.source)?, destination)
        };
        let result = consolidate(&options, monitor);
        let trail = site.trail();
        match &result {
            Ok(record) => {
                let details =
                    json!({ "from": self.source, "path": record.path, "sha256": record.sha256 });
                trail
                    .note(
                        "consolidate",
                        record.id.as_str(),
                        record.status.into(),
                        details,
                    )
                    .map_err(|source| CreateError::Unrecorded {
                        id: record.id.clone(),
                        source,
                    })?;
            }
            Err(error) => trail.note_failure("consolidate", &self.source, error),
        }
        Ok(result.map_err(Box::new)?)
    }
}
