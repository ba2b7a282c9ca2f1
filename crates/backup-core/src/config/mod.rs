//! What to back up and where to: the configuration file, and how options, environment and file come together.
//!
//! The library reads no environment by itself: the caller passes a function. Precedence: option, environment, file, default.

mod file;
mod schedule_entry;
mod settings;

use std::io;
use std::path::PathBuf;

use crate::failure::Explain;

pub use file::{
    ConfigFile, DatabaseSection, NotifySection, ReferenceRule, RepositorySection, SanitizeSection,
    SourceGuardSection, SystemSection,
};
pub use schedule_entry::ScheduleEntry;
pub use settings::{Overrides, Settings};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or holds a name that means nothing.
    #[error("the configuration file {} is not valid", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        source: Box<toml::de::Error>,
    },
    /// A value that cannot be.
    #[error("{place}: {reason}")]
    Value {
        /// Option, variable, or table and key.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The database connection is not described well.
    #[error("the database connection is not described well")]
    Database(#[source] backup_db::ConnectError),
}

impl Explain for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "config_unreadable",
            Self::Write { .. } => "config_unwritable",
            Self::Malformed { .. } => "config_malformed",
            Self::Value { .. } => "config_value",
            Self::Database(_) => "config_database",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { .. } => {
                Some("`edms-backup config check` reads the file and says what it means.".into())
            }
            _ => None,
        }
    }
}
