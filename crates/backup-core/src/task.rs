//! A backup with everything around it: those who want to know are told, and retention follows.

use chrono::Utc;
use serde::Serialize;
use serde_json::json;

use crate::create::{CreateError, CreateOptions, Destination, create};
use crate::failure::{Explain, Failure};
use crate::id::BackupId;
use crate::kind::Status;
use crate::monitor::Monitor;
use crate::notify::Notifier;
use crate::record::BackupRecord;
use crate::repository::Repository;
use crate::retention::{RetentionPolicy, prune};

/// A backup to make, who is told how it ends, and for how long its configuration's backups are kept.
#[derive(Debug, Clone)]
pub struct BackupTask {
    /// The backup.
    pub create: CreateOptions,
    /// Who is told.
    pub notifier: Notifier,
    /// The rules for the backup's configuration; those of others are not applied. A backup without a configuration is followed by no retention.
    pub retention: RetentionPolicy,
}

/// What became of a task. In JSON: the fields of the record, and `pruned`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskOutcome {
    /// The backup.
    #[serde(flatten)]
    pub record: BackupRecord,
    /// The backups of the same configuration that retention removed.
    pub pruned: Vec<BackupId>,
}

/// Makes the backup. After a COMPLETE one, and only then, what its configuration need not keep any more is removed.
///
/// Neither a hook that fails nor a removal changes the backup's status: they become warnings.
///
/// # Errors
/// As [`create`]; those who want to know are told.
pub fn run_task(task: &BackupTask, monitor: &dyn Monitor) -> Result<TaskOutcome, CreateError> {
    let mut warnings = task.notifier.started();
    match create(&task.create, monitor) {
        Ok(record) => {
            let mut outcome = TaskOutcome {
                record,
                pruned: Vec::new(),
            };
            warnings.extend(retain(task, &mut outcome));
            outcome.record.warnings.append(&mut warnings);
            let told = task.notifier.ended(outcome.record.status, &outcome);
            for warning in &told {
                monitor.warning(warning);
            }
            outcome.record.warnings.extend(told);
            Ok(outcome)
        }
        Err(error) => {
            let result = json!({
                "status": Status::Failed,
                "kind": task.create.kind,
                "configuration": task.create.configuration,
                "error": Failure::from(&error),
            });
            warnings.extend(task.notifier.ended(Status::Failed, &result));
            for warning in &warnings {
                monitor.warning(warning);
            }
            Err(error)
        }
    }
}

/// Applies the rules of the backup's configuration; what went wrong.
fn retain(task: &BackupTask, outcome: &mut TaskOutcome) -> Option<String> {
    let name = task.create.configuration.as_ref()?;
    let Destination::Repository(path) = &task.create.destination else {
        return None;
    };
    if outcome.record.status != Status::Complete {
        return None;
    }
    let policy = task.retention.clone().of(name);
    policy.rules(Some(name))?;
    let pruned = Repository::open(path)
        .map_err(Into::into)
        .and_then(|repository| prune(&repository, &policy, &task.create.who, Utc::now()));
    match pruned {
        Ok(pruned) => {
            outcome.pruned = pruned.deleted;
            None
        }
        Err(error) => Some(format!("retention: {error} ({})", error.code())),
    }
}
