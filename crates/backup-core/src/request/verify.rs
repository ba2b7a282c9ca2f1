//! `verify`.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::ServiceError;
use super::site::Site;
use crate::durable;
use crate::monitor::Monitor;
use crate::rehearse::{RehearseOptions, ScratchFolder, rehearse};
use crate::repository::Repository;
use crate::verify::{VerifyOptions, VerifyOutcome, verify};

/// A backup to be checked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// Archive path or backup id.
    pub source: String,
    /// Check the stored bytes only, without unpacking them.
    #[serde(default)]
    pub quick: bool,
    /// Restore into a scratch database and a scratch folder, compare everything, and remove them.
    #[serde(default)]
    pub rehearse: bool,
    /// Where the scratch folder is made. Default: in the repository when the backup is in it, otherwise beside the archive.
    #[serde(default)]
    pub scratch: Option<PathBuf>,
    /// Also check the archives that an incremental backup refers to.
    #[serde(default)]
    pub chain: bool,
}

impl VerifyRequest {
    /// Checks the backup. A rehearsal is noted in the backup's record.
    ///
    /// # Errors
    /// As [`verify()`] and [`rehearse`]; damage is no error.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<VerifyOutcome, ServiceError> {
        let result = self.check(site, monitor);
        site.trail().verified(&self.source, &result, monitor);
        result
    }

    fn check(&self, site: &Site, monitor: &dyn Monitor) -> Result<VerifyOutcome, ServiceError> {
        let options = VerifyOptions {
            quick: self.quick,
            chain: self.chain,
            archives: site.archives()?,
            jobs: site.jobs,
        };
        let path = site.archive(&self.source)?;
        let outcome = verify(&path, &options, monitor)?;
        if !self.rehearse {
            return Ok(outcome);
        }
        let repository = match &site.settings.repository {
            Some(folder) => Some(Repository::open(folder)?).filter(|it| it.holds(&path)),
            None => None,
        };
        let scratch = match (&self.scratch, &repository) {
            (Some(folder), _) => ScratchFolder::In(folder.clone()),
            (None, Some(repository)) => ScratchFolder::Repository(repository.path().to_owned()),
            (None, None) => ScratchFolder::In(durable::parent(&path).to_owned()),
        };
        let options = RehearseOptions {
            database: site.settings.database.clone(),
            scratch,
            archives: site.archives()?,
            references: site.settings.references.clone(),
            jobs: site.jobs,
            any_version: false,
        };
        let rehearsal = rehearse(&path, &options, monitor)?;
        if let Some(repository) = repository {
            repository.note_rehearsal(&path, &rehearsal)?;
        }
        Ok(outcome.with(rehearsal))
    }
}
