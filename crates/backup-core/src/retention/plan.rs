//! A plan: what stays, what goes, and why.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::reason::Reason;
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};

/// What stays, what goes, and why. Shown as a table; in JSON as its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunePlan {
    /// The time for which it was made.
    pub now: DateTime<Utc>,
    /// One for every backup, newest first.
    pub decisions: Vec<Decision>,
    /// The backups to delete, in an order in which nothing is deleted before what builds on it.
    pub deletion_order: Vec<BackupId>,
    /// Bytes that the deletion sets free.
    pub freed_bytes: u64,
    /// What else an operator should know: chains with a missing link.
    pub warnings: Vec<String>,
}

/// What becomes of one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The backup.
    pub id: BackupId,
    /// Its kind.
    pub kind: BackupKind,
    /// How it ended.
    pub status: Status,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// The configuration that made it.
    pub configuration: Option<String>,
    /// Size of its archive.
    pub stored_bytes: u64,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Every rule that keeps it, or why none does. Never empty.
    pub reasons: Vec<Reason>,
}

/// What becomes of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It is to be deleted.
    Drop,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
        })
    }
}

impl PrunePlan {
    /// The decisions on what stays, newest first.
    pub fn kept(&self) -> impl Iterator<Item = &Decision> {
        self.with(Verdict::Keep)
    }

    /// The decisions on what goes, newest first.
    pub fn dropped(&self) -> impl Iterator<Item = &Decision> {
        self.with(Verdict::Drop)
    }

    fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(move |decision| decision.verdict == verdict)
    }
}

impl fmt::Display for PrunePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .decisions
            .iter()
            .map(|decision| decision.id.as_str().len())
            .max()
            .unwrap_or_default();
        for decision in &self.decisions {
            write!(f, "{}  {:width$}  ", decision.verdict, decision.id)?;
            for (index, reason) in decision.reasons.iter().enumerate() {
                let separator = if index == 0 { "" } else { "; " };
                write!(f, "{separator}{reason}")?;
            }
            writeln!(f)?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        write!(
            f,
            "{} to keep, {} to drop ({} bytes)",
            self.kept().count(),
            self.deletion_order.len(),
            self.freed_bytes
        )
    }
}
