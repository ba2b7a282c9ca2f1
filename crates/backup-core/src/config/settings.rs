//! Options, environment and file, brought together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backup_db::{ConnectOptions, ConnectSources, Secret};

use super::{ConfigError, ConfigFile, SanitizeSection};

/// What the caller was told directly: the strongest source.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--repository`.
    pub repository: Option<PathBuf>,
    /// `--database-url`.
    pub database_url: Option<Secret>,
    /// `--files NAME=DIR`; when there is any, the file's `[files]` is not looked at.
    pub files: Vec<(String, PathBuf)>,
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
    /// Whether the configuration wants archives to be sealed, which this version cannot: it makes none then.
    pub wants_sealing: bool,
    /// Parts of the configuration file that this version reads but does not act on.
    pub not_acted_on: Vec<&'static str>,
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
        Ok(Self {
            repository,
            files,
            system: file.system.paths.clone(),
            database: database(overrides, file, &env, home)?,
            sanitize: file.sanitize.clone(),
            wants_sealing: file.encryption.recipients_file.is_some(),
            not_acted_on: file.not_acted_on(),
        })
    }
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
