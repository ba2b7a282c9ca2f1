//! The configuration file, `edms-backup.toml`, as it is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backup_db::Secret;
use serde::{Deserialize, Deserializer};

use super::ConfigError;
use super::schedule_entry::ScheduleEntry;
use crate::capture::GuardOptions;
use crate::health::Thresholds;
use crate::sanitize::SanitizeRule;
use crate::sealing::EncryptionSection;

/// The whole file. Unknown names are errors, so that a misspelt setting is never silently ignored.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// `[repository]`.
    pub repository: RepositorySection,
    /// `[database]`; without it the environment decides.
    pub database: DatabaseSection,
    /// `[files]`: name of the root = folder. Relative folders are below the configuration file's.
    pub files: BTreeMap<String, PathBuf>,
    /// `[system]`.
    pub system: SystemSection,
    /// `[encryption]`.
    pub encryption: EncryptionSection,
    /// `[[references]]`.
    pub references: Vec<ReferenceRule>,
    /// `[[schedule]]`.
    pub schedule: Vec<ScheduleEntry>,
    /// `[notify]`.
    pub notify: NotifySection,
    /// `[sanitize]`.
    pub sanitize: SanitizeSection,
    /// `[health]`: from when on the checks warn.
    pub health: Thresholds,
    /// `[source_guard]`.
    pub source_guard: SourceGuardSection,
}

/// `[repository]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepositorySection {
    /// The folder of the backups.
    pub path: Option<PathBuf>,
}

/// `[database]`: either one of `url` and `url_file`, or the parts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSection {
    /// A file that holds the connection URL on its first line.
    pub url_file: Option<PathBuf>,
    /// Host name, or the folder of a Unix socket.
    pub host: Option<String>,
    /// Port; 5432 when left out.
    pub port: Option<u16>,
    /// Name of the database.
    pub name: Option<String>,
    /// Role to connect as.
    pub user: Option<String>,
    /// A file that holds the password on its first line.
    pub password_file: Option<PathBuf>,
}

/// `[system]`: the system configuration component.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SystemSection {
    /// Files to include. Relative ones are below the configuration file's folder.
    pub paths: Vec<PathBuf>,
}

/// One `[[references]]` rule: rows that name files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRule {
    /// `schema.table`.
    pub table: String,
    /// The column that holds the path.
    pub path_column: String,
    /// The file root below which the path is looked up.
    pub root: String,
    /// The column that holds the SHA-256 of the file, hex.
    pub checksum_column: Option<String>,
    /// The rule is for values that begin so; the longest prefix wins.
    #[serde(default)]
    pub when_prefix: String,
    /// Cut from the value before it is looked up.
    #[serde(default)]
    pub strip_prefix: String,
}

/// `[sanitize]`: what must not travel in a migration package.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SanitizeSection {
    /// Tables of accounts besides those that look like Django's.
    pub user_tables: Vec<String>,
    /// `[[sanitize.rules]]`.
    pub rules: Vec<SanitizeRule>,
}

/// `[notify]`. Commands are a program and its arguments; they get the JSON result on standard input.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySection {
    /// Run after a backup that FAILED.
    pub on_failure: Vec<String>,
    /// Run after one that ended PARTIAL; without it, `on_failure` is.
    pub on_partial: Vec<String>,
    /// Run after one that ended COMPLETE.
    pub on_success: Vec<String>,
    /// Asked at start, success and failure. A secret: it is not shown.
    #[serde(deserialize_with = "secret")]
    pub ping_url: Option<Secret>,
}

/// `[source_guard]`: when a file root counts as sharply shrunken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceGuardSection {
    /// Percent of the files, and of the bytes, of the last backup that must still be there, 0 to 100. Default: 50.
    pub keep_percent: u8,
}

impl Default for SourceGuardSection {
    fn default() -> Self {
        Self {
            keep_percent: GuardOptions::default().keep_percent,
        }
    }
}

impl ConfigFile {
    /// Reads the file at `path`. Relative paths in it become relative to its folder.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or holds a name that means nothing.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            source: Box::new(error),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for relative in config.paths() {
            *relative = folder.join(&*relative);
        }
        Ok(config)
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.repository
            .path
            .iter_mut()
            .chain(&mut self.database.url_file)
            .chain(&mut self.database.password_file)
            .chain(self.files.values_mut())
            .chain(&mut self.system.paths)
            .chain(self.encryption.paths())
            .chain(
                self.schedule
                    .iter_mut()
                    .filter_map(|entry| entry.storage_path.as_mut()),
            )
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Some(Secret::new(String::deserialize(deserializer)?)))
}
