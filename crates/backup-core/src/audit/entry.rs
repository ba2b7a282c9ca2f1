//! One line of the journal.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user: of the system, or of the application where that is known.
    pub user: String,
    /// The host.
    pub host: String,
    /// Through which face: `cli`, `schedule`, `django`, `c`, `rust`.
    pub face: String,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditResult {
    /// As asked.
    Success,
    /// In part.
    Partial,
    /// Not at all.
    Failure,
}

/// Something that happened, to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Who did it.
    pub who: Actor,
    /// What was done, as the command is called: `create`, `restore`, `prune`.
    pub action: String,
    /// On what: the id of a backup or a restore, the name of a configuration.
    pub subject: String,
    /// How it ended.
    pub result: AuditResult,
    /// Anything else worth keeping. Must hold no secrets. More than 64 KiB of it are left out, and said to be.
    pub details: Value,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written.
    #[serde(serialize_with = "milliseconds")]
    pub time: DateTime<Utc>,
    /// Who did it.
    pub who: Actor,
    /// What was done.
    pub action: String,
    /// On what.
    pub subject: String,
    /// How it ended.
    pub result: AuditResult,
    /// Anything else.
    pub details: Value,
    /// Hash of the line before, 64 lower-case hexadecimal digits.
    pub previous: String,
}

fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
