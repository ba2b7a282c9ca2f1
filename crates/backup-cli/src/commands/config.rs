//! `config check`: what the configuration means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use backup_core::Failure;
use clap::Subcommand;
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Read the configuration and say what it means; secrets are not shown
    Check,
}

#[derive(Serialize)]
struct Meaning {
    config_file: Option<PathBuf>,
    repository: Option<PathBuf>,
    database: Option<String>,
    files: BTreeMap<String, PathBuf>,
    system: Vec<PathBuf>,
    warnings: Vec<String>,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let Self::Check = self;
        let settings = context.site()?.settings;
        let mut warnings = Vec::new();
        for (name, folder) in &settings.files {
            if !folder.is_dir() {
                warnings.push(format!(
                    "file root {name}: {} is not a folder",
                    folder.display()
                ));
            }
        }
        for path in &settings.system {
            if !path.is_file() {
                warnings.push(format!("system: {} is not a file", path.display()));
            }
        }
        // Keys that cannot be used are found now rather than at night.
        for checked in [
            settings.encryption.seal_for().map(|_| ()),
            settings.encryption.keyring().map(|_| ()),
        ] {
            if let Err(error) = checked {
                let failure = Failure::from(&error);
                let mut reason = failure.message;
                for cause in failure.causes {
                    reason += &format!(": {cause}");
                }
                warnings.push(format!("[encryption]: {reason}"));
            }
        }
        for rule in &settings.references {
            if !settings.files.contains_key(&rule.root) {
                warnings.push(format!(
                    "[[references]] {}.{}: there is no file root {:?}, so its rows are not checked",
                    rule.table, rule.path_column, rule.root
                ));
            }
        }
        if settings.repository.is_none() {
            warnings.push("no repository is given".to_owned());
        }
        let meaning = Meaning {
            config_file: context.config_path(),
            repository: settings.repository,
            database: settings.database.as_ref().map(ToString::to_string),
            files: settings.files,
            system: settings.system,
            warnings,
        };
        if context.json() {
            output::json(&meaning)?;
        } else {
            output::text(&meaning.describe())?;
        }
        Ok(if meaning.warnings.is_empty() {
            Exit::Complete
        } else {
            Exit::Partial
        })
    }
}

impl Meaning {
    fn describe(&self) -> String {
        let path = |path: &Option<PathBuf>| {
            path.as_ref()
                .map_or_else(|| "none".to_owned(), |path| path.display().to_string())
        };
        let mut text = format!(
            "configuration  {}\nrepository     {}\ndatabase       {}\n",
            path(&self.config_file),
            path(&self.repository),
            self.database.as_deref().unwrap_or("none")
        );
        for (name, folder) in &self.files {
            text += &format!("files          {name} = {}\n", folder.display());
        }
        for file in &self.system {
            text += &format!("system         {}\n", file.display());
        }
        for warning in &self.warnings {
            text += &format!("warning: {warning}\n");
        }
        text
    }
}
