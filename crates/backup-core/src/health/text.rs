//! A report for people.

use std::fmt::Write;

use super::finding::HealthStatus;
use super::report::HealthReport;

impl HealthReport {
    /// The report as text: a line for each check, and what is not in order with what to do. `all` adds what is in order.
    pub fn to_text(&self, all: bool) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let _ = writeln!(text, "{:13} {}", check.check, check.status);
            for finding in &check.findings {
                if finding.severity == HealthStatus::Healthy && !all {
                    continue;
                }
                let _ = write!(text, "  {:8} ", finding.severity);
                if let Some(subject) = &finding.subject {
                    let _ = write!(text, "{}: ", printable(subject));
                }
                let _ = writeln!(text, "{}", printable(&finding.message));
                if let Some(advice) = &finding.advice {
                    let _ = writeln!(text, "           -> {}", printable(advice));
                }
            }
        }
        let _ = write!(text, "{:13} {}", "overall", self.status);
        text
    }
}

/// Names come from file systems and databases; a terminal must not obey them.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
