//! One thing that was looked at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::thresholds::Limit;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Check {
    /// The PostgreSQL server and the database.
    Database,
    /// The file systems of the sources and of the repository, and what lies there.
    Storage,
    /// The machine on which the application runs.
    Application,
    /// Whether backups are made as they should be.
    BackupSystem,
    /// Who could get at the backups.
    Security,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 5] = [
        Self::Database,
        Self::Storage,
        Self::Application,
        Self::BackupSystem,
        Self::Security,
    ];

    /// The name as shown: upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "DATABASE",
            Self::Storage => "STORAGE",
            Self::Application => "APPLICATION",
            Self::BackupSystem => "BACKUP_SYSTEM",
            Self::Security => "SECURITY",
        }
    }
}

/// Not the name of a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown check {0:?}: DATABASE, STORAGE, APPLICATION, BACKUP_SYSTEM or SECURITY")]
pub struct UnknownCheck(String);

impl FromStr for Check {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        Self::ALL
            .into_iter()
            .find(|check| check.name().eq_ignore_ascii_case(&text.replace('-', "_")))
            .ok_or_else(|| UnknownCheck(text.to_owned()))
    }
}

/// Read in any case.
impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How well. Ordered: the status of a whole is the worst of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HealthStatus {
    /// As it should be.
    Healthy,
    /// It could not be looked at.
    Unknown,
    /// Somebody should look at it.
    Warning,
    /// Somebody must do something.
    Critical,
}

impl HealthStatus {
    /// Every status, best first.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Unknown, Self::Warning, Self::Critical];

    /// The name as shown: upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Unknown => "UNKNOWN",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A part of a whole, from 0 to 1.
    Ratio,
    /// Pieces.
    Count,
    /// 1 for yes, 0 for no.
    Flag,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which check it belongs to.
    pub check: Check,
    /// How well it is.
    pub severity: HealthStatus,
    /// What was looked at: a stable name in snake case.
    pub code: &'static str,
    /// Which one, where there are several: a file root, a table, a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do about it; there is none when it is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What `value` is counted in.
    pub unit: Unit,
    /// What `code` means, in a sentence.
    #[serde(skip)]
    pub title: &'static str,
}

/// Something that is looked at: the part of findings that is always the same.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) check: Check,
    pub(super) code: &'static str,
    pub(super) unit: Unit,
    pub(super) title: &'static str,
}

impl Measure {
    /// A measurement, judged by a limit. `advice` is for when it is not in order.
    pub(super) fn graded(
        &self,
        value: f64,
        limit: Limit,
        message: String,
        advice: &str,
    ) -> Finding {
        self.judged(limit.judge(value), message, advice)
            .value(value)
    }

    /// A judgement. `advice` is for when it is not in order.
    pub(super) fn judged(&self, severity: HealthStatus, message: String, advice: &str) -> Finding {
        Finding {
            check: self.check,
            severity,
            code: self.code,
            subject: None,
            message,
            advice: (severity != HealthStatus::Healthy).then(|| advice.to_owned()),
            value: None,
            unit: self.unit,
            title: self.title,
        }
    }

    /// It is in order.
    pub(super) fn healthy(&self, message: String) -> Finding {
        self.judged(HealthStatus::Healthy, message, "")
    }

    /// It is not, or not known to be.
    pub(super) fn flagged(&self, severity: HealthStatus, message: String, advice: &str) -> Finding {
        self.judged(severity, message, advice).value(1.0)
    }
}

impl Finding {
    pub(super) fn value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    pub(super) fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}
