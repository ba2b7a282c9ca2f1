//! Changing the schedule: every change is noted in the journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::defaults::{Available, default_entries, to_toml};
use super::site::SiteError;
use crate::audit::{Actor, AuditResult, AuditTrail};
use crate::config::Settings;
use crate::durable;

/// Turns a configuration on or off; this goes before what the configuration file says. Noted in the journal; what could not be noted is returned.
///
/// # Errors
/// When there is no such configuration, or it cannot be written down.
pub fn set_enabled(
    settings: &Settings,
    name: &str,
    enabled: bool,
    who: &Actor,
) -> Result<Vec<String>, SiteError> {
    settings.require_entry(name)?;
    let store = settings.schedule_store()?;
    let action = if enabled {
        "schedule-enable"
    } else {
        "schedule-disable"
    };
    let trail = trail(settings, who);
    store
        .set_enabled(name, enabled)
        .inspect_err(|error| trail.note_failure(action, name, error))?;
    let noted = trail.note(action, name, AuditResult::Success, Value::Null);
    Ok(crate::audit::warning(noted).into_iter().collect())
}

/// What [`create_defaults`] wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreatedDefaults {
    /// The configuration file.
    pub path: PathBuf,
    /// Configurations that were added and run.
    pub added: Vec<String>,
    /// Configurations that were added turned off, and what each misses.
    pub disabled: Vec<(String, Vec<String>)>,
    /// Configurations that were there already, and stay as they are.
    pub present: Vec<String>,
    /// What could not be noted.
    pub warnings: Vec<String>,
}

/// Adds the default configurations to the configuration file at `path`, which is made if need be. Those whose names are taken are left out. Noted in the journal.
///
/// # Errors
/// When the file cannot be read or written.
pub fn create_defaults(
    settings: &Settings,
    path: &Path,
    time_zone: &str,
    who: &Actor,
) -> io::Result<CreatedDefaults> {
    let available = Available {
        database: settings.database.is_some(),
        files: !settings.files.is_empty(),
        repository: settings.repository.is_some(),
    };
    let (present, new): (Vec<_>, Vec<_>) = default_entries(available, time_zone)
        .into_iter()
        .partition(|entry| settings.entry(entry.name).is_some());
    if !new.is_empty() {
        let mut text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        if !text.is_empty() {
            text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
        }
        text.push_str(to_toml(&new).trim_end());
        text.push('\n');
        let permissions = fs::metadata(path).map(|metadata| metadata.permissions());
        durable::replace(path, durable::parent(path), text.as_bytes())?;
        if let Ok(permissions) = permissions {
            fs::set_permissions(path, permissions)?;
        }
    }
    let (added, disabled): (Vec<_>, Vec<_>) =
        new.iter().partition(|entry| entry.missing.is_empty());
    let mut created = CreatedDefaults {
        path: path.to_owned(),
        added: added.iter().map(|entry| entry.name.to_owned()).collect(),
        disabled: disabled
            .iter()
            .map(|entry| {
                let missing = entry.missing.iter().map(|&what| what.to_owned());
                (entry.name.to_owned(), missing.collect())
            })
            .collect(),
        present: present.iter().map(|entry| entry.name.to_owned()).collect(),
        warnings: Vec::new(),
    };
    let noted = trail(settings, who).note(
        "schedule-create-defaults",
        &path.display().to_string(),
        AuditResult::Success,
        json!({ "added": created.added, "disabled": created.disabled }),
    );
    created.warnings.extend(crate::audit::warning(noted));
    Ok(created)
}

/// Notes in the journal that the system's scheduler was told about us, or is not any more; what could not be noted.
pub fn note_setup(settings: &Settings, scheduler: &str, state: &str, who: &Actor) -> Vec<String> {
    let details = json!({ "state": state });
    let noted =
        trail(settings, who).note("schedule-setup", scheduler, AuditResult::Success, details);
    crate::audit::warning(noted).into_iter().collect()
}

/// The journal of the site.
fn trail(settings: &Settings, who: &Actor) -> AuditTrail {
    AuditTrail::new(settings.repositories().first().copied(), who.clone())
}
