//! What a restore is asked for.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use backup_archive::extract::Selection;
use backup_db::{ConnectOptions, Parts};
use serde::{Deserialize, Serialize};

use super::error::RestoreError;
use crate::default_jobs;
use crate::opened::Archives;

/// A part of a backup that can be restored alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// The database.
    Database,
    /// The file roots.
    Files,
    /// The system configuration files.
    Config,
}

/// How a database is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntoDatabase {
    /// Into an empty database, or a new one.
    Fresh,
    /// Beside the live one, compared, and then exchanged with it by name; the old one is kept for undo. Needs the right to create databases.
    Swap,
    /// In place, in one transaction; there is no undo.
    Replace,
}

/// What to restore, and where to.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The archive.
    pub source: PathBuf,
    /// Where the archives are that an incremental backup refers to, and what opens sealed ones.
    pub archives: Archives,
    /// Restore this component alone; it must be in the backup.
    pub only: Option<Component>,
    /// Leave the database as it is.
    pub skip_database: bool,
    /// Leave the files as they are.
    pub skip_files: bool,
    /// Restore only files that match one of these globs over `<root>/<path>`; a folder brings what is below it. Without `tables`, the
    /// database is then left alone.
    pub paths: Vec<String>,
    /// Restore only these tables, as `schema.table`. Without `paths`, files are then left alone.
    pub tables: Vec<String>,
    /// Restore only what is in these schemas of the database; together with `tables`, both. Without `paths`, files are then left alone.
    pub schemas: Vec<String>,
    /// Definitions and rows of the database, or one of them; then files are left alone, unless `paths` names some. Default: both.
    pub parts: Parts,
    /// Files go to `<target>/<root>`, configuration files to `<target>/config`, instead of where they belong.
    pub target: Option<PathBuf>,
    /// Where file roots belong.
    pub files: BTreeMap<String, PathBuf>,
    /// The database to restore into.
    pub database: Option<ConnectOptions>,
    /// How the database is restored. Default: fresh when it is empty or not there; one that holds something is exchanged (swap) or, when the
    /// role may not create databases, replaced, both only with `force`.
    pub into: Option<IntoDatabase>,
    /// Give objects to the owners that they had. Default: yes.
    pub owners: bool,
    /// Grant the privileges that were granted. Default: yes.
    pub privileges: bool,
    /// Other names for roles: old name → new name.
    pub role_map: BTreeMap<String, String>,
    /// Compare every restored table and file with the backup. Default: no; what is read from the archive is checked in any case.
    pub verify: bool,
    /// Replace what is there. Default: no, folders that hold something are refused, and so is a database unless `into` names a way.
    pub force: bool,
    /// Try a server that is older than the backup's, or newer than any that is known here. Default: no.
    pub any_version: bool,
    /// Threads, and connections to the database. Default: the processors that the process may use.
    pub jobs: NonZeroUsize,
}

impl RestoreOptions {
    /// Options with every default: the whole backup, nowhere yet.
    pub fn new(source: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            archives: Archives::default(),
            only: None,
            skip_database: false,
            skip_files: false,
            paths: Vec::new(),
            tables: Vec::new(),
            schemas: Vec::new(),
            parts: Parts::All,
            target: None,
            files: BTreeMap::new(),
            database: None,
            into: None,
            owners: true,
            privileges: true,
            role_map: BTreeMap::new(),
            verify: false,
            force: false,
            any_version: false,
            jobs: default_jobs(),
        }
    }

    /// The entries of the archive that `paths` selects.
    pub(super) fn selection(&self) -> Result<Selection, RestoreError> {
        if self.paths.is_empty() {
            return Ok(Selection::all());
        }
        self.selection_of(&self.paths)
    }

    /// The entries that some globs over `<root>/<path>` select.
    pub(super) fn selection_of<'a>(
        &self,
        globs: impl IntoIterator<Item = &'a String>,
    ) -> Result<Selection, RestoreError> {
        let globs: Vec<String> = globs
            .into_iter()
            .map(|glob| format!("files/{glob}"))
            .collect();
        Selection::globs(&globs).map_err(|error| RestoreError::Path {
            pattern: self.paths.join(" "),
            reason: std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string),
        })
    }

    /// Whether only a part of the database is asked for.
    pub(super) fn is_part_of_database(&self) -> bool {
        !(self.tables.is_empty() && self.schemas.is_empty()) || self.parts != Parts::All
    }

    /// Whether a component is asked for.
    pub(super) fn wants(&self, component: Component) -> bool {
        if let Some(only) = self.only {
            return only == component;
        }
        let part = self.is_part_of_database();
        let narrowed = !self.paths.is_empty() || part;
        match component {
            Component::Database => !self.skip_database && (!narrowed || part),
            Component::Files => !self.skip_files && (!narrowed || !self.paths.is_empty()),
            Component::Config => !narrowed && self.target.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(change: impl FnOnce(&mut RestoreOptions)) -> Vec<Component> {
        let mut options = RestoreOptions::new("x.tar.gz");
        change(&mut options);
        [Component::Database, Component::Files, Component::Config]
            .into_iter()
            .filter(|component| options.wants(*component))
            .collect()
    }

    #[test]
    fn which_components_are_restored() {
        use Component::{Config, Database, Files};
        assert_eq!(wanted(|_| {}), [Database, Files]);
        assert_eq!(
            wanted(|options| options.target = Some("out".into())),
            [Database, Files, Config]
        );
        assert_eq!(wanted(|options| options.only = Some(Config)), [Config]);
        assert_eq!(wanted(|options| options.skip_database = true), [Files]);
        assert_eq!(wanted(|options| options.paths.push("a/**".into())), [Files]);
        assert_eq!(
            wanted(|options| options.tables.push("public.a".into())),
            [Database]
        );
        assert_eq!(wanted(|options| options.parts = Parts::Data), [Database]);
    }
}
