//! The schedule that a new site begins with.

use serde::Serialize;

use super::frequency::Frequency;
use crate::kind::BackupKind;

/// What the site's configuration already has; an entry that needs something else is made, but turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// A database is described.
    pub database: bool,
    /// There is at least one file root.
    pub files: bool,
    /// There is a repository.
    pub repository: bool,
}

/// One `[[schedule]]` entry, with the fields of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefaultEntry {
    /// Its name.
    pub name: &'static str,
    /// What it makes.
    #[serde(serialize_with = "upper_case")]
    pub backup_type: BackupKind,
    /// How often.
    pub frequency: Frequency,
    /// At what time of day.
    pub schedule_time: &'static str,
    /// In which zone.
    pub time_zone: String,
    /// See [`RetentionRules`](crate::retention::RetentionRules), as the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_backups: Option<u32>,
    /// Days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<u32>,
    /// Weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<u32>,
    /// Months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<u32>,
    /// Turned off when something is missing.
    #[serde(skip_serializing_if = "is_true")]
    pub enabled: bool,
    /// What is missing for it to run; empty when nothing is.
    #[serde(skip)]
    pub missing: Vec<&'static str>,
}

/// An increment every hour for two days, a full backup every night for a week, one every week for two months, a migration package every month
/// for a year. They begin at different times, so that none waits for another.
pub fn default_entries(available: Available, time_zone: &str) -> Vec<DefaultEntry> {
    let entry = |name, backup_type, frequency, schedule_time| {
        let missing = missing(backup_type, available);
        DefaultEntry {
            name,
            backup_type,
            frequency,
            schedule_time,
            time_zone: time_zone.to_owned(),
            retention_days: None,
            max_backups: None,
            keep_daily: None,
            keep_weekly: None,
            keep_monthly: None,
            enabled: missing.is_empty(),
            missing,
        }
    };
    vec![
        DefaultEntry {
            keep_daily: Some(7),
            ..entry(
                "daily_full_backup",
                BackupKind::Full,
                Frequency::Daily,
                "02:00:00",
            )
        },
        DefaultEntry {
            retention_days: Some(2),
            max_backups: Some(48),
            ..entry(
                "hourly_incremental",
                BackupKind::Incremental,
                Frequency::Hourly,
                "00:30:00",
            )
        },
        DefaultEntry {
            keep_weekly: Some(8),
            ..entry(
                "weekly_full_backup",
                BackupKind::Full,
                Frequency::Weekly,
                "04:00:00",
            )
        },
        DefaultEntry {
            keep_monthly: Some(12),
            ..entry(
                "monthly_export",
                BackupKind::Export,
                Frequency::Monthly,
                "05:00:00",
            )
        },
    ]
}

/// The entries as part of a configuration file. Those that miss something are turned off, with a comment that says what they miss.
pub fn to_toml(entries: &[DefaultEntry]) -> String {
    let mut text = String::new();
    for entry in entries {
        if !entry.missing.is_empty() {
            text.push_str(&format!(
                "# turned off: it needs {}\n",
                entry.missing.join(" and ")
            ));
        }
        text.push_str("[[schedule]]\n");
        text.push_str(&toml::to_string(entry).expect("plain fields"));
        text.push('\n');
    }
    text
}

// Serde wants a reference.
fn is_true(value: &bool) -> bool {
    *value
}

fn missing(kind: BackupKind, available: Available) -> Vec<&'static str> {
    let needs_database = matches!(
        kind,
        BackupKind::Full | BackupKind::Database | BackupKind::Export
    );
    let needs_files = kind != BackupKind::Database;
    [
        (available.repository, "a [repository] path"),
        (available.database || !needs_database, "a [database]"),
        (available.files || !needs_files, "a folder under [files]"),
    ]
    .into_iter()
    .filter_map(|(there, what)| (!there).then_some(what))
    .collect()
}

fn upper_case<S: serde::Serializer>(kind: &BackupKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&kind.name().to_ascii_uppercase())
}
