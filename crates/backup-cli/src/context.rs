//! What every command needs: settings, output style, progress.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use backup_core::Secret;
use backup_core::request::{ServiceError, Site, SiteRequest, Surroundings};

use crate::args::Common;
use crate::error::CommandError;
use crate::keys::Keys;
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

    pub(crate) fn verbose(&self) -> bool {
        self.common.verbose
    }

    /// How many lines of a list to print: `few`, or all of them when asked to print more.
    pub(crate) fn lines(&self, few: usize) -> usize {
        if self.common.verbose { usize::MAX } else { few }
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

    /// The configuration file that applies, or the one to make.
    pub(crate) fn config_path_or_default(&self) -> PathBuf {
        self.config_path()
            .unwrap_or_else(|| PathBuf::from(DEFAULT_FILES[0]))
    }

    /// The options that a later call needs to mean the same site.
    pub(crate) fn paths_for_later(&self) -> Vec<(&'static str, PathBuf)> {
        let config = self.config_path().map(|path| ("--config", path));
        let repository = self.common.repository.clone();
        config
            .into_iter()
            .chain(repository.map(|path| ("--repository", path)))
            .collect()
    }

    /// Asks on the terminal; without one nothing is done. `what` is named by the error, `about` is shown before the question.
    pub(crate) fn confirm(&self, what: &str, about: &str) -> Result<(), CommandError> {
        if self.json() || !std::io::stdin().is_terminal() {
            let what = what.to_owned();
            return Err(ServiceError::NotConfirmed { what }.into());
        }
        let mut err = std::io::stderr();
        write!(err, "{about} Type yes to go on: ")?;
        err.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() == "yes" {
            Ok(())
        } else {
            Err(CommandError::Declined)
        }
    }

    /// Options, environment and configuration file together.
    pub(crate) fn site(&self) -> Result<Site, CommandError> {
        self.site_with(None)
    }

    /// The same, with the keys that a command was given.
    pub(crate) fn site_with(&self, keys: Option<&dyn Keys>) -> Result<Site, CommandError> {
        if let Some(url) = &self.common.database_url
            && has_password(url)
        {
            self.note("warning: the password in --database-url can be seen by every user of this machine; use DB_PASSWORD or a pgpass file");
        }
        let mut request = SiteRequest {
            config: self.config_path(),
            settings: None,
            repository: self.common.repository.clone(),
            database_url: self.common.database_url.clone().map(Secret::new),
            files: self.common.files.clone(),
            jobs: self.common.jobs,
            user: None,
            face: Some("cli".to_owned()),
            ..SiteRequest::default()
        };
        if let Some(keys) = keys {
            keys.put_into(&mut request);
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Ok(request.resolve(&Surroundings {
            env: &|name| std::env::var(name).ok(),
            home: home.as_deref(),
        })?)
    }

    pub(crate) fn progress(&self) -> Progress {
        if self.common.events {
            return Progress::events();
        }
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

/// Whether the authority of a URL holds `user:password@`.
fn has_password(url: &str) -> bool {
    url.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next())
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
}
