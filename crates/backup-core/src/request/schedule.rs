//! `schedule-…`: configurations that run unattended.

use std::path::PathBuf;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::config::ConfigError;
use crate::kind::Status;
use crate::monitor::Monitor;
use crate::schedule::{
    ConfigurationStatus, CreatedDefaults, SiteRun, configurations, create_defaults, run_site,
    set_enabled,
};

/// The configurations, and how each stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleListRequest {}

/// What is due, to be run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDueRequest {}

/// A configuration to be turned on or off.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnableRequest {
    /// Its name.
    pub name: String,
    /// On or off. Default: what the command says.
    #[serde(default)]
    pub enabled: bool,
}

/// The default configurations, to be added to the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CreateDefaultsRequest {
    /// Zone of their times, an IANA name. Default: UTC.
    pub time_zone: String,
}

impl Default for CreateDefaultsRequest {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
        }
    }
}

/// What was due.
#[derive(Debug, Serialize)]
pub struct Ran {
    /// One for each configuration that was due, in the order of the configuration file.
    pub runs: Vec<SiteRun>,
}

/// A configuration that was turned on or off.
#[derive(Debug, Clone, Serialize)]
pub struct Enabled {
    /// Its name.
    pub name: String,
    /// On or off.
    pub enabled: bool,
    /// What could not be noted.
    pub warnings: Vec<String>,
}

impl Ran {
    /// The worst of the runs; COMPLETE when nothing was due. One that waits for another job is not bad.
    pub fn status(&self) -> Status {
        let has = |status| self.runs.iter().any(|run| run.status == Some(status));
        [Status::Failed, Status::Partial]
            .into_iter()
            .find(|status| has(*status))
            .unwrap_or(Status::Complete)
    }
}

impl ScheduleListRequest {
    /// Lists them, in the order of the configuration file.
    ///
    /// # Errors
    /// When what is remembered of their runs cannot be read.
    pub fn run(&self, site: &Site) -> Result<Vec<ConfigurationStatus>, ServiceError> {
        Ok(configurations(&site.settings, Utc::now())?)
    }
}

impl RunDueRequest {
    /// Runs it.
    ///
    /// # Errors
    /// As [`run_site`]; a failed backup is part of the result.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Ran, ServiceError> {
        let runs = run_site(&site.settings, &site.caller(), &Utc::now, monitor)?;
        Ok(Ran { runs })
    }
}

impl EnableRequest {
    /// Turns it on or off.
    ///
    /// # Errors
    /// As [`set_enabled`].
    pub fn run(&self, site: &Site) -> Result<Enabled, ServiceError> {
        Ok(Enabled {
            name: self.name.clone(),
            enabled: self.enabled,
            warnings: set_enabled(&site.settings, &self.name, self.enabled, &site.who)?,
        })
    }
}

impl CreateDefaultsRequest {
    /// Adds them to the configuration file of the site, or makes `path`.
    ///
    /// # Errors
    /// When the zone is not one, or the file cannot be read or written.
    pub fn run(&self, site: &Site) -> Result<CreatedDefaults, ServiceError> {
        let zone: chrono_tz::Tz = self.time_zone.parse().map_err(|_| {
            ServiceError::usage(
                format!("unknown time zone {:?}", self.time_zone),
                "An IANA name such as Europe/Berlin, or UTC.",
            )
        })?;
        let path: PathBuf = site.config.clone().ok_or_else(|| {
            ServiceError::usage(
                "no configuration file is named",
                "Name the one to write to with --config.",
            )
        })?;
        create_defaults(&site.settings, &path, zone.name(), &site.who)
            .map_err(|source| ConfigError::Write { path, source }.into())
    }
}
