//! One line of the journal.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::capture::OwnerNames;
use crate::kind::Status;
use crate::repository::host_name;

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

impl Actor {
    /// The user and the host of this process, and the face through which it was asked.
    pub fn this_process(face: impl Into<String>) -> Self {
        let uid = rustix::process::getuid().as_raw();
        let name = OwnerNames::of_this_machine().unwrap_or_default().user(uid);
        Self {
            user: if name.is_empty() {
                format!("uid {uid}")
            } else {
                String::from_utf8_lossy(&name).into_owned()
            },
            host: host_name(),
            face: face.into(),
        }
    }
}

impl Default for Actor {
    /// A Rust program that does not say who it is.
    fn default() -> Self {
        Self::this_process("rust")
    }
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

impl From<Status> for AuditResult {
    fn from(status: Status) -> Self {
        match status {
            Status::Complete => Self::Success,
            Status::Partial => Self::Partial,
            Status::Failed => Self::Failure,
        }
    }
}

impl fmt::Display for AuditResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failure => "failure",
        })
    }
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
