//! Setting owners, attributes, modes and times by handle.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;

use super::folder::Folder;
use super::options::{ExtractStats, Loss, Owners};
use crate::{ArchivePath, Entry, Metadata, Timestamp};

const SET_ID_BITS: u32 = 0o6000;

/// Sets metadata, and counts what cannot be kept.
pub(super) struct MetadataSetter {
    owners: Owners,
    is_root: bool,
    losses: Mutex<Losses>,
}

#[derive(Debug, Default)]
struct Losses {
    owners: Loss,
    attributes: Loss,
    set_id_bits: Loss,
}

impl MetadataSetter {
    pub(super) fn new(owners: Owners) -> Self {
        Self {
            owners,
            is_root: rustix::process::geteuid().is_root(),
            losses: Mutex::default(),
        }
    }

    /// Sets everything on an open file or folder.
    ///
    /// The order matters: a new owner clears set-user-id bits and capabilities, attributes need a mode that lets us write, and all of
    /// it is change that must not show in the time.
    pub(super) fn set(
        &self,
        fd: impl AsFd,
        path: &ArchivePath,
        metadata: &Metadata,
    ) -> io::Result<()> {
        let fd = fd.as_fd();
        let is_owned = self.set_owner(
            |uid, gid| rustix::fs::fchown(fd, uid, gid),
            || rustix::fs::fstat(fd),
            path,
            metadata,
        )?;
        for (name, value) in &metadata.xattrs {
            match rustix::fs::fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()) {
                Ok(()) => {}
                Err(Errno::NOTSUP | Errno::PERM | Errno::INVAL) => {
                    self.note(|losses| &mut losses.attributes, path)
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut mode = metadata.mode & 0o7777;
        if !is_owned && mode & SET_ID_BITS != 0 {
            self.note(|losses| &mut losses.set_id_bits, path);
            mode &= !SET_ID_BITS;
        }
        rustix::fs::fchmod(fd, Mode::from_raw_mode(mode))?;
        Ok(rustix::fs::futimens(fd, &times(metadata.mtime))?)
    }

    /// Sets what a symbolic link has: it cannot be opened, so it is named in the folder that holds it.
    pub(super) fn set_link(&self, folder: &Folder, name: &[u8], entry: &Entry) -> io::Result<()> {
        let metadata = &entry.metadata;
        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
        self.set_owner(
            |uid, gid| rustix::fs::chownat(folder, name, uid, gid, nofollow),
            || rustix::fs::statat(folder, name, nofollow),
            &entry.path,
            metadata,
        )?;
        for (attribute, value) in &metadata.xattrs {
            let by_handle = [
                format!("/proc/self/fd/{}/", folder.as_fd().as_raw_fd()).as_bytes(),
                name,
            ]
            .concat();
            if rustix::fs::lsetxattr(
                by_handle.as_slice(),
                attribute.as_slice(),
                value,
                XattrFlags::empty(),
            )
            .is_err()
            {
                self.note(|losses| &mut losses.attributes, &entry.path);
            }
        }
        Ok(rustix::fs::utimensat(
            folder,
            name,
            &times(metadata.mtime),
            nofollow,
        )?)
    }

    pub(super) fn move_losses_to(self, stats: &mut ExtractStats) {
        let losses = self
            .losses
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        stats.owners = losses.owners;
        stats.attributes = losses.attributes;
        stats.set_id_bits = losses.set_id_bits;
    }

    /// Whether the file has the stored owner and group in the end.
    fn set_owner(
        &self,
        chown: impl Fn(Option<Uid>, Option<Gid>) -> rustix::io::Result<()>,
        stat: impl FnOnce() -> rustix::io::Result<rustix::fs::Stat>,
        path: &ArchivePath,
        metadata: &Metadata,
    ) -> io::Result<bool> {
        // The kernel takes this number for "leave it".
        let is_possible = metadata.uid != u32::MAX && metadata.gid != u32::MAX;
        let keep = self.owners == Owners::Keep;
        if keep && self.is_root && is_possible {
            match chown(
                Some(Uid::from_raw(metadata.uid)),
                Some(Gid::from_raw(metadata.gid)),
            ) {
                Ok(()) => return Ok(true),
                // Root of a container may not give files to users that it does not know.
                Err(Errno::PERM | Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let now = stat()?;
        if (now.st_uid, now.st_gid) == (metadata.uid, metadata.gid) {
            return Ok(true);
        }
        // Anybody may give a file to another of their own groups.
        if keep
            && is_possible
            && now.st_uid == metadata.uid
            && chown(None, Some(Gid::from_raw(metadata.gid))).is_ok()
        {
            return Ok(true);
        }
        if keep {
            self.note(|losses| &mut losses.owners, path);
        }
        Ok(false)
    }

    fn note(&self, which: impl FnOnce(&mut Losses) -> &mut Loss, path: &ArchivePath) {
        which(&mut self.losses.lock().unwrap_or_else(PoisonError::into_inner)).note(path);
    }
}

fn times(mtime: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.seconds,
            tv_nsec: mtime.nanoseconds.into(),
        },
    }
}
