//! `audit`, `health` and `catalogue-rebuild`: looking after a site.

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::audit::{AuditEntry, AuditReport};
use crate::health::{Check, HealthReport, SiteChecks, check_site};
use crate::repository::Rebuilt;

/// The journal, to be read or checked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditRequest {
    /// Check that no line was changed, removed, inserted or moved.
    pub verify: bool,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Audited {
    /// The entries, oldest first.
    Entries(Vec<AuditEntry>),
    /// Whether the journal is intact.
    Report(AuditReport),
}

/// Checks to be made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthRequest {
    /// Names of checks; empty for all.
    pub check: Vec<Check>,
}

/// Records to be made anew.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebuildRequest {}

impl AuditRequest {
    /// Reads or checks the journal.
    ///
    /// # Errors
    /// When it cannot be read; what is wrong with it is in the result.
    pub fn run(&self, site: &Site) -> Result<Audited, ServiceError> {
        let repository = site.repository()?;
        if self.verify {
            return Ok(Audited::Report(repository.verify_journal()?));
        }
        let journal = repository.journal();
        let entries = journal.entries()?;
        Ok(Audited::Entries(entries.collect()))
    }
}

impl HealthRequest {
    /// Looks at the site.
    pub fn run(&self, site: &Site) -> HealthReport {
        let mut options = SiteChecks {
            config_file: site.config.clone(),
            ..SiteChecks::default()
        };
        if !self.check.is_empty() {
            options.checks.clone_from(&self.check);
        }
        check_site(&site.settings, &options, Utc::now())
    }
}

impl RebuildRequest {
    /// Makes them anew.
    ///
    /// # Errors
    /// As [`Repository::rebuild`](crate::Repository::rebuild).
    pub fn run(&self, site: &Site) -> Result<Rebuilt, ServiceError> {
        Ok(site.repository()?.rebuild(&site.who)?)
    }
}
