//! From an empty staging folder to files in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::extract::Folder;

use super::area::{Area, Target, check_id};
use super::error::PlacementError;
use super::journal::Record;
use super::plan::{plan_paths, plan_whole};
use super::recovery::{go_back, go_forward};
use super::steps::Steps;

/// How to restore into a folder.
#[derive(Clone)]
pub struct StageOptions {
    /// Replace what is in the folder. Default: false, a folder that is not empty is refused.
    pub force: bool,
    /// Keep the staging folder for [`undo`](super::undo) even if nothing was replaced. Default: false, a restore into an empty
    /// folder leaves nothing but the restored files.
    pub always_keep: bool,
    /// Is told of each step.
    pub steps: Arc<dyn Steps>,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            force: false,
            always_keep: false,
            steps: Arc::new(()),
        }
    }
}

/// What of the target is replaced.
pub enum Scope<'a> {
    /// Everything: what was not staged is taken away, and the target itself gets the metadata of the staging folder.
    Whole,
    /// These paths below the target, each with everything below it, and nothing else. None may lie below another one. Folders above
    /// them that are missing are made with the metadata of the staged ones.
    Paths(&'a mut dyn Iterator<Item = Vec<u8>>),
}

/// A staging folder to extract into. Dropping it deletes it.
pub struct Staging {
    area: Held,
    always_keep: bool,
}

/// A restore that is staged, verified and on disk: all that is left to do is to rename. Dropping it deletes the staging folder.
pub struct Prepared {
    area: Held,
    always_keep: bool,
    replaced: u64,
    children: u64,
}

/// A restore whose files are in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Of the restore.
    pub id: String,
    /// Children of the target, or selected paths, that were swapped.
    pub children: u64,
    /// How many of them were there before.
    pub replaced: u64,
    /// The old files are kept, and [`undo`](super::undo) works.
    pub can_undo: bool,
}

/// Opens a folder for restoring into, making it if it is missing. The live files are not touched.
///
/// # Errors
/// [`PlacementError::TargetNotEmpty`] unless forced, [`PlacementError::Unfinished`] after an interrupted restore, [`PlacementError::Busy`].
pub fn stage(target: &Path, id: &str, options: &StageOptions) -> Result<Staging, PlacementError> {
    check_id(id)?;
    let created = create_target(target)?;
    let outcome = open_empty_or_forced(target, options.force)
        .and_then(|opened| Area::create(&opened, id, created, options.steps.clone()));
    if outcome.is_err() && created {
        // Made a moment ago; the error that matters is the other one.
        let _ = fs::remove_dir(target);
    }
    Ok(Staging {
        area: Held(Some(outcome?)),
        always_keep: options.always_keep,
    })
}

fn create_target(target: &Path) -> Result<bool, PlacementError> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(PlacementError::io("create", parent))?;
    }
    match fs::create_dir(target) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(PlacementError::io("create", target)(error)),
    }
}

fn open_empty_or_forced(target: &Path, force: bool) -> Result<Arc<Target>, PlacementError> {
    let opened = Target::open(target)?;
    if let Some(unfinished) = super::recovery::unfinished(&opened)? {
        return Err(PlacementError::Unfinished {
            target: target.to_path_buf(),
            id: unfinished,
        });
    }
    if !force && !opened.is_empty()? {
        return Err(PlacementError::TargetNotEmpty {
            target: target.to_path_buf(),
        });
    }
    Ok(opened)
}

impl Staging {
    /// The folder to extract into.
    pub fn folder(&self) -> &Folder {
        &self.area.get().new
    }

    /// Path of the folder to extract into.
    pub fn path(&self) -> PathBuf {
        self.area.get().path.join("new")
    }

    /// Call when everything is extracted and verified: plans the swap, and waits until all of it is on disk.
    ///
    /// # Errors
    /// What stands in the way of the swap. The staging folder is deleted then.
    pub fn prepare(mut self, scope: Scope<'_>) -> Result<Prepared, PlacementError> {
        let area = self.area.get_mut();
        let after = match scope {
            Scope::Whole => Some(plan_whole(area)?),
            Scope::Paths(paths) => {
                plan_paths(area, paths)?;
                None
            }
        };
        area.sync()?;
        area.journal.commit(&Record::Ready { after })?;
        area.steps.reached("journal");
        let summary = area.journal.summary()?;
        Ok(Prepared {
            area: self.area,
            always_keep: self.always_keep,
            replaced: summary.replaced,
            children: summary.children,
        })
    }
}

impl Prepared {
    /// How many children of the target will be swapped, and how many of them are there now.
    pub fn counts(&self) -> (u64, u64) {
        (self.children, self.replaced)
    }

    /// Leaves everything as it is, to be decided by [`recover_to`](super::recover_to) later.
    pub fn leave(mut self) {
        self.area.0 = None;
    }

    /// Swaps. When a rename fails, everything goes back.
    ///
    /// # Errors
    /// [`PlacementError::RolledBack`], or [`PlacementError::HalfPlaced`] if even that failed.
    pub fn place(mut self) -> Result<Placed, PlacementError> {
        let mut area = self.area.take();
        let target = area.target.path.clone();
        let forward = area.journal.commit(&Record::Swap).and_then(|()| {
            area.steps.reached("journal");
            go_forward(&mut area)
        });
        if let Err(source) = forward {
            let source = Box::new(source);
            return Err(match go_back(area) {
                Ok(()) => PlacementError::RolledBack { target, source },
                Err(rollback) => PlacementError::HalfPlaced {
                    target,
                    source,
                    rollback: Box::new(rollback),
                },
            });
        }
        let can_undo = self.always_keep || self.replaced > 0;
        let placed = Placed {
            id: area.id.clone(),
            children: self.children,
            replaced: self.replaced,
            can_undo,
        };
        if !can_undo {
            super::recovery::discard(area)?;
        }
        Ok(placed)
    }
}

/// Takes the restore back when dropped, unless it was taken out.
struct Held(Option<Area>);

impl Held {
    fn get(&self) -> &Area {
        self.0
            .as_ref()
            .expect("taken out only by functions that consume the owner")
    }

    fn get_mut(&mut self) -> &mut Area {
        self.0
            .as_mut()
            .expect("taken out only by functions that consume the owner")
    }

    fn take(&mut self) -> Area {
        self.0
            .take()
            .expect("taken out only by functions that consume the owner")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(area) = self.0.take() {
            // Nobody hears of a failure here; what is left is an unfinished restore, which `recover` takes back.
            let _ = go_back(area);
        }
    }
}
