//! What is remembered of every configuration's runs.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::due::RunResult;
use super::history::SlotHistory;
use super::slot::{Schedule, Slot};
use crate::durable::{self, FILE_MODE, FOLDER_MODE};
use crate::failure::Explain;
use crate::kind::Status;

/// How often a slot is tried when its run is cut short by a crash. A run that ends, well or badly, is not repeated.
const MAX_ATTEMPTS: u32 = 2;

/// A folder with one small JSON file for every configuration, and a lock for each.
#[derive(Debug, Clone)]
pub struct ScheduleStore {
    folder: PathBuf,
}

/// What is remembered of one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigurationState {
    /// Whether an operator turned it on or off; `None` leaves that to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The slots that had their run.
    pub history: SlotHistory,
    /// A run that has begun and not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// How the last run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// Runs in a row that were not COMPLETE, or were cut short.
    pub failing_streak: u32,
}

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its slot.
    pub slot: Slot,
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// Its slot.
    pub slot: Slot,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// How, and with which backup.
    #[serde(flatten)]
    pub result: RunResult,
}

/// What is remembered cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An operation of the file system failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is damaged.
    #[error("{} is damaged", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl StoreError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

impl Explain for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "schedule_io",
            Self::Malformed { .. } => "schedule_damaged",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Malformed { .. } => {
                Some("Remove the file: its configuration then runs once at the next chance.".into())
            }
        }
    }
}

impl ScheduleStore {
    /// The store in `folder`, which is made when something is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// What is remembered of configuration `name`; nothing, if it never ran.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub fn load(&self, name: &str) -> Result<ConfigurationState, StoreError> {
        let path = self.path(name, "json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| StoreError::Malformed { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Default::default()),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// Takes configuration `name` for a run: `None` while another process has it. The claim ends when it is dropped, or its process dies.
    ///
    /// # Errors
    /// When what is remembered cannot be read.
    pub fn claim(&self, name: &str) -> Result<Option<Claim>, StoreError> {
        let lock = self.open_lock(name)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => {
                return Err(StoreError::io("lock", &self.path(name, "lock"))(
                    error.into(),
                ));
            }
        }
        Ok(Some(Claim {
            state: self.load(name)?,
            store: self.clone(),
            name: name.to_owned(),
            _lock: lock,
        }))
    }

    /// Turns configuration `name` on or off, also while it runs.
    ///
    /// # Errors
    /// When what is remembered cannot be read or written.
    pub fn set_enabled(&self, name: &str, enabled: bool) -> Result<(), StoreError> {
        self.update(name, |state| state.enabled = Some(enabled))
            .map(drop)
    }

    /// Changes what is remembered, in one step for everybody else.
    fn update(
        &self,
        name: &str,
        change: impl FnOnce(&mut ConfigurationState),
    ) -> Result<ConfigurationState, StoreError> {
        self.make_folder()?;
        // The lock of a claim is held for hours; this one for an instant.
        let _changing = File::open(&self.folder)
            .and_then(|folder| {
                flock(&folder, FlockOperation::LockExclusive)?;
                Ok(folder)
            })
            .map_err(StoreError::io("lock", &self.folder))?;
        let mut state = self.load(name)?;
        change(&mut state);
        let path = self.path(name, "json");
        let text = serde_json::to_vec_pretty(&state).expect("plain fields");
        durable::replace_locked(&path, &text).map_err(StoreError::io("write", &path))?;
        Ok(state)
    }

    fn open_lock(&self, name: &str) -> Result<File, StoreError> {
        self.make_folder()?;
        let path = self.path(name, "lock");
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(StoreError::io("open", &path))
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(&self.folder)
            .map_err(StoreError::io("make", &self.folder))
    }

    /// Names are the operator's and may hold anything, so whatever is not plain is written in hex.
    fn path(&self, name: &str, ending: &str) -> PathBuf {
        let mut file = String::new();
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
                file.push(byte.into());
            } else {
                file.push_str(&format!("%{byte:02X}"));
            }
        }
        self.folder.join(format!("{file}.{ending}"))
    }
}

/// The right to run a configuration.
#[derive(Debug)]
pub struct Claim {
    store: ScheduleStore,
    name: String,
    state: ConfigurationState,
    _lock: File,
}

impl Claim {
    /// What is remembered.
    pub fn state(&self) -> &ConfigurationState {
        &self.state
    }

    /// Notes that the run of `slot` begins. When a crash cut it short before, this is its last chance.
    ///
    /// # Errors
    /// When that cannot be written; the run must not begin then.
    pub fn begin(
        &mut self,
        schedule: &Schedule,
        slot: Slot,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.state = self.store.update(&self.name, |state| {
            let before = state
                .attempt
                .as_ref()
                .filter(|attempt| attempt.slot == slot);
            let number = before.map_or(1, |attempt| attempt.number + 1);
            if state.attempt.is_some() {
                state.failing_streak += 1;
            }
            if number >= MAX_ATTEMPTS {
                state.history.record(slot, schedule);
            }
            state.attempt = Some(Attempt {
                slot,
                number,
                started_at: now,
            });
        })?;
        Ok(())
    }

    /// Notes how the run that has begun ended.
    ///
    /// # Errors
    /// When that cannot be written: the slot may then get a second run.
    pub fn finish(
        &mut self,
        schedule: &Schedule,
        result: RunResult,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.state = self.store.update(&self.name, |state| {
            let Some(attempt) = state.attempt.take() else {
                return;
            };
            state.history.record(attempt.slot, schedule);
            state.failing_streak = match result.status {
                Status::Complete => 0,
                Status::Partial | Status::Failed => state.failing_streak + 1,
            };
            state.last_run = Some(LastRun {
                slot: attempt.slot,
                started_at: attempt.started_at,
                ended_at: now,
                result,
            });
        })?;
        Ok(())
    }
}
