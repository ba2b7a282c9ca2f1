//! The site that a request is about: the common options, resolved.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use backup_db::Secret;
use serde::{Deserialize, Deserializer};

use super::error::ServiceError;
use crate::audit::{Actor, AuditTrail};
use crate::config::{ConfigError, ConfigFile, Overrides, Settings};
use crate::create::{Destination, default_jobs};
use crate::opened::{Archives, OpenedBackup};
use crate::repository::Repository;
use crate::schedule::Caller;
use crate::sealing::EncryptionSection;

/// The options that every request has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteRequest {
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// What would stand in a configuration file, with the same tables and keys; instead of `config`.
    pub settings: Option<ConfigFile>,
    /// The folder of the backups.
    pub repository: Option<PathBuf>,
    /// The database, as a URL; may hold the password.
    #[serde(deserialize_with = "secret")]
    pub database_url: Option<Secret>,
    /// File roots: names and folders. When there is any, those of the configuration are not looked at.
    #[serde(deserialize_with = "pairs")]
    pub files: Vec<(String, PathBuf)>,
    /// Threads, and connections to the database. Default: the processors that the process may use.
    pub jobs: Option<NonZeroUsize>,
    /// Who asks, as the application knows them; for the journal. Default: the user of the process.
    pub user: Option<String>,
    /// Through which face, for the journal: `cli`, `django`, … Default: `rust`, and `c` for requests in JSON.
    pub face: Option<String>,
    /// Recipients to seal for, `age1…`. With any of the next three, what is configured is not looked at.
    pub recipient: Vec<String>,
    /// A file of recipients.
    pub recipients_file: Option<PathBuf>,
    /// A file with the passphrase to seal and to open with.
    pub passphrase_file: Option<PathBuf>,
    /// A file of identities to open with.
    pub identity_file: Option<PathBuf>,
}

/// Variables that hooks get, and those that name a proxy for pings.
const PASSED_ON: [&str; 11] = [
    "PATH",
    "HOME",
    "LANG",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// What the process was given besides the request. The library does not look by itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The home folder, for `~/.pgpass`.
    pub home: Option<&'a Path>,
}

/// A site: where database, files and backups are.
#[derive(Debug, Clone)]
pub struct Site {
    /// Everything that is configured.
    pub settings: Settings,
    /// Threads, and connections to the database.
    pub jobs: NonZeroUsize,
    /// Who asks, for the journal.
    pub who: Actor,
    /// The configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// Variables for those who are told how backups end.
    pub environment: Vec<(OsString, OsString)>,
}

impl Surroundings<'_> {
    /// Nothing: the request alone counts.
    pub fn none() -> Self {
        Self {
            env: &|_| None,
            home: None,
        }
    }
}

impl SiteRequest {
    /// The names of the fields, as in JSON.
    pub(super) const FIELDS: &'static [&'static str] = &[
        "config",
        "settings",
        "repository",
        "database_url",
        "files",
        "jobs",
        "user",
        "face",
        "recipient",
        "recipients_file",
        "passphrase_file",
        "identity_file",
    ];

    /// The configuration that applies; an empty one when none is named.
    ///
    /// # Errors
    /// When it cannot be read, is malformed, or is given twice.
    pub fn config_file(&self) -> Result<ConfigFile, ConfigError> {
        match (&self.config, &self.settings) {
            (Some(path), None) => ConfigFile::load(path),
            (None, Some(settings)) => Ok(settings.clone()),
            (None, None) => Ok(ConfigFile::default()),
            (Some(_), Some(_)) => Err(ConfigError::Value {
                place: "settings".into(),
                reason: "a configuration file is named as well; leave one of them out".into(),
            }),
        }
    }

    /// Brings request, surroundings and configuration together.
    ///
    /// # Errors
    /// When a value cannot be, or a file that holds a secret cannot be read.
    pub fn resolve(&self, surroundings: &Surroundings<'_>) -> Result<Site, ConfigError> {
        let overrides = Overrides {
            repository: self.repository.clone(),
            database_url: self.database_url.clone(),
            files: self.files.clone(),
            encryption: EncryptionSection {
                recipients: self.recipient.clone(),
                recipients_file: self.recipients_file.clone(),
                identity_file: self.identity_file.clone(),
                passphrase_file: self.passphrase_file.clone(),
            },
        };
        let mut who = Actor::this_process(self.face.as_deref().unwrap_or("rust"));
        who.user = self.user.clone().unwrap_or(who.user);
        let variable = |name: &str| Some((name.into(), (surroundings.env)(name)?.into()));
        Ok(Site {
            who,
            config: self.config.clone(),
            environment: PASSED_ON.iter().filter_map(|name| variable(name)).collect(),
            settings: Settings::resolve(
                &overrides,
                &self.config_file()?,
                surroundings.env,
                surroundings.home,
            )?,
            jobs: self.jobs.unwrap_or_else(default_jobs),
        })
    }
}

impl Site {
    /// The repository, which must be there.
    ///
    /// # Errors
    /// When none is named, or it cannot be opened.
    pub fn repository(&self) -> Result<Repository, ServiceError> {
        let path = self
            .settings
            .repository
            .as_ref()
            .ok_or_else(ServiceError::no_repository)?;
        Ok(Repository::open(path)?)
    }

    /// Where the archives are that an incremental backup refers to, besides its own folder, and what opens sealed ones.
    ///
    /// # Errors
    /// A key file that cannot be used.
    pub fn archives(&self) -> Result<Archives, ServiceError> {
        let repository = self.settings.repository.as_ref();
        let repository = repository.and_then(|folder| Repository::open(folder).ok());
        Ok(Archives {
            folders: repository.iter().map(Repository::backups).collect(),
            keys: self.settings.encryption.keyring()?,
        })
    }

    /// Opens a backup with the archives that it refers to.
    ///
    /// # Errors
    /// As [`Site::archive`] and [`OpenedBackup::open_chain`].
    pub fn open(&self, source: &str) -> Result<OpenedBackup, ServiceError> {
        let path = self.archive(source)?;
        Ok(OpenedBackup::open_chain(&path, &self.archives()?)?)
    }

    /// Where a backup goes: to `output`, or into the repository of its configuration, or into the common one.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn destination(
        &self,
        output: Option<&PathBuf>,
        configuration: Option<&str>,
    ) -> Result<Destination, ServiceError> {
        if let Some(path) = output {
            return Ok(Destination::Path(path.clone()));
        }
        let entry = configuration.and_then(|name| self.settings.entry(name));
        let common = self.settings.repository.as_deref();
        // A configuration may have a repository of its own.
        match entry.map_or(common, |entry| entry.repository(common)) {
            Some(path) => Ok(Destination::Repository(path.to_owned())),
            None => Err(match ServiceError::no_repository() {
                ServiceError::Usage { message, hint } => {
                    ServiceError::usage(message, format!("{hint} Or name a file with --output."))
                }
                other => other,
            }),
        }
    }

    /// The journal of the repository, for services that leave a line there.
    pub fn trail(&self) -> AuditTrail {
        AuditTrail::new(self.settings.repository.as_deref(), self.who.clone())
    }

    /// Who asks, and with what.
    pub fn caller(&self) -> Caller {
        Caller {
            who: self.who.clone(),
            environment: self.environment.clone(),
            jobs: self.jobs,
        }
    }

    /// Finds a backup: a path to an archive, or an id in the repository.
    ///
    /// # Errors
    /// When there is no such backup. That a path leads to an archive is not checked.
    pub fn archive(&self, source: &str) -> Result<PathBuf, ServiceError> {
        let path = Path::new(source);
        if path.exists() || source.contains('/') {
            return Ok(path.to_owned());
        }
        match &self.settings.repository {
            Some(folder) => Ok(Repository::open(folder)?.find(source)?.path),
            None => Err(ServiceError::usage(
                format!("{source:?} is neither a file nor, without a repository, a backup id"),
                "Name the archive by its path, or the repository with --repository or BACKUP_ROOT.",
            )),
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, PathBuf)>, D::Error> {
    Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
}
