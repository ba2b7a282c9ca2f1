//! `create`.

use std::path::PathBuf;

use backup_archive::Compression;
use serde::Deserialize;

use super::error::ServiceError;
use super::site::Site;
use crate::create::{Base, CreateOptions};
use crate::kind::BackupKind;
use crate::monitor::Monitor;
use crate::notify::Notifier;
use crate::sanitize::SanitizeOptions;
use crate::schedule::SiteError;
use crate::task::{BackupTask, TaskOutcome, run_task};

/// A backup to be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// What it shall contain.
    pub kind: BackupKind,
    /// A new file, or a folder, instead of the repository.
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// System configuration files to include besides those that are configured.
    #[serde(default)]
    pub config_file: Vec<PathBuf>,
    /// The configuration that it belongs to; one job of a configuration runs at a time.
    #[serde(default)]
    pub configuration: Option<String>,
    /// How the archive is compressed. Default: gzip.
    #[serde(default)]
    pub compression: Codec,
    /// gzip 1 to 12, zstd 1 to 19. Default: 1.
    #[serde(default)]
    pub level: Option<u8>,
    /// Do not read the archive back.
    #[serde(default)]
    pub no_verify: bool,
    /// Do not write a `.sha256` file.
    #[serde(default)]
    pub no_sha256: bool,
    /// Accept a file root that is empty or shrank sharply.
    #[serde(default)]
    pub allow_shrunken: bool,
    /// What an incremental backup builds on: archive path or backup id. Default: the newest backup with the same file roots.
    #[serde(default)]
    pub base: Option<String>,
    /// Incremental: read every file.
    #[serde(default)]
    pub paranoid: bool,
    /// Incremental: hold the database too, as a whole.
    #[serde(default)]
    pub include_database: bool,
    /// Dump a server that is newer than any that is known here.
    #[serde(default)]
    pub any_version: bool,
    /// Of an export: keep the accounts, without usable passwords. That is the default; it contradicts the next.
    #[serde(default)]
    pub include_users: bool,
    /// Of an export: replace people by pseudonyms.
    #[serde(default)]
    pub exclude_users: bool,
}

/// A way of compressing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// Independent gzip members.
    #[default]
    Gzip,
    /// Independent zstd frames.
    Zstd,
    /// A plain tar.
    None,
}

impl Codec {
    /// The compression at this level; `None` is the fastest.
    ///
    /// # Errors
    /// [`ServiceError::Usage`] when the codec has no such level.
    pub fn at_level(self, level: Option<u8>) -> Result<Compression, ServiceError> {
        let out_of_range = |name: &str, range: &str| {
            ServiceError::usage(
                format!("--level is out of range for {name}"),
                format!("Levels are {range}."),
            )
        };
        match (self, level) {
            (Self::Gzip, level) => match level.unwrap_or(1) {
                level @ 1..=12 => Ok(Compression::Gzip { level }),
                _ => Err(out_of_range("gzip", "1 (fast) to 12 (small)")),
            },
            (Self::Zstd, level) => match level.unwrap_or(1) {
                level @ 1..=19 => Ok(Compression::Zstd {
                    level: level.into(),
                }),
                _ => Err(out_of_range("zstd", "1 (fast) to 19 (small)")),
            },
            (Self::None, None) => Ok(Compression::None),
            (Self::None, Some(_)) => Err(ServiceError::usage(
                "--level means nothing with --compression none",
                "Leave one of them out.",
            )),
        }
    }
}

impl CreateRequest {
    /// A backup of the whole kind with every default.
    pub fn new(kind: BackupKind) -> Self {
        Self {
            kind,
            output: None,
            config_file: Vec::new(),
            configuration: None,
            compression: Codec::default(),
            level: None,
            no_verify: false,
            no_sha256: false,
            allow_shrunken: false,
            base: None,
            paranoid: false,
            include_database: false,
            any_version: false,
            include_users: false,
            exclude_users: false,
        }
    }

    /// What it means on this site.
    ///
    /// # Errors
    /// When something is missing or contradicts itself.
    pub fn options(&self, site: &Site) -> Result<CreateOptions, ServiceError> {
        let settings = &site.settings;
        self.check_users()?;
        let mut system = settings.system.clone();
        system.extend(self.config_file.iter().cloned());
        Ok(CreateOptions {
            compression: self.compression.at_level(self.level)?,
            system,
            configuration: self.configuration.clone(),
            jobs: site.jobs,
            sha256: !self.no_sha256,
            verify: !self.no_verify,
            allow_shrunken: self.allow_shrunken,
            any_version: self.any_version,
            seal_for: settings.encryption.seal_for()?,
            keys: settings.encryption.keyring()?,
            sanitize: SanitizeOptions {
                rules: settings.sanitize.rules.clone(),
                user_tables: settings.sanitize.user_tables.clone(),
                exclude_users: self.exclude_users,
            },
            who: site.who.clone(),
            base: self.base(site)?,
            paranoid: self.paranoid,
            include_database: self.includes_database(site),
            ..settings.create_options(
                self.kind,
                site.destination(self.output.as_ref(), self.configuration.as_deref())?,
            )
        })
    }

    /// Makes the backup; those who want to know are told, and retention follows.
    ///
    /// # Errors
    /// As [`run_task`].
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<TaskOutcome, ServiceError> {
        let task = BackupTask {
            create: self.options(site)?,
            notifier: Notifier::from_section(&site.settings.notify, site.environment.clone())
                .map_err(SiteError::from)?,
            retention: site.settings.retention(),
        };
        Ok(run_task(&task, monitor)?)
    }

    /// Who is in a package is a question for exports alone.
    fn check_users(&self) -> Result<(), ServiceError> {
        let asked = self.include_users || self.exclude_users;
        if asked && self.kind != BackupKind::Export {
            return Err(ServiceError::usage(
                format!(
                    "--include-users and --exclude-users mean nothing for a {} backup",
                    self.kind
                ),
                "Only `create export` changes what it copies.",
            ));
        }
        if self.include_users && self.exclude_users {
            return Err(ServiceError::usage(
                "--include-users and --exclude-users contradict each other",
                "Leave one of them out.",
            ));
        }
        Ok(())
    }

    /// Asked for here, or by its configuration.
    fn includes_database(&self, site: &Site) -> bool {
        let entry = self
            .configuration
            .as_ref()
            .and_then(|name| site.settings.entry(name));
        self.include_database || entry.is_some_and(|entry| entry.include_database)
    }

    fn base(&self, site: &Site) -> Result<Base, ServiceError> {
        let given = [
            (self.base.is_some(), "--base"),
            (self.paranoid, "--paranoid"),
            (self.include_database, "--include-database"),
        ];
        if let Some((_, option)) = given.iter().find(|(is_given, _)| *is_given)
            && self.kind != BackupKind::Incremental
        {
            return Err(ServiceError::usage(
                format!("{option} means nothing to a {} backup", self.kind),
                "It belongs to incremental backups.",
            ));
        }
        match &self.base {
            Some(base) => Ok(Base::Archive(site.archive(base)?)),
            None => Ok(Base::Newest),
        }
    }
}
