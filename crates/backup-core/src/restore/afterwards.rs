//! What can be done about a restore once it is over, or was interrupted: take it back, finish it, or forget what is kept.

use std::path::PathBuf;
use std::sync::Arc;

use backup_db::{
    ConnectOptions, SwapState, abandon_swap, discard_swap, list_swaps, swap_state, undo_swap,
};
use serde::Serialize;

use super::error::RestoreError;
use crate::placement::{self, Direction, RestoreState};

/// Where restores may have left something: file roots, and the database.
#[derive(Debug, Clone, Default)]
pub struct RestoreTargets {
    /// Folders of file roots; those that do not exist are passed over.
    pub folders: Vec<PathBuf>,
    /// The database.
    pub database: Option<ConnectOptions>,
}

/// What was done about one restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// The restore.
    pub id: String,
    /// What has the new content now: `true` for the restored one, `false` for what was there before.
    pub restored: bool,
    /// Folders that were dealt with.
    pub folders: Vec<PathBuf>,
    /// Whether the database was dealt with.
    pub database: bool,
}

/// Takes a complete restore back: files and database are what they were before. A database that was replaced in place, or was empty
/// before, cannot be taken back.
///
/// # Errors
/// [`RestoreError::NoSuchRestore`] when nothing is kept of it.
pub fn undo(id: &str, targets: &RestoreTargets) -> Result<Settled, RestoreError> {
    let mut settled = Settled {
        id: id.to_owned(),
        restored: false,
        folders: Vec::new(),
        database: false,
    };
    if let Some(connect) = &targets.database
        && swap_state(connect, id)? == SwapState::Swapped
    {
        undo_swap(connect, id)?;
        settled.database = true;
    }
    for folder in folders_of(id, targets)? {
        placement::undo(&folder, id)?;
        settled.folders.push(folder);
    }
    found(settled)
}

/// Deletes what is kept of a complete restore; it cannot be taken back afterwards.
///
/// # Errors
/// [`RestoreError::NoSuchRestore`] when nothing is kept of it.
pub fn forget(id: &str, targets: &RestoreTargets) -> Result<Settled, RestoreError> {
    let mut settled = Settled {
        id: id.to_owned(),
        restored: true,
        folders: Vec::new(),
        database: false,
    };
    if let Some(connect) = &targets.database {
        let state = swap_state(connect, id)?;
        if matches!(state, SwapState::Swapped | SwapState::Undone) {
            discard_swap(connect, id)?;
            settled.restored = state == SwapState::Swapped;
            settled.database = true;
        }
    }
    for folder in folders_of(id, targets)? {
        placement::forget(&folder, id)?;
        settled.folders.push(folder);
    }
    found(settled)
}

/// Finishes or takes back every restore that was interrupted. The exchange of the databases is what decides: after it, files go forward
/// too; before it, everything goes back. Complete restores stay as they are.
///
/// # Errors
/// The first that cannot be dealt with; call again when its cause is gone.
pub fn recover(targets: &RestoreTargets) -> Result<Vec<Settled>, RestoreError> {
    let swaps = match &targets.database {
        Some(connect) => list_swaps(connect)?,
        None => Vec::new(),
    };
    let mut all: Vec<Settled> = Vec::new();
    for folder in targets.folders.iter().filter(|folder| folder.is_dir()) {
        for restore in placement::list(folder)? {
            let swap = swaps.iter().find(|(id, _)| *id == restore.id);
            let direction = match (swap, restore.state) {
                (Some((_, SwapState::Ready | SwapState::Unfinished)), _) => Direction::Back,
                (_, RestoreState::Placed) => continue,
                (Some((_, SwapState::Swapped)), _) => Direction::Forward,
                (_, RestoreState::Staged) => Direction::Back,
                (_, RestoreState::Interrupted) => Direction::Forward,
            };
            let ended = placement::recover_to(folder, &restore.id, direction, Arc::new(()))?;
            let settled = entry(&mut all, &restore.id);
            settled.restored = ended == Direction::Forward;
            settled.folders.push(folder.clone());
        }
    }
    if let Some(connect) = &targets.database {
        for (id, state) in &swaps {
            if matches!(state, SwapState::Ready | SwapState::Unfinished) {
                match abandon_swap(connect, id) {
                    // Not interrupted at all.
                    Err(backup_db::RestoreError::Busy { .. }) => continue,
                    outcome => outcome?,
                }
                entry(&mut all, id).database = true;
            }
        }
    }
    Ok(all)
}

fn entry<'a>(all: &'a mut Vec<Settled>, id: &str) -> &'a mut Settled {
    let index = all
        .iter()
        .position(|settled| settled.id == id)
        .unwrap_or_else(|| {
            all.push(Settled {
                id: id.to_owned(),
                restored: false,
                folders: Vec::new(),
                database: false,
            });
            all.len() - 1
        });
    &mut all[index]
}

fn folders_of(id: &str, targets: &RestoreTargets) -> Result<Vec<PathBuf>, RestoreError> {
    let mut folders = Vec::new();
    for folder in targets.folders.iter().filter(|folder| folder.is_dir()) {
        if placement::list(folder)?
            .iter()
            .any(|restore| restore.id == id)
        {
            folders.push(folder.clone());
        }
    }
    Ok(folders)
}

fn found(settled: Settled) -> Result<Settled, RestoreError> {
    if settled.database || !settled.folders.is_empty() {
        Ok(settled)
    } else {
        Err(RestoreError::NoSuchRestore { id: settled.id })
    }
}
