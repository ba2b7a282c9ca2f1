//! Is all well: the database, the storage, the machine, the backups themselves, and who could get at them.
//!
//! Probing and judging are apart. A `probe` gathers facts and judges nothing; an `evaluate` turns facts, [`Thresholds`] and a time into [`Finding`]s and touches
//! nothing. A [`HealthReport`] puts findings together and is shown as text, JSON or in Prometheus' format.
//!
//! Measurements that are in order are findings too, with severity HEALTHY: a monitoring system wants their values. Every other finding says what to do.
//!
//! ```
//! use backup_core::health::{HealthReport, HealthStatus, Thresholds, application};
//! let facts = application::probe(std::time::Duration::from_millis(10));
//! let findings = application::evaluate(&facts, &Thresholds::default());
//! let report = HealthReport::new(chrono::Utc::now(), findings);
//! assert!(report.status <= HealthStatus::Critical);
//! ```

pub mod application;
pub mod backup_system;
pub mod database;
mod finding;
mod prometheus;
mod quantity;
mod report;
pub mod security;
mod site;
pub mod storage;
mod text;
mod thresholds;

pub use finding::{Check, Finding, HealthStatus, Unit, UnknownCheck};
pub use report::{CheckReport, HealthReport};
pub use site::{SiteChecks, check_site};
pub use thresholds::{
    ApplicationThresholds, BackupSystemThresholds, DatabaseThresholds, Limit, StorageThresholds,
    Thresholds,
};
