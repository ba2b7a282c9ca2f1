//! A report in Prometheus' text format (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::finding::{Finding, Unit};
use super::report::HealthReport;

impl HealthReport {
    /// The report in Prometheus' text format, for the textfile collector or an HTTP answer.
    ///
    /// `edms_backup_health_status{check="…"}` is 0 for HEALTHY, 1 UNKNOWN, 2 WARNING, 3 CRITICAL. Every value has a metric of its own with the label
    /// `subject` (empty where there is only one), and `edms_backup_health_finding` names what is not in order.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        family(
            &mut text,
            "edms_backup_health_status",
            "Health by check: 0 healthy, 1 unknown, 2 warning, 3 critical.",
        );
        for check in &self.checks {
            sample(
                &mut text,
                "edms_backup_health_status",
                &[("check", check.check.name())],
                f64::from(check.status as u8),
            );
        }
        family(
            &mut text,
            "edms_backup_health_checked_timestamp_seconds",
            "When health was checked, in seconds since 1970.",
        );
        sample(
            &mut text,
            "edms_backup_health_checked_timestamp_seconds",
            &[],
            self.checked_at.timestamp() as f64,
        );
        self.problems(&mut text);
        self.values(&mut text);
        text
    }

    fn problems(&self, text: &mut String) {
        const NAME: &str = "edms_backup_health_finding";
        family(text, NAME, "What is not in order: 1 for every finding.");
        let mut counts = BTreeMap::new();
        for finding in self.findings().filter(|finding| finding.advice.is_some()) {
            *counts.entry(labels_of(finding)).or_insert(0.0) += 1.0;
        }
        for ([check, code, severity, subject], count) in counts {
            let labels = [
                ("check", check),
                ("code", code),
                ("severity", severity),
                ("subject", subject),
            ];
            sample(text, NAME, &labels, count);
        }
    }

    fn values(&self, text: &mut String) {
        // A family must stand together, and a sample in it may come once.
        let mut families: BTreeMap<String, (&str, BTreeMap<&str, f64>)> = BTreeMap::new();
        for finding in self.findings() {
            if let Some(value) = finding.value {
                families
                    .entry(metric_name(finding))
                    .or_insert_with(|| (finding.title, BTreeMap::new()))
                    .1
                    .entry(finding.subject.as_deref().unwrap_or_default())
                    .or_insert(value);
            }
        }
        for (name, (title, samples)) in families {
            family(text, &name, title);
            for (subject, value) in samples {
                sample(text, &name, &[("subject", subject)], value);
            }
        }
    }
}

fn labels_of(finding: &Finding) -> [&str; 4] {
    [
        finding.check.name(),
        finding.code,
        finding.severity.name(),
        finding.subject.as_deref().unwrap_or_default(),
    ]
}

fn metric_name(finding: &Finding) -> String {
    let unit = match finding.unit {
        Unit::Seconds => "_seconds",
        Unit::Bytes => "_bytes",
        Unit::Ratio => "_ratio",
        Unit::Count | Unit::Flag => "",
    };
    format!("edms_backup_{}{unit}", finding.code)
}

fn family(text: &mut String, name: &str, help: &str) {
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    text.push_str(name);
    if !labels.is_empty() {
        text.push('{');
        for (index, (label, content)) in labels.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let content = content
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('\n', r"\n");
            let _ = write!(text, "{comma}{label}=\"{content}\"");
        }
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}
