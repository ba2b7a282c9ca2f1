//! Metadata of a folder that stays where it is: read, kept in the journal, and set again.

use std::io;

use backup_archive::Timestamp;
use backup_archive::extract::Folder;
use rustix::fs::{Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::capture::xattrs;

/// Owner, mode, time and attributes of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderState {
    mode: u32,
    uid: u32,
    gid: u32,
    mtime_seconds: i64,
    mtime_nanoseconds: u32,
    xattrs: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Attribute {
    #[serde(with = "super::names")]
    name: Vec<u8>,
    #[serde(with = "super::names")]
    value: Vec<u8>,
}

impl FolderState {
    pub(super) fn of(folder: &Folder) -> io::Result<Self> {
        let stat = rustix::fs::fstat(folder)?;
        let mtime = crate::capture::mtime_of(&stat);
        let attributes = xattrs::of_handle(folder)?;
        Ok(Self {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime_seconds: mtime.seconds,
            mtime_nanoseconds: mtime.nanoseconds,
            xattrs: attributes
                .into_iter()
                .map(|(name, value)| Attribute { name, value })
                .collect(),
        })
    }

    /// Makes the folder be so. What only root may set (the owner, some attributes) stays as it is for others.
    pub(super) fn apply(&self, folder: &Folder) -> io::Result<()> {
        let now = Self::of(folder)?;
        if (now.uid, now.gid) != (self.uid, self.gid) {
            let chown = rustix::fs::fchown(
                folder,
                Some(Uid::from_raw(self.uid)),
                Some(Gid::from_raw(self.gid)),
            );
            unless_forbidden(chown)?;
        }
        for gone in now
            .xattrs
            .iter()
            .filter(|there| self.xattrs.iter().all(|wanted| wanted.name != there.name))
        {
            unless_forbidden(rustix::fs::fremovexattr(folder, gone.name.as_slice()))?;
        }
        for wanted in self
            .xattrs
            .iter()
            .filter(|wanted| !now.xattrs.contains(wanted))
        {
            unless_forbidden(rustix::fs::fsetxattr(
                folder,
                wanted.name.as_slice(),
                &wanted.value,
                XattrFlags::empty(),
            ))?;
        }
        unless_forbidden(rustix::fs::fchmod(folder, Mode::from_raw_mode(self.mode)))?;
        unless_forbidden(rustix::fs::futimens(folder, &self.times()))?;
        Ok(())
    }

    fn times(&self) -> Timestamps {
        let mtime = Timestamp {
            seconds: self.mtime_seconds,
            nanoseconds: self.mtime_nanoseconds,
        };
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
}

fn unless_forbidden(outcome: rustix::io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(Errno::PERM | Errno::NOTSUP) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
