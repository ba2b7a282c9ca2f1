//! Options, environment and file, brought together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backup_db::{ConnectOptions, ConnectSources, Secret};

use super::{
    ConfigError, ConfigFile, NotifySection, ReferenceRule, SanitizeSection, ScheduleEntry,
};
use crate::capture::GuardOptions;
use crate::health::Thresholds;
use crate::retention::RetentionPolicy;
use crate::sealing::EncryptionSection;

/// What the caller was told directly: the strongest source.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--repository`.
    pub repository: Option<PathBuf>,
    /// `--database-url`.
    pub database_url: Option<Secret>,
    /// `--files NAME=DIR`; when there is any, the file's `[files]` is not looked at.
    pub files: Vec<(String, PathBuf)>,
    /// `--recipient`, `--recipients-file`, `--identity-file`, `--passphrase-file`.
    pub encryption: EncryptionSection,
}

/// Variables that say which database is meant; the others only add to it.
const DESCRIBING: [&str; 6] = [
    "DATABASE_URL",
    "DB_NAME",
    "DB_HOST",
    "PGDATABASE",
    "PGHOST",
    "PGSERVICE",
];

/// Reads one environment variable; empty ones count as unset.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything a service needs to know about the site.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The folder of the backups.
    pub repository: Option<PathBuf>,
    /// File roots by name.
    pub files: BTreeMap<String, PathBuf>,
    /// System configuration files.
    pub system: Vec<PathBuf>,
    /// The database; `None` when nothing describes one.
    pub database: Option<ConnectOptions>,
    /// What must not travel in migration packages.
    pub sanitize: SanitizeSection,
    /// Who can open what is made here, and what opens it.
    pub encryption: EncryptionSection,
    /// The configurations, in the order of the file. Checked: every schedule can be.
    pub schedule: Vec<ScheduleEntry>,
    /// For how many days backups are kept that no configuration made: `BACKUP_RETENTION_DAYS`. `None` keeps them.
    pub retention_days: Option<u32>,
    /// Who is told how backups end.
    pub notify: NotifySection,
    /// From when on the health checks warn.
    pub health: Thresholds,
    /// When a file root counts as sharply shrunken.
    pub source_guard: GuardOptions,
    /// Rows that name files.
    pub references: Vec<ReferenceRule>,
    /// Files that hold secrets: passwords and connection URLs. For the health check of their access rights.
    pub secret_files: Vec<PathBuf>,
}

impl Settings {
    /// Brings the sources together. `home` is where `.pgpass` is looked for.
    ///
    /// # Errors
    /// When a value cannot be, or a file that holds a secret cannot be read.
    pub fn resolve(
        overrides: &Overrides,
        file: &ConfigFile,
        env: &dyn Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let repository = overrides
            .repository
            .clone()
            .or_else(|| env("BACKUP_ROOT").map(PathBuf::from))
            .or_else(|| file.repository.path.clone());
        let files = if overrides.files.is_empty() {
            file.files.clone()
        } else {
            unique(&overrides.files)?
        };
        for name in files.keys() {
            check_root_name(name)?;
        }
        check_entries(&file.schedule)?;
        let retention_days = env("BACKUP_RETENTION_DAYS")
            .map(|text| days(&text))
            .transpose()?;
        if file.source_guard.keep_percent > 100 {
            return Err(ConfigError::Value {
                place: "[source_guard] keep_percent".to_owned(),
                reason: "it is a part of the last backup, 0 to 100".to_owned(),
            });
        }
        Ok(Self {
            repository,
            files,
            system: file.system.paths.clone(),
            database: database(overrides, file, &env, home)?,
            sanitize: file.sanitize.clone(),
            encryption: encryption(overrides, file),
            schedule: file
                .schedule
                .iter()
                .cloned()
                .map(|mut entry| {
                    // An option goes before everything in the file.
                    if overrides.repository.is_some() {
                        entry.storage_path = None;
                    }
                    entry
                })
                .collect(),
            retention_days,
            notify: file.notify.clone(),
            health: file.health,
            source_guard: GuardOptions {
                keep_percent: file.source_guard.keep_percent,
            },
            references: file.references.clone(),
            secret_files: [&file.database.url_file, &file.database.password_file]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        })
    }

    /// The configuration `name`.
    pub fn entry(&self, name: &str) -> Option<&ScheduleEntry> {
        self.schedule.iter().find(|entry| entry.name == name)
    }

    /// For how long the backups of every configuration are kept.
    pub fn retention(&self) -> RetentionPolicy {
        RetentionPolicy::from_entries(&self.schedule, self.retention_days)
            .expect("entries are checked when settings are resolved")
    }

    /// Every repository that is in use: the common one first, then those of configurations with their own.
    pub fn repositories(&self) -> Vec<&Path> {
        let mut all: Vec<&Path> = self.repository.as_deref().into_iter().collect();
        for entry in &self.schedule {
            if let Some(own) = entry.storage_path.as_deref()
                && !all.contains(&own)
            {
                all.push(own);
            }
        }
        all
    }
}

/// Names are unique and every schedule can be.
fn check_entries(entries: &[ScheduleEntry]) -> Result<(), ConfigError> {
    for (place, entry) in entries.iter().enumerate() {
        entry.check()?;
        if entries[..place].iter().any(|one| one.name == entry.name) {
            return Err(ConfigError::Value {
                place: format!("[[schedule]] {}", entry.name),
                reason: "this configuration is named twice".to_owned(),
            });
        }
    }
    Ok(())
}

fn days(text: &str) -> Result<u32, ConfigError> {
    text.trim().parse().map_err(|_| ConfigError::Value {
        place: "BACKUP_RETENTION_DAYS".to_owned(),
        reason: format!("{text:?} is not a number of days"),
    })
}

/// What is given directly stands in place of what is configured: recipients or a passphrase to seal for, an identity to open with.
fn encryption(overrides: &Overrides, file: &ConfigFile) -> EncryptionSection {
    let (given, configured) = (&overrides.encryption, &file.encryption);
    let mut encryption = if given.seals() {
        given.clone()
    } else {
        configured.clone()
    };
    encryption.identity_file = given
        .identity_file
        .clone()
        .or_else(|| configured.identity_file.clone());
    encryption
}

fn unique(files: &[(String, PathBuf)]) -> Result<BTreeMap<String, PathBuf>, ConfigError> {
    let mut map = BTreeMap::new();
    for (name, folder) in files {
        if map.insert(name.clone(), folder.clone()).is_some() {
            return Err(ConfigError::Value {
                place: format!("--files {name}"),
                reason: "this root is named twice".into(),
            });
        }
    }
    Ok(map)
}

/// The name of a root is a folder name inside archives.
fn check_root_name(name: &str) -> Result<(), ConfigError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.bytes().all(plain) {
        return Ok(());
    }
    Err(ConfigError::Value {
        place: format!("files {name:?}"),
        reason: "the name of a root has letters, digits, `_`, `-` and `.`, and does not begin with a dot".into(),
    })
}

fn database(
    overrides: &Overrides,
    file: &ConfigFile,
    env: Env<'_>,
    home: Option<&Path>,
) -> Result<Option<ConnectOptions>, ConfigError> {
    let section = &file.database;
    let described = overrides.database_url.is_some()
        || DESCRIBING.iter().any(|name| env(name).is_some())
        || section.url_file.is_some()
        || section.name.is_some()
        || section.host.is_some();
    if !described {
        return Ok(None);
    }
    let configured_url = secret_in(section.url_file.as_deref())?;
    let password = secret_in(section.password_file.as_deref())?;
    let options = ConnectOptions::resolve(ConnectSources {
        url: overrides.database_url.as_ref().map(Secret::expose),
        configured_url: configured_url.as_ref().map(Secret::expose),
        host: section.host.clone(),
        port: section.port,
        name: section.name.clone(),
        user: section.user.clone(),
        password,
        env: &|name| env(name),
        home,
    })
    .map_err(ConfigError::Database)?;
    Ok(Some(options))
}

/// Reads a secret from the first line of a file, if one is named.
fn secret_in(path: Option<&Path>) -> Result<Option<Secret>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.lines().next().map(Secret::new))
}
