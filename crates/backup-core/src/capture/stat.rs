//! From what the kernel says of a file to what the archive keeps of it.

use backup_archive::{Metadata, Origin, Timestamp};
use rustix::fs::Stat;

use super::OwnerNames;

/// All metadata but extended attributes.
pub(super) fn metadata_of(stat: &Stat, owners: &OwnerNames) -> Metadata {
    Metadata {
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        user: owners.user(stat.st_uid),
        group: owners.group(stat.st_gid),
        mtime: mtime(stat),
        xattrs: Vec::new(),
        sparse: has_holes(stat),
        origin: Some(Origin {
            ctime: ctime(stat),
            inode: stat.st_ino,
        }),
    }
}

/// Length of a regular file in bytes.
pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// How many names a file has.
pub(super) fn names(stat: &Stat) -> u64 {
    // The kernel's type differs between processors.
    fn widen(count: impl Into<u64>) -> u64 {
        count.into()
    }
    widen(stat.st_nlink)
}

/// Whether a regular file occupies less than its length. Only a hint: compressing file systems say so of files without holes.
pub(super) fn has_holes(stat: &Stat) -> bool {
    const BLOCK: u64 = 512;
    rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file()
        && u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK < size(stat)
}

/// Whether two looks at one open file show the same content, as far as the kernel tells.
pub(super) fn is_unchanged(before: &Stat, after: &Stat) -> bool {
    before.st_size == after.st_size
        && mtime(before) == mtime(after)
        && ctime(before) == ctime(after)
        && before.st_ino == after.st_ino
}

pub(crate) fn mtime(stat: &Stat) -> Timestamp {
    timestamp(stat.st_mtime, stat.st_mtime_nsec)
}

fn ctime(stat: &Stat) -> Timestamp {
    timestamp(stat.st_ctime, stat.st_ctime_nsec)
}

fn timestamp(seconds: i64, nanoseconds: impl TryInto<u32>) -> Timestamp {
    Timestamp {
        seconds,
        nanoseconds: nanoseconds.try_into().unwrap_or(0),
    }
}
