//! The services, each of which leaves a line in the journal whether it succeeds or fails.

use std::path::Path;

use chrono::Utc;
use serde_json::{Value, json};

use super::entry::{Actor, AuditEvent, AuditResult};
use super::error::AuditError;
use super::journal::AuditJournal;
use crate::failure::{Explain, Failure};
use crate::monitor::Monitor;
use crate::repository::Repository;
use crate::restore::{
    RestoreError, RestoreOptions, RestoreOutcome, RestoreTargets, Settled, forget, recover,
    restore, undo,
};
use crate::verify::{VerifyOutcome, VerifyStatus};

/// Who works, and the journal of the repository that is told. Its methods are the services of the same names, with a line for each.
///
/// What cannot be written down does not take back what was done: it becomes a warning.
#[derive(Debug, Clone, Default)]
pub struct AuditTrail {
    journal: Option<AuditJournal>,
    who: Actor,
}

impl AuditTrail {
    /// The trail of what `who` does on a site whose repository is at `repository`. Without one, or before it is made, nothing is written down.
    pub fn new(repository: Option<&Path>, who: Actor) -> Self {
        Self {
            journal: repository
                .and_then(|path| Repository::open(path).ok())
                .map(|repository| repository.journal()),
            who,
        }
    }

    /// The trail of what `who` does in a repository.
    pub fn of(repository: &Repository, who: Actor) -> Self {
        Self {
            journal: Some(repository.journal()),
            who,
        }
    }

    /// Writes a line down.
    ///
    /// # Errors
    /// When that fails.
    pub fn note(
        &self,
        action: &str,
        subject: &str,
        result: AuditResult,
        details: Value,
    ) -> Result<(), AuditError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let event = AuditEvent {
            who: self.who.clone(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            result,
            details,
        };
        journal.append(&event, Utc::now()).map(drop)
    }

    /// Writes down that something failed, and why. The failure is what the caller has to tell; that it is not in the journal would only hide it.
    pub fn note_failure(&self, action: &str, subject: &str, error: &(impl Explain + ?Sized)) {
        let details = json!({ "error": Failure::from(error) });
        let _ = self.note(action, subject, AuditResult::Failure, details);
    }

    /// Restores a backup: [`restore()`].
    ///
    /// # Errors
    /// As [`restore()`].
    pub fn restore(
        &self,
        options: &RestoreOptions,
        monitor: &dyn Monitor,
    ) -> Result<RestoreOutcome, RestoreError> {
        let source = options.source.display().to_string();
        let mut outcome = restore(options, monitor)
            .inspect_err(|error| self.note_failure("restore", &source, error))?;
        let details = json!({
            "archive": source,
            "into": outcome.into,
            "tables": outcome.tables,
            "rows": outcome.rows,
            "files": outcome.files,
            "verified": outcome.verified,
            "duration_ms": outcome.duration_ms,
        });
        let noted = self.note("restore", &outcome.id, outcome.status.into(), details);
        outcome.warnings.extend(warning(noted));
        Ok(outcome)
    }

    /// Takes a restore back: [`undo()`].
    ///
    /// # Errors
    /// As [`undo()`].
    pub fn undo(
        &self,
        id: &str,
        targets: &RestoreTargets,
        monitor: &dyn Monitor,
    ) -> Result<Settled, RestoreError> {
        self.settled("undo", id, undo(id, targets), monitor)
    }

    /// Deletes what is kept of a restore: [`forget()`].
    ///
    /// # Errors
    /// As [`forget()`].
    pub fn forget(
        &self,
        id: &str,
        targets: &RestoreTargets,
        monitor: &dyn Monitor,
    ) -> Result<Settled, RestoreError> {
        self.settled("forget", id, forget(id, targets), monitor)
    }

    /// Finishes or takes back restores that were interrupted: [`recover()`].
    ///
    /// # Errors
    /// As [`recover()`].
    pub fn recover(
        &self,
        targets: &RestoreTargets,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Settled>, RestoreError> {
        let all = recover(targets).inspect_err(|error| self.note_failure("recover", "", error))?;
        for one in &all {
            self.note_settled("recover", one, monitor);
        }
        Ok(all)
    }

    /// Notes that a backup was checked. Damage is a failure in the journal.
    pub fn verified<E: Explain>(
        &self,
        source: &str,
        result: &Result<VerifyOutcome, E>,
        monitor: &dyn Monitor,
    ) {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => return self.note_failure("verify", source, error),
        };
        let ended = match outcome.status {
            VerifyStatus::Ok => AuditResult::Success,
            VerifyStatus::Damaged => AuditResult::Failure,
        };
        let details = json!({
            "entries": outcome.entries,
            "damaged": outcome.damaged.len(),
            "rehearsed": outcome.rehearsed,
        });
        self.tell(self.note("verify", source, ended, details), monitor);
    }

    fn settled(
        &self,
        action: &str,
        id: &str,
        result: Result<Settled, RestoreError>,
        monitor: &dyn Monitor,
    ) -> Result<Settled, RestoreError> {
        match &result {
            Ok(settled) => self.note_settled(action, settled, monitor),
            Err(error) => self.note_failure(action, id, error),
        }
        result
    }

    fn note_settled(&self, action: &str, settled: &Settled, monitor: &dyn Monitor) {
        let details = json!(settled);
        let noted = self.note(action, &settled.id, AuditResult::Success, details);
        self.tell(noted, monitor);
    }

    fn tell(&self, noted: Result<(), AuditError>, monitor: &dyn Monitor) {
        if let Some(text) = warning(noted) {
            monitor.warning(&text);
        }
    }
}

/// That something was done and is not in the journal.
pub(crate) fn warning(noted: Result<(), AuditError>) -> Option<String> {
    let error = noted.err()?;
    Some(format!(
        "this is not in the audit journal: {error}: {}",
        error.source
    ))
}
