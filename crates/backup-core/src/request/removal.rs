//! `prune`, `delete`, `pin` and `unpin`.

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::id::BackupId;
use crate::record::BackupRecord;
use crate::repository::Repository;
use crate::retention::{
    Deleted, PruneOutcome, PrunePlan, RetentionPolicy, delete, pin, plan_prune, prune, removable,
    unpin,
};

/// What the retention rules drop, to be removed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PruneRequest {
    /// Say what would be removed, and remove nothing.
    pub dry_run: bool,
    /// Apply the rules of this configuration only, in its own repository if it has one.
    pub configuration: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Pruned {
    /// Of a dry run: what would be removed, and why.
    Plan(PrunePlan),
    /// What was removed, and why.
    Done(PruneOutcome),
}

/// A backup to be removed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// Its id, or an unambiguous beginning of it.
    pub id: String,
    /// Confirms the removal, also of one of the last good ones of its configuration.
    #[serde(default)]
    pub force: bool,
}

/// A backup to be put under legal hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// Its id, or an unambiguous beginning of it.
    pub id: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A legal hold to be ended.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpinRequest {
    /// Id of the backup, or an unambiguous beginning of it.
    pub id: String,
}

/// Whether a backup is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The backup.
    pub id: BackupId,
    /// Whether it is held now.
    pub pinned: bool,
}

impl PruneRequest {
    /// Removes, or says what would be removed.
    ///
    /// # Errors
    /// As [`prune`].
    pub fn run(&self, site: &Site) -> Result<Pruned, ServiceError> {
        let settings = &site.settings;
        let mut policy = settings.retention();
        let repository = match &self.configuration {
            Some(name) => {
                let entry = settings.require_entry(name)?;
                policy = policy.of(name);
                let folder = entry.repository(settings.repository.as_deref());
                Repository::open(folder.ok_or_else(ServiceError::no_repository)?)?
            }
            None => site.repository()?,
        };
        let now = Utc::now();
        Ok(if self.dry_run {
            Pruned::Plan(plan_prune(&repository, &policy, now)?)
        } else {
            Pruned::Done(prune(&repository, &policy, &site.who, now)?)
        })
    }
}

impl DeleteRequest {
    /// The backup that would be removed.
    ///
    /// # Errors
    /// As [`delete`].
    pub fn plan(&self, site: &Site) -> Result<BackupRecord, ServiceError> {
        let policy: RetentionPolicy = site.settings.retention();
        Ok(removable(
            &site.repository()?,
            &self.id,
            &policy,
            self.force,
        )?)
    }

    /// Removes it.
    ///
    /// # Errors
    /// As [`delete`]; and [`ServiceError::NotConfirmed`] without `force`, when nothing else is in the way.
    pub fn run(&self, site: &Site) -> Result<Deleted, ServiceError> {
        if !self.force {
            let what = format!("deleting {}", self.plan(site)?.id);
            return Err(ServiceError::NotConfirmed { what });
        }
        let policy = site.settings.retention();
        Ok(delete(
            &site.repository()?,
            &self.id,
            &policy,
            self.force,
            &site.who,
        )?)
    }
}

impl PinRequest {
    /// Holds it.
    ///
    /// # Errors
    /// As [`pin`].
    pub fn run(&self, site: &Site) -> Result<Held, ServiceError> {
        let reason = self.reason.as_deref();
        Ok(Held {
            id: pin(&site.repository()?, &self.id, reason, &site.who)?,
            pinned: true,
        })
    }
}

impl UnpinRequest {
    /// Ends the hold.
    ///
    /// # Errors
    /// As [`unpin`].
    pub fn run(&self, site: &Site) -> Result<Held, ServiceError> {
        Ok(Held {
            id: unpin(&site.repository()?, &self.id, &site.who)?,
            pinned: false,
        })
    }
}
