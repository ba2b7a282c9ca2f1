//! Pins: backups under legal hold, which neither retention nor `delete` removes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Repository, RepositoryError, make_folder};
use crate::durable;
use crate::id::BackupId;

const ENDING: &str = ".toml";

/// Why a backup is held, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who: `user@host`.
    pub by: String,
    /// Since when.
    pub pinned_at: DateTime<Utc>,
}

impl Repository {
    /// Every pin. A file that cannot be read still pins its backup.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn pins(&self) -> Result<BTreeMap<BackupId, Option<Pin>>, RepositoryError> {
        let folder = self.pins_folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(RepositoryError::io("list", &folder)(error)),
        };
        let mut pins = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(RepositoryError::io("list", &folder))?.path();
            let id = path.file_name().and_then(|name| {
                name.to_str()?
                    .strip_suffix(ENDING)?
                    .parse::<BackupId>()
                    .ok()
            });
            if let Some(id) = id {
                let pin = fs::read_to_string(&path)
                    .ok()
                    .and_then(|text| toml::from_str(&text).ok());
                pins.insert(id, pin);
            }
        }
        Ok(pins)
    }

    /// Pins a backup; a pin that it had is replaced.
    pub(crate) fn write_pin(&self, id: &BackupId, pin: &Pin) -> Result<(), RepositoryError> {
        make_folder(&self.pins_folder())?;
        let path = self.pin_path(id);
        // What a crash leaves in the scratch folder is removed by the next job, which takes the same lock first.
        let _lock = self.lock()?;
        let text = toml::to_string(pin).expect("plain fields");
        durable::replace(&path, &self.running(), text.as_bytes())
            .map_err(RepositoryError::io("write", &path))
    }

    /// Takes a pin away; whether there was one.
    pub(crate) fn remove_pin(&self, id: &BackupId) -> Result<bool, RepositoryError> {
        let path = self.pin_path(id);
        match fs::remove_file(&path) {
            Ok(()) => durable::sync_folder(&self.pins_folder())
                .map(|()| true)
                .map_err(RepositoryError::io("sync", &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(RepositoryError::io("remove", &path)(error)),
        }
    }

    fn pin_path(&self, id: &BackupId) -> PathBuf {
        self.pins_folder().join(format!("{id}{ENDING}"))
    }
}
