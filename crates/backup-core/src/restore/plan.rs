//! What of a backup is restored where: decided before anything is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use backup_archive::ArchivePath;
use backup_db::TableName;

use super::database;
use super::dump::ArchivedDump;
use super::error::RestoreError;
use super::files::holds_something;
use super::options::{Component, RestoreOptions};
use super::outcome::{RestorePlan, RootPlan};
use crate::opened::OpenedBackup;
use crate::placement::PlacementError;
use crate::verify::scan_damage;

/// What of a backup is restored where.
pub(super) struct Prepared<'a> {
    /// The database, if it is restored.
    pub(super) dump: Option<ArchivedDump<'a>>,
    /// What is extracted where.
    pub(super) roots: Vec<Root>,
    /// What the archive may have lost besides damaged entries: it was cut short, or stretches of it cannot be decoded.
    pub(super) losses: Vec<String>,
    rebuilt_because: Option<String>,
    /// What archives that are missing or damaged cost.
    broken_links: Vec<String>,
}

/// A folder of the archive and where it goes.
#[derive(Debug, Clone)]
pub(super) struct Root {
    /// Name of the root; `config` for the configuration files.
    pub(super) name: String,
    /// The folder inside the archive.
    pub(super) stored_as: ArchivePath,
    /// Where to.
    pub(super) folder: PathBuf,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(
        backup: &'a OpenedBackup,
        options: &RestoreOptions,
    ) -> Result<Self, RestoreError> {
        let survey = Survey::of(backup, options)?;
        let stored = &survey.stored;
        let in_backup = |component| match component {
            Component::Database => stored.contains("database"),
            Component::Files => stored.iter().any(|name| name.starts_with("files/")),
            Component::Config => stored.contains("config"),
        };
        if let Some(component) = options.only
            && !in_backup(component)
        {
            return Err(RestoreError::NotInBackup { component });
        }
        let wants = |component| options.wants(component) && in_backup(component);
        let dump = if wants(Component::Database) {
            if options.database.is_none() {
                return Err(RestoreError::NoDatabase);
            }
            ArchivedDump::open(backup)?
        } else {
            None
        };
        let mut roots = Vec::new();
        if wants(Component::Files) {
            roots = file_roots(&survey, options)?;
        }
        if wants(Component::Config) {
            let target = options
                .target
                .as_ref()
                .ok_or(RestoreError::NoConfigFolder)?;
            roots.push(Root {
                name: "config".to_owned(),
                stored_as: ArchivePath::new("config").expect("a constant path"),
                folder: target.join("config"),
            });
        }
        if dump.is_none() && roots.is_empty() {
            return Err(RestoreError::NothingSelected);
        }
        let roots_are_restored = !roots.is_empty();
        Ok(Self {
            dump,
            roots,
            losses: scan_damage(backup.reader().damage())
                .into_iter()
                .map(|part| format!("{}: {}", part.path, part.reason))
                .collect(),
            rebuilt_because: backup.rebuilt_because(),
            broken_links: if roots_are_restored {
                backup.costs_of_broken_links()?
            } else {
                Vec::new()
            },
        })
    }

    /// The folder given by `--target`, when it holds something that the restore could be mixed up with, and nobody said that it may.
    pub(super) fn occupied_target(&self, options: &RestoreOptions) -> Option<PathBuf> {
        let target = options.target.as_ref()?;
        let occupied = !options.force && !self.roots.is_empty() && holds_something(target);
        occupied.then(|| target.clone())
    }

    /// The plan, for people and programs.
    pub(super) fn plan(&self, options: &RestoreOptions) -> RestorePlan {
        let mut plan = RestorePlan {
            source: options.source.clone(),
            database: None,
            files: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        if let Some(reason) = &self.rebuilt_because {
            plan.warnings.push(format!(
                "the table of contents is lost ({reason}); it was rebuilt by reading the whole archive"
            ));
        }
        plan.warnings.extend(self.losses.iter().cloned());
        plan.warnings.extend(self.broken_links.iter().cloned());
        if let (Some(dump), Some(connect)) = (&self.dump, &options.database) {
            let (database, problems, warnings) = database::plan(connect, dump, options);
            plan.database = Some(database);
            plan.problems.extend(problems);
            plan.warnings.extend(warnings);
        }
        if let Some(target) = self.occupied_target(options) {
            plan.problems
                .push(PlacementError::TargetNotEmpty { target }.to_string());
        }
        for root in &self.roots {
            let replaces = holds_something(&root.folder);
            plan.files.insert(
                root.name.clone(),
                RootPlan {
                    folder: root.folder.clone(),
                    replaces,
                },
            );
        }
        plan
    }
}

/// What one look at every entry tells.
struct Survey {
    /// What the archive holds: `database`, `config`, `files/<root>`.
    stored: BTreeSet<String>,
    /// The roots in which the globs select something; all if there are no globs.
    reached: Option<BTreeSet<String>>,
    /// A glob that matches nothing.
    unmatched: Option<String>,
}

impl Survey {
    fn of(backup: &OpenedBackup, options: &RestoreOptions) -> Result<Self, RestoreError> {
        let mut unmatched = Vec::new();
        for pattern in &options.paths {
            unmatched.push((pattern, options.selection_of([pattern])?));
        }
        let selection = options.selection()?;
        let mut survey = Self {
            stored: BTreeSet::new(),
            reached: (!options.paths.is_empty()).then(BTreeSet::new),
            unmatched: None,
        };
        let mut last: Vec<u8> = Vec::new();
        for entry in backup.reader().entries() {
            let path = entry?.path;
            let mut parts = path.parts();
            let (first, second) = (parts.next(), parts.next());
            let root = match (first, second) {
                (Some(b"files"), Some(name)) => [b"files/", name].concat(),
                (Some(first @ (b"database" | b"config")), Some(_)) => first.to_vec(),
                _ => continue,
            };
            if let Some(reached) = &mut survey.reached
                && let Some(name) = second
                && selection.selects(&path)
            {
                reached.insert(String::from_utf8_lossy(name).into_owned());
                unmatched.retain(|(_, selection)| !selection.selects(&path));
            }
            if root != last {
                survey
                    .stored
                    .insert(String::from_utf8_lossy(&root).into_owned());
                last = root;
            }
        }
        survey.unmatched = unmatched.first().map(|(pattern, _)| (*pattern).clone());
        Ok(survey)
    }
}

fn file_roots(survey: &Survey, options: &RestoreOptions) -> Result<Vec<Root>, RestoreError> {
    // A misspelt glob would otherwise restore nothing, and say so nowhere.
    if let Some(pattern) = &survey.unmatched {
        return Err(RestoreError::Path {
            pattern: pattern.clone(),
            reason: "it matches nothing in the backup".to_owned(),
        });
    }
    let is_reached = |name: &str| {
        let reached = survey.reached.as_ref();
        reached.is_none_or(|reached| reached.contains(name))
    };
    survey
        .stored
        .iter()
        .filter_map(|stored| stored.strip_prefix("files/"))
        .filter(|name| is_reached(name))
        .map(|name| {
            let folder = match &options.target {
                Some(target) => target.join(name),
                None => options
                    .files
                    .get(name)
                    .cloned()
                    .ok_or_else(|| RestoreError::NoFolder {
                        root: name.to_owned(),
                    })?,
            };
            Ok(Root {
                name: name.to_owned(),
                stored_as: ArchivePath::new(format!("files/{name}")).map_err(|_| {
                    RestoreError::NoFolder {
                        root: name.to_owned(),
                    }
                })?,
                folder,
            })
        })
        .collect()
}

/// The options of the database engine.
pub(super) fn engine_options(
    options: &RestoreOptions,
) -> Result<backup_db::RestoreOptions, RestoreError> {
    let tables = options
        .tables
        .iter()
        .map(|table| {
            table
                .split_once('.')
                .map(|(schema, name)| TableName {
                    schema: schema.to_owned(),
                    name: name.to_owned(),
                })
                .ok_or_else(|| RestoreError::NoSuchTable {
                    table: table.clone(),
                })
        })
        .collect::<Result<_, _>>()?;
    Ok(backup_db::RestoreOptions {
        jobs: options.jobs,
        owners: options.owners,
        privileges: options.privileges,
        role_map: options.role_map.clone(),
        tables,
        schemas: options.schemas.clone(),
        parts: options.parts,
        verify: options.verify,
        any_version: options.any_version,
        ..backup_db::RestoreOptions::default()
    })
}
