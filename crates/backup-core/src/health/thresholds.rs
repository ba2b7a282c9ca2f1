//! From when on a value is worth a warning.

use serde::Deserialize;

use super::finding::HealthStatus;

/// Two values from which on something is a warning, and critical. When `critical` is the smaller one, small values are the bad ones.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At this value and beyond: WARNING.
    pub warning: f64,
    /// At this value and beyond: CRITICAL.
    pub critical: f64,
}

impl Limit {
    /// A limit.
    pub const fn new(warning: f64, critical: f64) -> Self {
        Self { warning, critical }
    }

    /// How well `value` is.
    pub fn judge(self, value: f64) -> HealthStatus {
        let beyond = |limit: f64| {
            if self.critical < self.warning {
                value <= limit
            } else {
                value >= limit
            }
        };
        if beyond(self.critical) {
            HealthStatus::Critical
        } else if beyond(self.warning) {
            HealthStatus::Warning
        } else {
            HealthStatus::Healthy
        }
    }
}

/// The limits of all checks: `[health]` in the configuration file. What is left out keeps its default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// `[health.database]`.
    pub database: DatabaseThresholds,
    /// `[health.storage]`.
    pub storage: StorageThresholds,
    /// `[health.application]`.
    pub application: ApplicationThresholds,
    /// `[health.backup_system]`.
    pub backup_system: BackupSystemThresholds,
}

/// Limits of the check DATABASE.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseThresholds {
    /// A round trip, in milliseconds. Default: 100, 1000.
    pub latency_ms: Limit,
    /// Connections in use, as part of those that are allowed. Default: 0.8, 0.95.
    pub connections_ratio: Limit,
    /// Age of the longest open transaction, in minutes. Default: 30, 240.
    pub transaction_minutes: Limit,
    /// How much of the transaction numbers is used up before old rows must be frozen. Default: 0.3, 0.6; at 1 the server stops.
    pub wraparound_ratio: Limit,
    /// Dead rows, as part of all rows of a table. Default: 0.3, 0.7.
    pub dead_rows_ratio: Limit,
    /// Tables with fewer dead rows than this are not looked at. Default: 10,000.
    pub dead_rows_ignored: u64,
    /// How far a replica is behind, or how much a replication slot holds back, in bytes. Default: 256 MiB, 8 GiB.
    pub replication_bytes: Limit,
}

impl Default for DatabaseThresholds {
    fn default() -> Self {
        Self {
            latency_ms: Limit::new(100.0, 1000.0),
            connections_ratio: Limit::new(0.8, 0.95),
            transaction_minutes: Limit::new(30.0, 240.0),
            wraparound_ratio: Limit::new(0.3, 0.6),
            dead_rows_ratio: Limit::new(0.3, 0.7),
            dead_rows_ignored: 10_000,
            replication_bytes: Limit::new((256_u64 << 20) as f64, (8_u64 << 30) as f64),
        }
    }
}

/// Limits of the check STORAGE.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageThresholds {
    /// Free space, as part of the file system. Default: 0.1, 0.03.
    pub free_ratio: Limit,
    /// Free inodes, as part of all. Default: 0.1, 0.03.
    pub free_inodes_ratio: Limit,
    /// How many backups as large as the largest recent one still fit. Default: 3, 1.
    pub backups_that_fit: Limit,
    /// Days until the repository is full if it grows as it did. Default: 14, 3.
    pub days_until_full: Limit,
    /// How long writing and syncing a small file takes, in milliseconds. Default: 1000, 10,000.
    pub write_ms: Limit,
}

impl Default for StorageThresholds {
    fn default() -> Self {
        Self {
            free_ratio: Limit::new(0.1, 0.03),
            free_inodes_ratio: Limit::new(0.1, 0.03),
            backups_that_fit: Limit::new(3.0, 1.0),
            days_until_full: Limit::new(14.0, 3.0),
            write_ms: Limit::new(1000.0, 10_000.0),
        }
    }
}

/// Limits of the check APPLICATION.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationThresholds {
    /// Processor time in use, as part of all processors. Default: 0.9, 0.98.
    pub cpu_ratio: Limit,
    /// Load average over five minutes, for each processor. Default: 2, 5.
    pub load_per_cpu: Limit,
    /// Memory that can still be had, as part of all. Default: 0.1, 0.04.
    pub memory_available_ratio: Limit,
}

impl Default for ApplicationThresholds {
    fn default() -> Self {
        Self {
            cpu_ratio: Limit::new(0.9, 0.98),
            load_per_cpu: Limit::new(2.0, 5.0),
            memory_available_ratio: Limit::new(0.1, 0.04),
        }
    }
}

/// Limits of the check BACKUP_SYSTEM.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupSystemThresholds {
    /// Age of the last complete backup with a database, and of that with files, in hours. Default: 26, 50.
    pub last_complete_hours: Limit,
    /// How late a configuration is, in minutes after its slot. Default: 60, 360.
    pub late_minutes: Limit,
    /// Complete runs, as part of all recent ones. Default: 0.9, 0.5.
    pub success_ratio: Limit,
    /// Runs in a row that were not complete. Default: 1, 3.
    pub failing_streak: Limit,
    /// Age of the last rehearsal, in days. Default: 35, 100.
    pub rehearsal_days: Limit,
    /// Increments that build on one another. Default: 50, 200.
    pub chain_length: Limit,
}

impl Default for BackupSystemThresholds {
    fn default() -> Self {
        Self {
            last_complete_hours: Limit::new(26.0, 50.0),
            late_minutes: Limit::new(60.0, 360.0),
            success_ratio: Limit::new(0.9, 0.5),
            failing_streak: Limit::new(1.0, 3.0),
            rehearsal_days: Limit::new(35.0, 100.0),
            chain_length: Limit::new(50.0, 200.0),
        }
    }
}
