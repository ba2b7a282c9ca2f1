//! Moving one child into place or back, from whatever state an interruption left.
//!
//! Nothing here relies on how far an earlier attempt came: the inode numbers in the plan tell where the old and the new one are, so
//! each function may be called again and again. Where the file system can, old and new change places in one step, so that a living
//! application finds one of them at any moment.

use std::io;

use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, Mode, RenameFlags, chmodat, renameat_with};
use rustix::io::Errno;

use super::area::{Area, display_path, look};
use super::error::PlacementError;
use super::journal::{Child, Node};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Target,
    New,
    Old,
}

const PLACES: [Place; 3] = [Place::Target, Place::New, Place::Old];

/// Puts the new one in place, and the old one into `old`.
pub(super) fn forward(area: &Area, child: &Child) -> Result<(), PlacementError> {
    let swap = Swap { area, child };
    match child.new {
        None => {
            if swap.place_of(child.old)? == Some(Place::Target) {
                swap.rename(Place::Target, Place::Old)?;
            }
        }
        Some(new) => {
            match swap.place_of(Some(new))? {
                Some(Place::New) => swap.bring(Place::New, Place::Old)?,
                Some(Place::Old) => swap.bring(Place::Old, Place::New)?,
                Some(Place::Target) | None => {}
            }
            if swap.is_there(Place::New)? {
                swap.rename(Place::New, Place::Old)?;
            }
        }
    }
    swap.set_modes()
}

/// Puts the old one back, and whatever is in its place into `new`.
pub(super) fn back(area: &Area, child: &Child) -> Result<(), PlacementError> {
    let swap = Swap { area, child };
    match swap.place_of(child.old)? {
        Some(Place::New) => swap.bring(Place::New, Place::Old)?,
        Some(Place::Old) => swap.bring(Place::Old, Place::New)?,
        Some(Place::Target) => {}
        None => {
            if !swap.is_there(Place::New)? && swap.is_there(Place::Target)? {
                swap.rename(Place::Target, Place::New)?;
            }
        }
    }
    if swap.is_there(Place::Old)? {
        swap.rename(Place::Old, Place::New)?;
    }
    swap.set_modes()
}

struct Swap<'a> {
    area: &'a Area,
    child: &'a Child,
}

impl Swap<'_> {
    fn folder(&self, place: Place) -> &Folder {
        match place {
            Place::Target => &self.area.target.folder,
            Place::New => &self.area.new,
            Place::Old => &self.area.old,
        }
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> PlacementError {
        let path = display_path(&self.area.target.path, &self.child.path);
        move |source| PlacementError::Io {
            action,
            path,
            source,
        }
    }

    fn is_there(&self, place: Place) -> Result<bool, PlacementError> {
        let found = look(self.folder(place), &self.child.path).map_err(self.failed("look at"))?;
        Ok(found.is_some())
    }

    fn place_of(&self, node: Option<Node>) -> Result<Option<Place>, PlacementError> {
        let Some(node) = node else { return Ok(None) };
        for place in PLACES {
            let found =
                look(self.folder(place), &self.child.path).map_err(self.failed("look at"))?;
            if found.is_some_and(|stat| stat.st_ino == node.inode) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Moves what is at `from` into the target. What was in the target ends at `from`, or at `spare` where the file system cannot
    /// exchange two names.
    fn bring(&self, from: Place, spare: Place) -> Result<(), PlacementError> {
        if !self.is_there(Place::Target)? {
            return self.rename(from, Place::Target);
        }
        self.unlock()?;
        match self.rename_with(from, Place::Target, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => {
                self.rename(Place::Target, spare)?;
                self.rename(from, Place::Target)
            }
            outcome => outcome.map_err(|error| self.failed("rename")(error.into())),
        }
    }

    /// Moves, but never over something.
    fn rename(&self, from: Place, to: Place) -> Result<(), PlacementError> {
        self.unlock()?;
        self.make_parents(to)
            .map_err(self.failed("make the folder of"))?;
        let outcome = match self.rename_with(from, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) if self.is_there(to)? => Err(Errno::EXIST),
            Err(Errno::INVAL | Errno::NOSYS) => self.rename_with(from, to, RenameFlags::empty()),
            outcome => outcome,
        };
        outcome.map_err(|error| self.failed("rename")(error.into()))
    }

    fn rename_with(&self, from: Place, to: Place, flags: RenameFlags) -> Result<(), Errno> {
        let parents = |place| {
            self.folder(place)
                .parent_of(&self.child.path)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        };
        let ((from, name), (to, _)) = (parents(from)?, parents(to)?);
        renameat_with(&from, name, &to, name, flags)?;
        self.area.steps.reached("rename");
        Ok(())
    }

    /// In `new` and `old`, folders above a path are ours; in the target the plan has taken care of them.
    fn make_parents(&self, place: Place) -> io::Result<()> {
        if place == Place::Target {
            return Ok(());
        }
        let folder = self.folder(place);
        for (slash, _) in self
            .child
            .path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
        {
            let (parent, name) = folder.parent_of(&self.child.path[..slash])?;
            match rustix::fs::mkdirat(&parent, name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn nodes(&self) -> impl Iterator<Item = (Node, u32)> {
        [self.child.old, self.child.new]
            .into_iter()
            .flatten()
            .filter_map(|node| Some((node, node.mode?)))
    }

    /// Makes folders writable that could not be moved otherwise.
    fn unlock(&self) -> Result<(), PlacementError> {
        self.nodes()
            .try_for_each(|(node, mode)| self.chmod(node, mode | 0o700))
    }

    fn set_modes(&self) -> Result<(), PlacementError> {
        self.nodes()
            .try_for_each(|(node, mode)| self.chmod(node, mode))
    }

    fn chmod(&self, node: Node, mode: u32) -> Result<(), PlacementError> {
        let Some(place) = self.place_of(Some(node))? else {
            return Ok(());
        };
        let (parent, name) = self
            .folder(place)
            .parent_of(&self.child.path)
            .map_err(self.failed("open the folder of"))?;
        chmodat(&parent, name, Mode::from_raw_mode(mode), AtFlags::empty())
            .map_err(|error| self.failed("change the mode of")(error.into()))
    }
}
