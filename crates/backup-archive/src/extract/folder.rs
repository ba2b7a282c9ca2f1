//! A folder held by a handle: everything is reached beneath it and never through a link.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// Longest path given to the kernel in one call; longer ones are walked in steps.
const MAX_STEP: usize = 4000;

/// A folder held open.
///
/// Paths are bytes relative to it, `/` between parts, without `.` or `..`; the empty path is the folder itself. No part of a path
/// is ever followed when it is a symbolic link: the call fails instead (`ELOOP`, or `ENOTDIR` for a link in the middle). The
/// kernel guarantees it (`openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS`); where that call is
/// missing (before Linux 5.6, or filtered by a container) the path is opened part by part with `O_NOFOLLOW`, which gives the same
/// guarantee for paths without `..`, only slower.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder by a path that the operator gave: links in it are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a folder beneath this one.
    pub fn folder(&self, path: &[u8]) -> io::Result<Self> {
        Ok(Self(self.open_beneath(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY,
            Mode::empty(),
        )?))
    }

    /// Opens whatever is at `path`, for what `flags` say. Links are never followed, not even as the last part.
    ///
    /// `mode` counts only together with `OFlags::CREATE`.
    pub fn open_beneath(&self, path: &[u8], flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let mut rest = if path.is_empty() {
            b".".as_slice()
        } else {
            path
        };
        let mut reached: Option<OwnedFd> = None;
        while rest.len() > MAX_STEP {
            let cut = rest[..MAX_STEP]
                .iter()
                .rposition(|byte| *byte == b'/')
                .ok_or(Errno::NAMETOOLONG)?;
            let at = reached.as_ref().unwrap_or(&self.0).as_fd();
            reached = Some(step(
                at,
                &rest[..cut],
                OFlags::PATH | OFlags::DIRECTORY,
                Mode::empty(),
            )?);
            rest = &rest[cut + 1..];
        }
        Ok(step(
            reached.as_ref().unwrap_or(&self.0).as_fd(),
            rest,
            flags,
            mode,
        )?)
    }

    /// Creates a file that must not exist yet, open for writing, readable by its owner only until told otherwise.
    pub fn create_file(&self, path: &[u8]) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        Ok(self
            .open_beneath(path, flags, Mode::RUSR | Mode::WUSR)?
            .into())
    }

    /// The handle of the folder that holds `path`, and the last part of `path`.
    pub fn parent_of<'path>(&self, path: &'path [u8]) -> io::Result<(Folder, &'path [u8])> {
        let (parent, name) = split(path);
        Ok((
            Self(self.open_beneath(parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?),
            name,
        ))
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Folder {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

/// Cuts a path before its last part; the first half is empty when there is only one.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

fn step(at: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if has_openat2() {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        openat2(at, path, flags, mode, resolve)
    } else {
        part_by_part(at, path, flags, mode)
    }
}

fn part_by_part(
    at: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let (parents, last) = split(path);
    let mut reached: Option<OwnedFd> = None;
    for part in parents
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
    {
        if part == b".." {
            return Err(Errno::XDEV);
        }
        let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let at = reached.as_ref().map_or(at, AsFd::as_fd);
        reached = Some(openat(at, part, through, Mode::empty())?);
    }
    if last == b".." || path.first() == Some(&b'/') {
        return Err(Errno::XDEV);
    }
    openat(reached.as_ref().map_or(at, AsFd::as_fd), last, flags, mode)
}

/// Asked once: old container filters answer `EPERM` instead of `ENOSYS`, which a real call may answer, too.
fn has_openat2() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat2(
            rustix::fs::CWD,
            "/",
            flags,
            Mode::empty(),
            ResolveFlags::NO_MAGICLINKS,
        )
        .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    type Opener = fn(BorrowedFd<'_>, &[u8], OFlags, Mode) -> Result<OwnedFd, Errno>;

    #[test]
    fn both_ways_reach_what_is_beneath_and_nothing_else() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), b"secret").unwrap();
        let inside = tempfile::tempdir().unwrap();
        fs::create_dir_all(inside.path().join("a/b")).unwrap();
        fs::write(inside.path().join("a/b/file"), b"x").unwrap();
        symlink(outside.path(), inside.path().join("a/out")).unwrap();
        symlink("b", inside.path().join("a/near")).unwrap();
        symlink("file", inside.path().join("a/b/link")).unwrap();
        let root = Folder::open(inside.path()).unwrap();
        for open in [step as Opener, part_by_part as Opener] {
            let read = |path: &[u8]| {
                open(
                    root.as_fd(),
                    path,
                    OFlags::RDONLY | OFlags::NOFOLLOW,
                    Mode::empty(),
                )
            };
            assert!(read(b"a/b/file").is_ok());
            assert!(read(b".").is_ok());
            for refused in [
                b"a/out/secret".as_slice(),
                b"a/near/file",
                b"a/b/link",
                b"a/out",
                b"..",
                b"a/../..",
                b"/etc",
            ] {
                assert!(read(refused).is_err(), "{}", refused.escape_ascii());
            }
        }
    }

    #[test]
    fn paths_longer_than_the_kernel_takes_are_walked_in_steps() {
        let inside = tempfile::tempdir().unwrap();
        let root = Folder::open(inside.path()).unwrap();
        let mut path = Vec::new();
        for level in 0..60 {
            if level > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&[b'd'; 100]);
            let (parent, name) = root.parent_of(&path).unwrap();
            rustix::fs::mkdirat(&parent, name, Mode::RWXU).unwrap();
        }
        assert!(path.len() > 6000);
        path.extend_from_slice(b"/file");
        root.create_file(&path).unwrap();
        assert!(
            root.open_beneath(&path, OFlags::RDONLY, Mode::empty())
                .is_ok()
        );
        assert_eq!(
            root.create_file(&path).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
