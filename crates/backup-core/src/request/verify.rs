//! `verify`.

use serde::Deserialize;

use super::error::ServiceError;
use super::site::Site;
use crate::monitor::Monitor;
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
}

impl VerifyRequest {
    /// Checks the backup.
    ///
    /// # Errors
    /// As [`verify()`]; damage is no error.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<VerifyOutcome, ServiceError> {
        let options = VerifyOptions {
            quick: self.quick,
            jobs: site.jobs,
        };
        Ok(verify(&site.archive(&self.source)?, &options, monitor)?)
    }
}
