//! Finishing, taking back and forgetting restores.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, Mode, mkdirat, unlinkat};
use rustix::io::Errno;

use super::area::{Area, Target, check_id, display_path};
use super::error::PlacementError;
use super::folder_state::FolderState;
use super::journal::{FolderRecord, Phase, Record, Summary};
use super::steps::Steps;
use super::swap;

/// Which way an interrupted restore goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the new files, if all of them were staged; otherwise there is only one way.
    Forward,
    /// To the old files, even if the new ones are all in place.
    Back,
}

/// What became of an interrupted restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Of the restore.
    pub id: String,
    /// Where it ended: `Forward` when the new files are in place, `Back` when the old ones are.
    pub direction: Direction,
}

/// A restore that has a folder in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// Of the restore.
    pub id: String,
    /// How far it is.
    pub state: RestoreState,
}

/// How far a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreState {
    /// Complete; the old files are kept.
    Placed,
    /// Interrupted, with the old files in place.
    Staged,
    /// Interrupted, somewhere between old and new, or in deleting what is no longer needed.
    Interrupted,
}

/// Restores known in a target, oldest id first.
///
/// # Errors
/// The target or a journal cannot be read.
pub fn list(target: &Path) -> Result<Vec<Restore>, PlacementError> {
    let target = Target::open(target)?;
    let mut found = Vec::new();
    for id in target.restores()? {
        let Some(area) = Area::open(&target, &id, Arc::new(()))? else {
            continue;
        };
        let state = match area.journal.summary()?.phase {
            Phase::Placed => RestoreState::Placed,
            Phase::Staging | Phase::Ready => RestoreState::Staged,
            Phase::Swapping | Phase::Undoing | Phase::Undone | Phase::Forgetting => {
                RestoreState::Interrupted
            }
        };
        found.push(Restore { id, state });
    }
    Ok(found)
}

/// Finishes or takes back every restore into `target` that was interrupted, by the journal: forward once swapping had begun.
/// Complete restores stay as they are. A target that does not exist has none.
///
/// # Errors
/// The first that cannot be recovered; call again when its cause is gone.
pub fn recover(target: &Path, steps: Arc<dyn Steps>) -> Result<Vec<Recovered>, PlacementError> {
    if !target.is_dir() {
        return Ok(Vec::new());
    }
    let opened = Target::open(target)?;
    let mut recovered = Vec::new();
    for id in opened.restores()? {
        let direction = match Area::open(&opened, &id, steps.clone())? {
            None => Direction::Back,
            Some(area) => match area.journal.summary()?.phase {
                Phase::Placed => continue,
                Phase::Swapping | Phase::Forgetting => settle(area, Direction::Forward)?,
                Phase::Staging | Phase::Ready | Phase::Undoing | Phase::Undone => {
                    settle(area, Direction::Back)?
                }
            },
        };
        recovered.push(Recovered { id, direction });
    }
    Ok(recovered)
}

/// Brings one restore to the end that the caller decided on (a service that restores several things decides for all of them).
///
/// Returns where it ended: a restore of which not everything was staged can only go back.
///
/// # Errors
/// [`PlacementError::NoSuchRestore`], or what stood in the way; call again when its cause is gone.
pub fn recover_to(
    target: &Path,
    id: &str,
    direction: Direction,
    steps: Arc<dyn Steps>,
) -> Result<Direction, PlacementError> {
    check_id(id)?;
    match Area::open(&Target::open(target)?, id, steps)? {
        Some(area) => settle(area, direction),
        None => Ok(Direction::Back),
    }
}

/// Takes a complete restore back: the old files are in place again, and nothing of the restored ones is left, nor of changes that
/// were made to them since. What was added beside them stays.
///
/// # Errors
/// [`PlacementError::NoSuchRestore`]: never made, already undone, or forgotten.
pub fn undo(target: &Path, id: &str) -> Result<(), PlacementError> {
    recover_to(target, id, Direction::Back, Arc::new(())).map(|_| ())
}

/// Deletes the old files of a complete restore: it can no longer be undone.
///
/// # Errors
/// [`PlacementError::NoSuchRestore`], or [`PlacementError::Unfinished`] for one that is not complete.
pub fn forget(target: &Path, id: &str) -> Result<(), PlacementError> {
    check_id(id)?;
    let Some(area) = Area::open(&Target::open(target)?, id, Arc::new(()))? else {
        return Ok(());
    };
    match area.journal.summary()?.phase {
        Phase::Placed | Phase::Forgetting => discard(area),
        _ => Err(PlacementError::Unfinished {
            target: target.to_path_buf(),
            id: id.to_owned(),
        }),
    }
}

/// Id of a restore that is neither complete nor gone.
pub(super) fn unfinished(target: &Arc<Target>) -> Result<Option<String>, PlacementError> {
    for id in target.restores()? {
        let area = Area::open(target, &id, Arc::new(()))?;
        if let Some(area) = area
            && area.journal.summary()?.phase != Phase::Placed
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Deletes the staging folder of a complete restore.
pub(super) fn discard(mut area: Area) -> Result<(), PlacementError> {
    area.journal.commit(&Record::Forget)?;
    area.steps.reached("journal");
    area.remove()
}

fn settle(mut area: Area, direction: Direction) -> Result<Direction, PlacementError> {
    let phase = area.journal.summary()?.phase;
    match (phase, direction) {
        (Phase::Forgetting, _) => {
            area.remove()?;
            Ok(Direction::Forward)
        }
        (Phase::Placed, Direction::Forward) => Ok(Direction::Forward),
        (Phase::Ready | Phase::Swapping, Direction::Forward) => {
            if phase == Phase::Ready {
                area.journal.commit(&Record::Swap)?;
                area.steps.reached("journal");
            }
            go_forward(&mut area)?;
            Ok(Direction::Forward)
        }
        (Phase::Staging | Phase::Undoing | Phase::Undone, Direction::Forward)
        | (_, Direction::Back) => {
            go_back(area)?;
            Ok(Direction::Back)
        }
    }
}

/// Moves everything into place, from wherever an earlier attempt stopped.
pub(super) fn go_forward(area: &mut Area) -> Result<(), PlacementError> {
    let summary = area.journal.summary()?;
    for folder in &summary.folders {
        make_folder(area, folder)?;
    }
    for child in area.journal.children()? {
        swap::forward(area, &child?)?;
    }
    for folder in summary.folders.iter().rev() {
        let opened = area.target.folder.folder(&folder.path);
        apply(area, &folder.state, opened, &folder.path)?;
    }
    if let Some(after) = &summary.after {
        apply(area, after, area.target.folder.folder(b""), b"")?;
    }
    area.sync()?;
    area.journal.commit(&Record::Placed)?;
    area.steps.reached("journal");
    Ok(())
}

/// Moves everything back, from wherever an earlier attempt stopped, and deletes the staging folder.
pub(super) fn go_back(mut area: Area) -> Result<(), PlacementError> {
    let summary = area.journal.summary()?;
    if matches!(
        summary.phase,
        Phase::Swapping | Phase::Placed | Phase::Undoing
    ) {
        if summary.phase != Phase::Undoing {
            area.journal.commit(&Record::Undo)?;
            area.steps.reached("journal");
        }
        move_back(&area, &summary)?;
        area.sync()?;
        area.journal.commit(&Record::Undone)?;
        area.steps.reached("journal");
    }
    if let Some(before) = &summary.before {
        apply(&area, before, area.target.folder.folder(b""), b"")?;
    }
    let target = area.target.clone();
    area.remove()?;
    if summary.target_created && target.is_empty()? {
        fs::remove_dir(&target.path).map_err(PlacementError::io("remove", &target.path))?;
    }
    Ok(())
}

fn move_back(area: &Area, summary: &Summary) -> Result<(), PlacementError> {
    for child in area.journal.children()? {
        swap::back(area, &child?)?;
    }
    for folder in summary.folders.iter().rev() {
        let shown = display_path(&area.target.path, &folder.path);
        let removed = remove_unless_used(&area.target.folder, &folder.path);
        removed.map_err(PlacementError::io("remove", &shown))?;
        area.steps.reached("folder");
    }
    for parent in &summary.parents {
        apply(
            area,
            &parent.state,
            area.target.folder.folder(&parent.path),
            &parent.path,
        )?;
    }
    Ok(())
}

fn remove_unless_used(target: &Folder, path: &[u8]) -> io::Result<()> {
    let removed = target
        .parent_of(path)
        .and_then(|(parent, name)| Ok(unlinkat(&parent, name, AtFlags::REMOVEDIR)?));
    match removed {
        // Gone already, or used by somebody else since.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

fn make_folder(area: &Area, folder: &FolderRecord) -> Result<(), PlacementError> {
    let made = area
        .target
        .folder
        .parent_of(&folder.path)
        .and_then(|(parent, name)| match mkdirat(&parent, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        });
    made.map_err(PlacementError::io(
        "create",
        &display_path(&area.target.path, &folder.path),
    ))?;
    area.steps.reached("folder");
    Ok(())
}

fn apply(
    area: &Area,
    state: &FolderState,
    folder: io::Result<Folder>,
    path: &[u8],
) -> Result<(), PlacementError> {
    let applied = folder.and_then(|folder| state.apply(&folder));
    applied.map_err(PlacementError::io(
        "set the metadata of",
        &display_path(&area.target.path, path),
    ))?;
    area.steps.reached("folder");
    Ok(())
}
