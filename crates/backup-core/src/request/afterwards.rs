//! `undo`, `recover` and `forget`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::ServiceError;
use super::site::Site;
use crate::monitor::Monitor;
use crate::restore::{RestoreTargets, Settled};

/// A restore to be taken back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Id of the restore.
    pub restore: String,
    /// The folder that was given to the restore as its target.
    #[serde(default)]
    pub target: Option<PathBuf>,
}

/// What is kept of a restore, to be deleted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetRequest {
    /// Id of the restore.
    pub restore: String,
    /// The folder that was given to the restore as its target.
    #[serde(default)]
    pub target: Option<PathBuf>,
}

/// Restores that were interrupted, to be finished or rolled back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecoverRequest {
    /// The folder that was given to the restore as its target.
    pub target: Option<PathBuf>,
}

impl UndoRequest {
    /// Takes the restore back.
    ///
    /// # Errors
    /// As [`undo`](crate::undo).
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Settled, ServiceError> {
        let targets = targets(site, self.target.as_deref())?;
        Ok(site.trail().undo(&self.restore, &targets, monitor)?)
    }
}

impl ForgetRequest {
    /// Deletes what is kept of the restore.
    ///
    /// # Errors
    /// As [`forget`](crate::forget).
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Settled, ServiceError> {
        let targets = targets(site, self.target.as_deref())?;
        Ok(site.trail().forget(&self.restore, &targets, monitor)?)
    }
}

impl RecoverRequest {
    /// Finishes or rolls back what was interrupted.
    ///
    /// # Errors
    /// As [`recover`](crate::recover).
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Vec<Settled>, ServiceError> {
        let targets = targets(site, self.target.as_deref())?;
        Ok(site.trail().recover(&targets, monitor)?)
    }
}

/// Everywhere a restore on this site may have left something.
fn targets(site: &Site, target: Option<&Path>) -> Result<RestoreTargets, ServiceError> {
    let mut folders: Vec<PathBuf> = site.settings.files.values().cloned().collect();
    if let Some(target) = target {
        let unreadable = |source| ServiceError::Folder {
            path: target.to_owned(),
            source,
        };
        for entry in std::fs::read_dir(target).map_err(unreadable)? {
            folders.push(entry.map_err(unreadable)?.path());
        }
    }
    Ok(RestoreTargets {
        folders,
        database: site.settings.database.clone(),
    })
}
