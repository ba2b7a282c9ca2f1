//! Deleting a tree of any depth and any modes, without recursion.

use std::io;
use std::process;

use backup_archive::extract::Folder;
use rustix::fs::{AtFlags, Mode, chmodat, renameat, unlinkat};
use rustix::io::Errno;

use crate::capture::Listing;

/// Deletes `name` in `holder`, a folder of ours, with everything below. Links are deleted, not followed.
///
/// Folders inside the tree are first moved up into `holder`: no path grows long and no more than two folders are open, whatever the
/// depth. Interrupted, it leaves folders named `trash-…` in `holder`.
pub(super) fn remove_tree(holder: &Folder, name: &[u8]) -> io::Result<()> {
    match unlinkat(holder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        other => return Ok(other?),
    }
    let mut pending = vec![name.to_vec()];
    let mut moved = 0_u64;
    while let Some(name) = pending.pop() {
        unlock(holder, &name)?;
        let folder = holder.folder(&name)?;
        let (mut children, listed) = Listing::read(&folder);
        listed?;
        while let Some(child) = children.next() {
            match unlinkat(&folder, child, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => {
                    // Moving a folder changes its `..`: it must be writable.
                    unlock(&folder, child)?;
                    moved += 1;
                    let trash = format!("trash-{}-{moved}", process::id()).into_bytes();
                    renameat(&folder, child, holder, trash.as_slice())?;
                    pending.push(trash);
                }
                other => other?,
            }
        }
        unlinkat(holder, name.as_slice(), AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

fn unlock(holder: &Folder, name: &[u8]) -> io::Result<()> {
    Ok(chmodat(holder, name, Mode::RWXU, AtFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use testkit::tree::set_mode;

    #[test]
    fn removes_links_locked_folders_and_thousands_of_levels() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kept"), b"kept").unwrap();
        let doomed = folder.path().join("doomed");
        fs::create_dir_all(doomed.join("locked/sub")).unwrap();
        symlink(folder.path(), doomed.join("link")).unwrap();
        fs::write(doomed.join("locked/sub/file"), b"x").unwrap();
        set_mode(&doomed.join("locked/sub"), 0);
        set_mode(&doomed.join("locked"), 0o500);
        let holder = Folder::open(folder.path()).unwrap();
        let mut at = holder.folder(b"doomed").unwrap();
        for _ in 0..3_000 {
            rustix::fs::mkdirat(&at, "deep", Mode::RWXU).unwrap();
            at = at.folder(b"deep").unwrap();
        }
        remove_tree(&holder, b"doomed").unwrap();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["kept"]);
        assert!(remove_tree(&holder, b"missing").is_err());
    }
}
