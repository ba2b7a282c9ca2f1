//! The schedule of a site: its configurations, run when they are due.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::due::{DueOutcome, RunResult, Scheduled, run_due};
use super::slot::Slot;
use super::store::{LastRun, ScheduleStore, StoreError};
use crate::audit::Actor;
use crate::config::{ScheduleEntry, Settings};
use crate::create::{CreateError, CreateOptions, Destination};
use crate::failure::{Explain, Failure};
use crate::id::BackupId;
use crate::kind::{BackupKind, Status};
use crate::monitor::Monitor;
use crate::notify::{Notifier, PingError};
use crate::repository::{Repository, RepositoryError};
use crate::sanitize::SanitizeOptions;
use crate::sealing::KeyError;
use crate::task::{BackupTask, TaskOutcome, run_task};

/// The schedule cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// No repository to remember runs in.
    #[error("a schedule needs a repository, and none is given")]
    NoRepository,
    /// No such configuration.
    #[error("there is no configuration {name:?}")]
    NoSuchConfiguration {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The configuration asks for archives to be sealed.
    #[error("configuration {name:?} asks for encryption, and nobody is named to seal for")]
    Sealing {
        /// The configuration.
        name: String,
    },
    /// A key under `[encryption]` cannot be used.
    #[error("[encryption] cannot be used")]
    Key(#[from] KeyError),
    /// `[notify]` is not right.
    #[error("[notify] ping_url cannot be used")]
    Ping(#[from] PingError),
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// What is remembered of the runs cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SiteError {
    /// Whether what was asked for makes no sense, whatever the state of the site.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoRepository
                | Self::NoSuchConfiguration { .. }
                | Self::Sealing { .. }
                | Self::Key(_)
                | Self::Ping(_)
        )
    }
}

impl Explain for SiteError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRepository => "no_repository",
            Self::NoSuchConfiguration { .. } => "no_such_configuration",
            Self::Sealing { .. } => "cannot_seal",
            Self::Key(error) => error.code(),
            Self::Ping(_) => "ping_url",
            Self::Repository(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository => Some(
                "Name it with --repository, BACKUP_ROOT or [repository] path in the configuration file.".into(),
            ),
            Self::NoSuchConfiguration { known, .. } if known.is_empty() => Some(
                "There is none: `edms-backup schedule create-defaults` writes some into the configuration file.".into(),
            ),
            Self::NoSuchConfiguration { known, .. } => {
                Some(format!("There are: {}.", known.join(", ")))
            }
            Self::Sealing { .. } => Some(
                "Name recipients under [encryption], or set encryption_enabled = false.".into(),
            ),
            Self::Key(error) => error.hint(),
            Self::Ping(_) => Some("It must begin with https:// or http://.".into()),
            Self::Repository(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}

/// Who asks for a backup, and with what.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For the journal.
    pub who: Actor,
    /// The caller's environment: hooks get `PATH`, `HOME` and `LANG` of it, pings the proxy.
    pub environment: Vec<(OsString, OsString)>,
    /// Threads, and connections to the database.
    pub jobs: NonZeroUsize,
}

impl Settings {
    /// A backup of the site: its database, roots and configuration files.
    pub fn create_options(&self, kind: BackupKind, destination: Destination) -> CreateOptions {
        CreateOptions {
            database: self.database.clone(),
            files: self.files.clone(),
            system: self.system.clone(),
            source_guard: self.source_guard,
            references: self.references.clone(),
            sanitize: SanitizeOptions {
                rules: self.sanitize.rules.clone(),
                user_tables: self.sanitize.user_tables.clone(),
                exclude_users: false,
            },
            site_repository: self.repository.clone(),
            ..CreateOptions::new(kind, destination)
        }
    }

    /// The backup that the configuration `entry` describes, with its retention and those who are told.
    ///
    /// # Errors
    /// When there is no repository, or the configuration asks for what cannot be.
    pub fn task(&self, entry: &ScheduleEntry, caller: &Caller) -> Result<BackupTask, SiteError> {
        let wants_sealing = entry.encryption_enabled.unwrap_or(self.encryption.seals());
        let seal_for = match self.encryption.seal_for()? {
            None if wants_sealing => {
                return Err(SiteError::Sealing {
                    name: entry.name.clone(),
                });
            }
            seal_for => seal_for.filter(|_| wants_sealing),
        };
        let repository = entry
            .repository(self.repository.as_deref())
            .ok_or(SiteError::NoRepository)?;
        let destination = Destination::Repository(repository.to_owned());
        Ok(BackupTask {
            create: CreateOptions {
                configuration: Some(entry.name.clone()),
                compression: entry.compression(),
                include_database: entry.include_database,
                seal_for,
                keys: self.encryption.keyring()?,
                jobs: caller.jobs,
                who: caller.who.clone(),
                ..self.create_options(entry.backup_type, destination)
            },
            notifier: Notifier::from_section(&self.notify, caller.environment.clone())?,
            retention: self.retention(),
        })
    }

    /// What is remembered of the configurations' runs: in the common repository, or in the first one that a configuration has for itself.
    ///
    /// # Errors
    /// When there is no repository.
    pub fn schedule_store(&self) -> Result<ScheduleStore, SiteError> {
        let folder = self.repositories().first().copied().map(Path::to_owned);
        let repository = Repository::open_or_create(folder.ok_or(SiteError::NoRepository)?)?;
        Ok(repository.schedule_store())
    }

    /// The configuration `name`.
    ///
    /// # Errors
    /// [`SiteError::NoSuchConfiguration`], which names those that there are.
    pub fn require_entry(&self, name: &str) -> Result<&ScheduleEntry, SiteError> {
        self.entry(name)
            .ok_or_else(|| SiteError::NoSuchConfiguration {
                name: name.to_owned(),
                known: self
                    .schedule
                    .iter()
                    .map(|entry| entry.name.clone())
                    .collect(),
            })
    }

    /// Every configuration that can run.
    pub fn scheduled(&self) -> Vec<Scheduled> {
        self.schedule
            .iter()
            .filter_map(|entry| Scheduled::from_entry(entry).ok())
            .collect()
    }
}

/// A configuration, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigurationStatus {
    /// Its name.
    pub name: String,
    /// What it makes.
    pub backup_type: BackupKind,
    /// How often.
    pub frequency: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether a run waits for the next `run-due`.
    pub is_due: bool,
    /// The next slot after now; `None` when it does not run.
    pub next_run_at: Option<DateTime<Utc>>,
    /// How the last run ended.
    pub last_run: Option<LastRun>,
    /// Runs in a row that were not COMPLETE.
    pub failing_streak: u32,
}

/// How every configuration stands at time `now`.
///
/// # Errors
/// When what is remembered cannot be read.
pub fn configurations(
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<ConfigurationStatus>, SiteError> {
    let store = match settings.repositories().first() {
        Some(folder) if folder.exists() => Some(settings.schedule_store()?),
        _ => None,
    };
    settings
        .schedule
        .iter()
        .filter_map(|entry| Some((entry, Scheduled::from_entry(entry).ok()?)))
        .map(|(entry, scheduled)| {
            let state = match &store {
                Some(store) => store.load(&entry.name)?,
                None => Default::default(),
            };
            let enabled = state.enabled.unwrap_or(scheduled.enabled);
            let schedule = scheduled.schedule;
            Ok(ConfigurationStatus {
                name: entry.name.clone(),
                backup_type: entry.backup_type,
                frequency: schedule.frequency.name().to_owned(),
                enabled,
                is_due: enabled && schedule.due(&state.history, now).is_some(),
                next_run_at: schedule.next_slot(now).filter(|_| enabled).map(Slot::time),
                last_run: state.last_run,
                failing_streak: state.failing_streak,
            })
        })
        .collect()
}

/// What became of a configuration that was due.
#[derive(Debug, Serialize)]
pub struct SiteRun {
    /// The configuration.
    pub configuration: String,
    /// The slot.
    pub slot: Slot,
    /// `None`: another job of the configuration is at work, and the slot waits.
    pub status: Option<Status>,
    /// The backup that was made.
    pub backup: Option<BackupId>,
    /// The backup's record, and what retention removed.
    pub result: Option<TaskOutcome>,
    /// Why there is no backup, or why its run could not be noted.
    pub error: Option<Failure>,
}

/// Makes every backup that is due, in the order of the configuration file. One that fails does not keep the others from running; a caller that asks to stop does.
///
/// # Errors
/// Before anything runs, when there is no repository to remember runs in. A failed backup is part of the result.
pub fn run_site(
    settings: &Settings,
    caller: &Caller,
    clock: &dyn Fn() -> DateTime<Utc>,
    monitor: &dyn Monitor,
) -> Result<Vec<SiteRun>, SiteError> {
    if settings.schedule.is_empty() {
        return Ok(Vec::new());
    }
    let store = settings.schedule_store()?;
    let mut runs = Vec::new();
    for (entry, scheduled) in settings
        .schedule
        .iter()
        .filter_map(|entry| Some((entry, Scheduled::from_entry(entry).ok()?)))
    {
        if monitor.is_cancelled() {
            break;
        }
        runs.extend(run_entry(
            settings, caller, &store, entry, &scheduled, clock, monitor,
        ));
    }
    Ok(runs)
}

fn run_entry(
    settings: &Settings,
    caller: &Caller,
    store: &ScheduleStore,
    entry: &ScheduleEntry,
    scheduled: &Scheduled,
    clock: &dyn Fn() -> DateTime<Utc>,
    monitor: &dyn Monitor,
) -> Option<SiteRun> {
    let mut result = None;
    let mut error = None;
    // A job that somebody started by hand has the configuration: the slot waits for its end.
    let is_busy = || {
        let folder = entry.repository(settings.repository.as_deref())?;
        Repository::open(folder).ok()?.is_busy(&entry.name).ok()
    };
    if is_busy() == Some(true) {
        let state = store.load(&entry.name).ok()?;
        let enabled = state.enabled.unwrap_or(scheduled.enabled);
        let slot = scheduled.schedule.due(&state.history, clock())?;
        return enabled.then(|| SiteRun::waiting(entry, slot));
    }
    let mut run = |_: &Scheduled, _: Slot| match run_now(settings, entry, caller, monitor) {
        Ok(outcome) => {
            let ended = RunResult {
                status: outcome.record.status,
                backup: Some(outcome.record.id.clone()),
                message: outcome.record.warnings.first().cloned(),
            };
            result = Some(outcome);
            ended
        }
        Err(failure) => {
            let ended = RunResult {
                status: Status::Failed,
                backup: None,
                message: Some(failure.message.clone()),
            };
            error = Some(failure);
            ended
        }
    };
    let due = run_due(std::slice::from_ref(scheduled), store, clock, &mut run).pop()?;
    let (status, backup) = match due.outcome {
        DueOutcome::Busy => return Some(SiteRun::waiting(entry, due.slot)),
        DueOutcome::Ran(ended) => (ended.status, ended.backup),
        DueOutcome::Unrecorded {
            error: unrecorded,
            result: ended,
        } => {
            error = error.or_else(|| Some(Failure::from(&unrecorded)));
            (Status::Failed, ended.and_then(|ended| ended.backup))
        }
    };
    Some(SiteRun {
        configuration: due.name,
        slot: due.slot,
        status: Some(status),
        backup,
        result,
        error,
    })
}

fn run_now(
    settings: &Settings,
    entry: &ScheduleEntry,
    caller: &Caller,
    monitor: &dyn Monitor,
) -> Result<TaskOutcome, Failure> {
    let task = settings
        .task(entry, caller)
        .map_err(|error| Failure::from(&error))?;
    run_task(&task, monitor).map_err(|error: CreateError| Failure::from(&error))
}

impl SiteRun {
    fn waiting(entry: &ScheduleEntry, slot: Slot) -> Self {
        Self {
            configuration: entry.name.clone(),
            slot,
            status: None,
            backup: None,
            result: None,
            error: None,
        }
    }
}
