//! `restore`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use backup_db::Parts;
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::monitor::Monitor;
use crate::restore::{
    Component, IntoDatabase, RestoreOptions, RestoreOutcome, RestorePlan, plan_restore,
};

/// A backup to be brought back, or a part of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestoreRequest {
    /// Archive path or backup id.
    pub source: String,
    /// Restore this component alone.
    pub only: Option<Component>,
    /// Leave the database as it is.
    pub skip_database: bool,
    /// Leave the files as they are.
    pub skip_files: bool,
    /// Restore only files that match one of these globs.
    pub path: Vec<String>,
    /// Restore only these tables.
    pub table: Vec<String>,
    /// Restore only what is in these schemas of the database.
    pub schema: Vec<String>,
    /// Restore definitions without rows.
    pub schema_only: bool,
    /// Restore rows into tables that are there.
    pub data_only: bool,
    /// Files go here, each root into a folder of its name.
    pub target: Option<PathBuf>,
    /// How the database is restored.
    pub into: Option<IntoDatabase>,
    /// Leave everything to the connecting role.
    pub no_owner: bool,
    /// Leave privileges out.
    pub no_privileges: bool,
    /// Other names for roles: old name → new name.
    pub role_map: BTreeMap<String, String>,
    /// Compare every restored table and file with the backup.
    pub verify: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Replace what is there. Without it, a restore that would replace something is refused.
    pub force: bool,
    /// Try a server that is older than the backup's, or newer than any that is known here.
    pub any_version: bool,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Restored {
    /// Of a dry run: what would be done.
    Plan(RestorePlan),
    /// What was done.
    Done(RestoreOutcome),
}

impl RestoreRequest {
    /// What it means on this site.
    ///
    /// # Errors
    /// When there is no such backup, or the request contradicts itself.
    pub fn options(&self, site: &Site) -> Result<RestoreOptions, ServiceError> {
        if self.source.is_empty() {
            return Err(ServiceError::usage(
                "no backup is named",
                "Name an archive by its path, or a backup of the repository by its id.",
            ));
        }
        if self.only.is_some() && (self.skip_database || self.skip_files) {
            return Err(ServiceError::usage(
                "--only and --skip-… contradict each other",
                "Leave one of them out.",
            ));
        }
        let parts = match (self.schema_only, self.data_only) {
            (false, false) => Parts::All,
            (true, false) => Parts::Schema,
            (false, true) => Parts::Data,
            (true, true) => {
                return Err(ServiceError::usage(
                    "--schema-only and --data-only contradict each other",
                    "Leave both out to restore definitions and rows.",
                ));
            }
        };
        let settings = &site.settings;
        Ok(RestoreOptions {
            only: self.only,
            skip_database: self.skip_database,
            skip_files: self.skip_files,
            paths: self.path.clone(),
            tables: self.table.clone(),
            schemas: self.schema.clone(),
            parts,
            target: self.target.clone(),
            files: settings.files.clone(),
            database: settings.database.clone(),
            into: self.into,
            owners: !self.no_owner,
            privileges: !self.no_privileges,
            role_map: self.role_map.clone(),
            verify: self.verify,
            force: self.force,
            any_version: self.any_version,
            archives: site.archives()?,
            jobs: site.jobs,
            ..RestoreOptions::new(site.archive(&self.source)?)
        })
    }

    /// Restores, or says what would be done.
    ///
    /// # Errors
    /// As [`restore`](crate::restore()); and [`ServiceError::Usage`] when a database or a folder in use would be replaced without `force`.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Restored, ServiceError> {
        let options = self.options(site)?;
        if self.dry_run {
            return Ok(Restored::Plan(plan_restore(&options, monitor)?));
        }
        if !self.force {
            let plan = plan_restore(&options, monitor)?;
            if plan.problems.is_empty() && !plan.replaced().is_empty() {
                return Err(ServiceError::NotConfirmed {
                    what: format!("replacing {}", plan.replaced().join(", ")),
                });
            }
        }
        Ok(Restored::Done(site.trail().restore(&options, monitor)?))
    }
}
