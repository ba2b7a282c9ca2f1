//! The checks of a whole site, as its settings describe it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};
use super::report::HealthReport;
use super::security::Role;
use super::storage::{SampleOptions, expected_daily_growth, largest_recent_backup, sample};
use super::{application, backup_system, database, security, storage};
use crate::config::Settings;
use crate::repository::Repository;
use crate::retention::Catalogue;
use crate::schedule::ScheduleStore;

/// Archives whose digests are sampled: so many of the newest.
const SAMPLED_ARCHIVES: usize = 3;

/// What is looked at, and how.
#[derive(Debug, Clone)]
pub struct SiteChecks {
    /// The checks to make. Default: all.
    pub checks: Vec<Check>,
    /// The configuration file, whose access rights are looked at.
    pub config_file: Option<PathBuf>,
    /// For how long the processors are watched. Default: 200 ms.
    pub watch: Duration,
}

impl Default for SiteChecks {
    fn default() -> Self {
        Self {
            checks: Check::ALL.to_vec(),
            config_file: None,
            watch: Duration::from_millis(200),
        }
    }
}

/// Looks at a site. What cannot be looked at is a finding too.
pub fn check_site(settings: &Settings, options: &SiteChecks, now: DateTime<Utc>) -> HealthReport {
    let site = Site::open(settings, now);
    let wanted = |check| options.checks.contains(&check);
    let mut findings = Vec::new();
    let facts = settings
        .database
        .as_ref()
        .filter(|_| wanted(Check::Database) || wanted(Check::Security))
        .map(database::probe);
    if wanted(Check::Database) {
        findings.extend(match &facts {
            Some(facts) => database::evaluate(facts, &settings.health),
            None => vec![DATABASE.judged(
                HealthStatus::Unknown,
                "no database is described".to_owned(),
                "Describe it in [database] or the environment, or leave the check out.",
            )],
        });
    }
    if wanted(Check::Storage) {
        findings.extend(site.storage());
    }
    if wanted(Check::Application) {
        findings.extend(application::evaluate(
            &application::probe(options.watch),
            &settings.health,
        ));
    }
    if wanted(Check::BackupSystem) {
        findings.extend(site.backup_system());
    }
    if wanted(Check::Security) {
        let access = facts.and_then(Result::ok).map(|facts| facts.access);
        findings.extend(site.security(options.config_file.as_deref(), access));
    }
    HealthReport::new(now, findings)
}

const DATABASE: Measure = Measure {
    check: Check::Database,
    code: "database_described",
    unit: Unit::Flag,
    title: "Whether the database cannot be looked at because nothing describes it.",
};
const REPOSITORY: Measure = Measure {
    check: Check::BackupSystem,
    code: "repository_unusable",
    unit: Unit::Flag,
    title: "Whether the repository cannot be opened or read.",
};

struct Site<'a> {
    settings: &'a Settings,
    now: DateTime<Utc>,
    /// `None`: no repository is given.
    opened: Option<Result<(Repository, Catalogue), String>>,
}

impl<'a> Site<'a> {
    fn open(settings: &'a Settings, now: DateTime<Utc>) -> Self {
        let opened = settings.repositories().first().map(|path| {
            let repository = Repository::open(*path).map_err(|error| error.to_string())?;
            let catalogue = Catalogue::read(&repository).map_err(|error| error.to_string())?;
            Ok((repository, catalogue))
        });
        Self {
            settings,
            now,
            opened,
        }
    }

    fn storage(&self) -> Vec<Finding> {
        let sources = self
            .settings
            .files
            .iter()
            .map(|(name, folder)| (name.as_str(), folder.as_path()));
        let mut facts = storage::probe(sources, self.settings.repositories().first().copied());
        if let Some(Ok((_, catalogue))) = &self.opened
            && let Some(repository) = &mut facts.repository
        {
            let candidates = &catalogue.candidates;
            let policy = self.settings.retention();
            repository.largest_backup_bytes = largest_recent_backup(candidates);
            repository.daily_growth_bytes = expected_daily_growth(candidates, &policy, self.now);
            let options = SampleOptions {
                seed: u64::try_from(self.now.timestamp() / 86_400).unwrap_or_default(),
                ..SampleOptions::default()
            };
            repository.sampled = Some(sample(&catalogue.newest(SAMPLED_ARCHIVES), &options));
        }
        storage::evaluate(&facts, &self.settings.health)
    }

    fn backup_system(&self) -> Vec<Finding> {
        let (repository, catalogue) = match &self.opened {
            Some(Ok(opened)) => (&opened.0, &opened.1),
            Some(Err(reason)) => {
                return vec![REPOSITORY.flagged(
                    HealthStatus::Critical,
                    reason.clone(),
                    "Mount it, correct its path, or make a first backup with `edms-backup create full`.",
                )];
            }
            None => {
                return vec![REPOSITORY.flagged(
                    HealthStatus::Critical,
                    "no repository is given".to_owned(),
                    "Name it with --repository, BACKUP_ROOT or [repository] path.",
                )];
            }
        };
        let mut components = Vec::new();
        if self.settings.database.is_some() {
            components.push(backup_system::Component::Database);
        }
        if !self.settings.files.is_empty() {
            components.push(backup_system::Component::Files);
        }
        let store: ScheduleStore = repository.schedule_store();
        let facts = backup_system::gather(
            &catalogue.candidates,
            &components,
            &self.settings.scheduled(),
            &store,
            &repository.journal(),
            self.now,
        );
        let mut findings = match facts {
            Ok(facts) => backup_system::evaluate(&facts, &self.settings.health, self.now),
            Err(error) => vec![REPOSITORY.flagged(
                HealthStatus::Critical,
                format!("{error}: {}", error.source),
                "Make the journal readable for the user who looks.",
            )],
        };
        findings.push(
            REPOSITORY
                .healthy("the repository can be read".to_owned())
                .value(0.0),
        );
        findings
    }

    fn security(
        &self,
        config_file: Option<&Path>,
        access: Option<security::DatabaseAccess>,
    ) -> Vec<Finding> {
        let repositories = self.settings.repositories();
        let paths = repositories
            .iter()
            .filter(|path| path.exists())
            .map(|path| (Role::Repository, *path))
            .chain(
                self.settings
                    .secret_files
                    .iter()
                    .map(|path| (Role::Secret, path.as_path())),
            )
            .chain(config_file.map(|path| (Role::Configuration, path)));
        let mut facts = security::probe(paths);
        facts.sealed = Some(self.settings.encryption.seals());
        facts.database = access;
        security::evaluate(&facts)
    }
}
