//! What every command needs: settings, output style, progress.

use std::io::IsTerminal;
use std::path::PathBuf;

use backup_core::Secret;
use backup_core::request::{Site, SiteRequest, Surroundings};

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

    /// The configuration file that applies, if there is one.
    pub(crate) fn config_path(&self) -> Option<PathBuf> {
        self.common.config.clone().or_else(|| {
            DEFAULT_FILES
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
        })
    }

    /// Options, environment and configuration file together.
    pub(crate) fn site(&self) -> Result<Site, CommandError> {
        if let Some(url) = &self.common.database_url
            && has_password(url)
        {
            self.note("warning: the password in --database-url can be seen by every user of this machine; use DB_PASSWORD or a pgpass file");
        }
        let request = SiteRequest {
            config: self.config_path(),
            settings: None,
            repository: self.common.repository.clone(),
            database_url: self.common.database_url.clone().map(Secret::new),
            files: self.common.files.clone(),
            jobs: self.common.jobs,
        };
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Ok(request.resolve(&Surroundings {
            env: &|name| std::env::var(name).ok(),
            home: home.as_deref(),
        })?)
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

/// Whether the authority of a URL holds `user:password@`.
fn has_password(url: &str) -> bool {
    url.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next())
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
}
