//! What every command needs: settings, output style, progress.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use backup_core::{ConfigFile, Overrides, Repository, Secret, Settings, default_jobs};

use crate::args::Common;
use crate::error::CommandError;
use crate::progress::Progress;

/// Configuration files that are looked for when none is named.
const DEFAULT_FILES: [&str; 2] = ["edms-backup.toml", "/etc/edms-backup/config.toml"];

/// The common options, resolved on demand.
pub(crate) struct Context {
    common: Common,
}

impl Context {
    pub(crate) fn new(common: Common) -> Self {
        Self { common }
    }

    pub(crate) fn json(&self) -> bool {
        self.common.json
    }

    pub(crate) fn quiet(&self) -> bool {
        self.common.quiet || self.common.json
    }

    /// How many lines of a list to print: `few`, or all of them when asked to print more.
    pub(crate) fn lines(&self, few: usize) -> usize {
        if self.common.verbose { usize::MAX } else { few }
    }

    pub(crate) fn jobs(&self) -> NonZeroUsize {
        self.common.jobs.unwrap_or_else(default_jobs)
    }

    /// The configuration file that applies, if there is one.
    pub(crate) fn config_path(&self) -> Option<PathBuf> {
        self.common.config.clone().or_else(|| {
            DEFAULT_FILES
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
        })
    }

    pub(crate) fn config_file(&self) -> Result<ConfigFile, CommandError> {
        Ok(match self.config_path() {
            Some(path) => ConfigFile::load(&path)?,
            None => ConfigFile::default(),
        })
    }

    /// Options, environment and file together. `system` are further system configuration files.
    pub(crate) fn settings(&self, system: &[PathBuf]) -> Result<Settings, CommandError> {
        let file = self.config_file()?;
        let overrides = Overrides {
            repository: self.common.repository.clone(),
            database_url: self.common.database_url.clone().map(Secret::new),
            files: self.common.files.clone(),
            system: system.to_vec(),
        };
        if let Some(url) = &self.common.database_url
            && has_password(url)
        {
            self.note("warning: the password in --database-url can be seen by every user of this machine; use DB_PASSWORD or a pgpass file");
        }
        let env = |name: &str| std::env::var(name).ok();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Ok(Settings::resolve(&overrides, &file, &env, home.as_deref())?)
    }

    /// The repository, which must be there.
    pub(crate) fn repository(&self) -> Result<Repository, CommandError> {
        let path = self.settings(&[])?.repository.ok_or_else(no_repository)?;
        Ok(Repository::open(path)?)
    }

    /// Finds a backup: a path to an archive, or an id in the repository.
    pub(crate) fn archive(&self, source: &str) -> Result<PathBuf, CommandError> {
        let path = Path::new(source);
        if path.exists() || source.contains('/') {
            return Ok(path.to_owned());
        }
        match self.settings(&[])?.repository {
            Some(folder) => Ok(Repository::open(folder)?.find(source)?.path),
            None => Err(CommandError::usage(
                format!("{source:?} is neither a file nor, without a repository, a backup id"),
                "Name the archive by its path, or the repository with --repository or BACKUP_ROOT.",
            )),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        let shown = !self.quiet();
        Progress::new(shown, shown && std::io::stderr().is_terminal())
    }

    /// Says something on standard error, unless told to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet() {
            eprintln!("{text}");
        }
    }
}

pub(crate) fn no_repository() -> CommandError {
    CommandError::usage(
        "no repository is given",
        "Name it with --repository, BACKUP_ROOT or [repository] path in the configuration file.",
    )
}

/// Whether the authority of a URL holds `user:password@`.
fn has_password(url: &str) -> bool {
    url.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next())
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
}
