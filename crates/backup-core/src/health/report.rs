//! All findings, put together.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::finding::{Check, Finding, HealthStatus};

/// What was found, at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthReport {
    /// The worst of the checks.
    pub status: HealthStatus,
    /// When it was looked.
    pub checked_at: DateTime<Utc>,
    /// The checks that were made, in the order of [`Check::ALL`].
    pub checks: Vec<CheckReport>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// The check.
    pub check: Check,
    /// The worst of its findings.
    pub status: HealthStatus,
    /// Worst first.
    pub findings: Vec<Finding>,
}

impl HealthReport {
    /// Puts findings together. A check without findings was not made and is left out; without any check the status is UNKNOWN.
    pub fn new(checked_at: DateTime<Utc>, findings: Vec<Finding>) -> Self {
        let checks: Vec<_> = Check::ALL
            .into_iter()
            .filter_map(|check| CheckReport::new(check, &findings))
            .collect();
        Self {
            status: checks
                .iter()
                .map(|check| check.status)
                .max()
                .unwrap_or(HealthStatus::Unknown),
            checked_at,
            checks,
        }
    }

    /// Every finding of every check.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().flat_map(|check| &check.findings)
    }
}

impl CheckReport {
    fn new(check: Check, findings: &[Finding]) -> Option<Self> {
        let mut findings: Vec<_> = findings
            .iter()
            .filter(|finding| finding.check == check)
            .cloned()
            .collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Some(Self {
            check,
            status: findings.first()?.severity,
            findings,
        })
    }
}
