//! Removing backups: what the rules drop, or one by name.
//!
//! Both happen under the repository's lock, so that no job takes a backup as its base while it goes. Nothing is written before something is
//! removed: a repository on a full disk can be freed.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::candidate::Candidate;
use super::chain::{Chains, dependents};
use super::error::RemovalError;
use super::plan::PrunePlan;
use super::rules::{DEFAULT_FLOOR, RetentionPolicy};
use crate::audit::{Actor, AuditResult, AuditTrail, warning};
use crate::failure::Failure;
use crate::id::BackupId;
use crate::kind::BackupKind;
use crate::record::BackupRecord;
use crate::repository::{Pin, Repository, id_of};

/// What retention removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruneOutcome {
    /// What was decided, and why.
    #[serde(flatten)]
    pub plan: PrunePlan,
    /// The backups that are gone now, in the order in which they went.
    pub deleted: Vec<BackupId>,
}

/// What was removed by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// The backup.
    pub id: BackupId,
    /// Bytes that are free now.
    pub freed_bytes: u64,
    /// What could not be noted.
    pub warnings: Vec<String>,
}

/// What retention would remove at time `now`.
///
/// # Errors
/// When the repository cannot be read.
pub fn plan_prune(
    repository: &Repository,
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
) -> Result<PrunePlan, RemovalError> {
    let (plan, _) = Catalogue::read(repository)?.plan(policy, now);
    Ok(plan)
}

/// Removes what the rules drop at time `now`, and notes it in the journal.
///
/// # Errors
/// When the repository cannot be read, or a backup cannot be removed: nothing after it is then.
pub fn prune(
    repository: &Repository,
    policy: &RetentionPolicy,
    who: &Actor,
    now: DateTime<Utc>,
) -> Result<PruneOutcome, RemovalError> {
    let trail = AuditTrail::of(repository, who.clone());
    let mut deleted = Vec::new();
    match prune_locked(repository, policy, now, &mut deleted) {
        Ok(mut plan) => {
            let details = json!({ "deleted": deleted, "freed_bytes": plan.freed_bytes });
            let noted = trail.note("prune", "", AuditResult::Success, details);
            plan.warnings.extend(warning(noted));
            Ok(PruneOutcome { plan, deleted })
        }
        Err(error) => {
            // The error is what the caller has to tell; that it is not in the journal would only hide it.
            let details = json!({ "deleted": deleted, "error": Failure::from(&error) });
            let _ = trail.note("prune", "", AuditResult::Failure, details);
            Err(error)
        }
    }
}

fn prune_locked(
    repository: &Repository,
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
    deleted: &mut Vec<BackupId>,
) -> Result<PrunePlan, RemovalError> {
    let _lock = repository.lock()?;
    let (plan, catalogue) = Catalogue::read(repository)?.plan(policy, now);
    for id in &plan.deletion_order {
        repository.remove(catalogue.record(id))?;
        deleted.push(id.clone());
    }
    Ok(plan)
}

/// Removes one backup, and notes it in the journal. `below_floor` allows to remove one of the last good ones of its configuration.
///
/// # Errors
/// [`RemovalError::Pinned`] and [`RemovalError::Needed`] whatever is allowed; [`RemovalError::LastGood`] unless it is.
pub fn delete(
    repository: &Repository,
    id: &str,
    policy: &RetentionPolicy,
    below_floor: bool,
    who: &Actor,
) -> Result<Deleted, RemovalError> {
    let trail = AuditTrail::of(repository, who.clone());
    let removed = {
        let _lock = repository.lock()?;
        removable(repository, id, policy, below_floor).and_then(|record| {
            repository
                .remove(&record)
                .map(|()| record)
                .map_err(Into::into)
        })
    };
    let record = removed.inspect_err(|error| trail.note_failure("delete", id, error))?;
    let details = json!({ "freed_bytes": record.bytes_stored });
    let noted = trail.note("delete", record.id.as_str(), AuditResult::Success, details);
    Ok(Deleted {
        freed_bytes: record.bytes_stored,
        id: record.id,
        warnings: warning(noted).into_iter().collect(),
    })
}

/// The backup that [`delete`] would remove; nothing is removed.
///
/// # Errors
/// As [`delete`].
pub fn removable(
    repository: &Repository,
    id: &str,
    policy: &RetentionPolicy,
    below_floor: bool,
) -> Result<BackupRecord, RemovalError> {
    let record = repository.find(id)?;
    let catalogue = Catalogue::read(repository)?;
    let candidates = &catalogue.candidates;
    if let Some(pin) = repository.pins()?.get(&record.id) {
        return Err(RemovalError::Pinned {
            id: record.id,
            reason: pin.as_ref().and_then(|pin| pin.reason.clone()),
        });
    }
    let mut by: Vec<BackupId> = dependents(candidates, &record.id)
        .into_iter()
        .cloned()
        .collect();
    let own = candidates.iter().find(|one| one.id == record.id);
    by.extend(own.and_then(|own| own.needed_by.clone()));
    if !by.is_empty() {
        return Err(RemovalError::Needed { id: record.id, by });
    }
    let chains = Chains::new(candidates);
    if let Some(own) = own.filter(|own| chains.is_good(own) && !below_floor) {
        let good = candidates
            .iter()
            .filter(|one| one.configuration == own.configuration && chains.is_good(one))
            .count();
        let floor = policy
            .rules(own.configuration.as_deref())
            .map_or(DEFAULT_FLOOR.get() as usize, |rules| {
                rules.effective_floor()
            });
        if good <= floor {
            return Err(RemovalError::LastGood {
                id: record.id,
                good,
                floor,
            });
        }
    }
    Ok(record)
}

/// Puts a backup under legal hold, and notes it in the journal. A pin that it has is replaced.
///
/// # Errors
/// When there is no such backup, or the pin cannot be written.
pub fn pin(
    repository: &Repository,
    id: &str,
    reason: Option<&str>,
    who: &Actor,
) -> Result<BackupId, RemovalError> {
    let trail = AuditTrail::of(repository, who.clone());
    let pin = Pin {
        reason: reason.map(str::to_owned),
        by: format!("{}@{}", who.user, who.host),
        pinned_at: Utc::now(),
    };
    let id = repository
        .find(id)
        .and_then(|record| repository.write_pin(&record.id, &pin).map(|()| record.id))
        .map_err(RemovalError::from)
        .inspect_err(|error| trail.note_failure("pin", id, error))?;
    let details = json!({ "reason": pin.reason });
    trail
        .note("pin", id.as_str(), AuditResult::Success, details)
        .map_err(RemovalError::Unrecorded)?;
    Ok(id)
}

/// Ends a legal hold, and notes it in the journal; fine when there is none.
///
/// # Errors
/// When there is no such backup, or the pin cannot be removed.
pub fn unpin(repository: &Repository, id: &str, who: &Actor) -> Result<BackupId, RemovalError> {
    let trail = AuditTrail::of(repository, who.clone());
    let (was_pinned, id) = repository
        .find(id)
        .and_then(|record| Ok((repository.remove_pin(&record.id)?, record.id)))
        .map_err(RemovalError::from)
        .inspect_err(|error| trail.note_failure("unpin", id, error))?;
    let details = json!({ "was_pinned": was_pinned });
    trail
        .note("unpin", id.as_str(), AuditResult::Success, details)
        .map_err(RemovalError::Unrecorded)?;
    Ok(id)
}

/// What a repository holds, as retention sees it.
#[derive(Debug)]
pub(crate) struct Catalogue {
    records: Vec<BackupRecord>,
    pub(crate) candidates: Vec<Candidate>,
    warnings: Vec<String>,
}

impl Catalogue {
    pub(crate) fn read(repository: &Repository) -> Result<Self, RemovalError> {
        let listing = repository.list()?;
        let pins = repository.pins()?;
        let mut candidates: Vec<_> = listing
            .backups
            .iter()
            .map(|record| Candidate::from_record(record, pins.contains_key(&record.id)))
            .collect();
        for job in repository.running_jobs()? {
            let name = job.name.parse::<BackupId>().ok();
            for candidate in &mut candidates {
                if Some(&candidate.id) == job.purpose.base.as_ref() {
                    candidate.needed_by = name.clone();
                }
            }
        }
        let mut warnings = Vec::new();
        for (path, error) in &listing.unreadable {
            warnings.push(format!("{}: {error}", path.display()));
            // Nobody knows what it builds on: everything before it that it may build on stays.
            let Some(id) = id_of(path) else {
                continue;
            };
            if id.kind() == BackupKind::Incremental {
                for candidate in &mut candidates {
                    if candidate.id < id && candidate.id.kind().has_files() {
                        candidate.needed_by = Some(id.clone());
                    }
                }
            }
        }
        Ok(Self {
            records: listing.backups,
            candidates,
            warnings,
        })
    }

    fn plan(self, policy: &RetentionPolicy, now: DateTime<Utc>) -> (PrunePlan, Self) {
        let mut plan = super::decide::plan(&self.candidates, policy, now);
        plan.warnings.extend(self.warnings.iter().cloned());
        (plan, self)
    }

    /// The archives of the newest `count` backups.
    pub(crate) fn newest(&self, count: usize) -> Vec<PathBuf> {
        let newest = self.records.iter().rev().take(count);
        newest.map(|record| record.path.clone()).collect()
    }

    fn record(&self, id: &BackupId) -> &BackupRecord {
        self.records
            .iter()
            .find(|record| record.id == *id)
            .expect("plans are made of the records")
    }
}
