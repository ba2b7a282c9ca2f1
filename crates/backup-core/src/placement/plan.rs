//! What has to move: written to the journal before anything does.

use std::collections::BTreeSet;
use std::io;

use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, FileType, Stat, StatxAttributes, StatxFlags, statat, statx};
use rustix::io::Errno;

use super::area::{Area, LOST_AND_FOUND, display_path, is_ours, look};
use super::error::PlacementError;
use super::folder_state::FolderState;
use super::journal::{Child, FolderRecord, Node, Record};
use crate::capture::Listing;

/// Plans to replace everything in the target. Returns the metadata that the target itself gets.
pub(super) fn plan_whole(area: &mut Area) -> Result<FolderState, PlacementError> {
    let list = |folder, path| {
        let (names, listed) = Listing::read(folder);
        listed
            .map_err(PlacementError::io("list", path))
            .map(|()| names)
    };
    let mut there = list(&area.target.folder, &area.target.path)?;
    let mut staged = list(&area.new, &area.path)?;
    let mut next_there = there.next().map(<[u8]>::to_vec);
    let mut next_staged = staged.next().map(<[u8]>::to_vec);
    loop {
        let (in_target, in_new) = match (&next_there, &next_staged) {
            (None, None) => break,
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(left), Some(right)) => (left <= right, right <= left),
        };
        let name = if in_target {
            next_there.take()
        } else {
            next_staged.clone()
        }
        .unwrap_or_default();
        if in_target {
            next_there = there.next().map(<[u8]>::to_vec);
        }
        if in_new {
            next_staged = staged.next().map(<[u8]>::to_vec);
        }
        let stays = in_target && (is_ours(&name) || name == LOST_AND_FOUND);
        if !stays {
            plan_child(area, name)?;
        }
    }
    FolderState::of(&area.new).map_err(PlacementError::io("look at", &area.path))
}

/// Plans to replace single paths, each with everything below it.
pub(super) fn plan_paths(
    area: &mut Area,
    paths: &mut dyn Iterator<Item = Vec<u8>>,
) -> Result<(), PlacementError> {
    let mut planned = BTreeSet::new();
    for path in paths {
        let staged = look(&area.new, &path).map_err(PlacementError::io(
            "look at",
            &display_path(&area.path, &path),
        ))?;
        if staged.is_none() {
            return Err(PlacementError::NotStaged {
                path: display_path(&area.path, &path),
            });
        }
        for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            plan_parent(area, &path[..slash], &mut planned)?;
        }
        plan_child(area, path)?;
    }
    Ok(())
}

fn plan_parent(
    area: &mut Area,
    path: &[u8],
    planned: &mut BTreeSet<Vec<u8>>,
) -> Result<(), PlacementError> {
    if !planned.insert(path.to_vec()) {
        return Ok(());
    }
    let shown = display_path(&area.target.path, path);
    let record = |folder: &Folder, make: fn(FolderRecord) -> Record| {
        let state = folder
            .folder(path)
            .and_then(|folder| FolderState::of(&folder));
        state.map(|state| {
            make(FolderRecord {
                path: path.to_vec(),
                state,
            })
        })
    };
    let record = match look(&area.target.folder, path) {
        Ok(Some(stat)) if is_folder(&stat) => record(&area.target.folder, Record::Parent),
        Ok(Some(_)) => return Err(PlacementError::NotAFolder { path: shown }),
        Ok(None) => record(&area.new, Record::Folder),
        Err(error) if is_not_a_folder(&error) => {
            return Err(PlacementError::NotAFolder { path: shown });
        }
        Err(error) => Err(error),
    };
    area.journal
        .write(&record.map_err(PlacementError::io("look at", &shown))?)
}

fn plan_child(area: &mut Area, path: Vec<u8>) -> Result<(), PlacementError> {
    let shown = display_path(&area.target.path, &path);
    let failed = || PlacementError::io("look at", &shown);
    let old = look(&area.target.folder, &path).map_err(failed())?;
    let new = look(&area.new, &path).map_err(failed())?;
    if old.is_some_and(|stat| is_folder(&stat)) && is_mount_point(area, &path).map_err(failed())? {
        return Err(PlacementError::MountPoint { path: shown });
    }
    let child = Child {
        path,
        old: old.as_ref().map(node),
        new: new.as_ref().map(node),
    };
    area.journal.write(&Record::Child(child))
}

fn node(stat: &Stat) -> Node {
    const OWNER_MAY_WRITE: u32 = 0o200;
    let is_locked = is_folder(stat)
        && stat.st_mode & OWNER_MAY_WRITE == 0
        && !rustix::process::geteuid().is_root();
    Node {
        inode: stat.st_ino,
        mode: is_locked.then_some(stat.st_mode & 0o7777),
    }
}

fn is_mount_point(area: &Area, path: &[u8]) -> io::Result<bool> {
    let (parent, name) = area.target.folder.parent_of(path)?;
    match statx(&parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) {
        Ok(found)
            if found
                .stx_attributes_mask
                .contains(StatxAttributes::MOUNT_ROOT) =>
        {
            Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
        }
        // Kernels that do not tell still show another file system by its device.
        Ok(_) | Err(Errno::NOSYS) => {
            let device = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_dev;
            Ok(device != rustix::fs::fstat(&parent)?.st_dev)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_dir()
}

fn is_not_a_folder(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOTDIR | Errno::LOOP)
    )
}
