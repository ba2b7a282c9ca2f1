//! Reading extended attributes: those a restore can set again and a person would miss.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::io::Errno;

/// The kernel's own limit for a list of names and for one value.
const MAX_LEN: usize = 64 * 1024;

/// Names and values, sorted by name.
pub(crate) type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Attributes of an open file or folder.
pub(crate) fn of_handle(fd: impl AsFd) -> io::Result<Xattrs> {
    let fd = fd.as_fd();
    // Nearly every file has none: asked without allocating a buffer.
    match rustix::fs::flistxattr_query(fd) {
        Ok(0) | Err(Errno::NOTSUP) => Ok(Vec::new()),
        Ok(_) => read(
            |names| rustix::fs::flistxattr(fd, names),
            |name, value| rustix::fs::fgetxattr(fd, name, value),
        ),
        Err(error) => Err(error.into()),
    }
}

/// Attributes of a link itself, which cannot be opened: reached by its folder's entry in `/proc`. None where that is not mounted.
pub(crate) fn of_link(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<Xattrs> {
    let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let path = path.as_slice();
    match rustix::fs::llistxattr_query(path) {
        Ok(0) | Err(Errno::NOTSUP | Errno::NOENT) => Ok(Vec::new()),
        Ok(_) => read(
            |names| rustix::fs::llistxattr(path, names),
            |name, value| rustix::fs::lgetxattr(path, name, value),
        ),
        Err(error) => Err(error.into()),
    }
}

fn read(
    list: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
    get: impl Fn(&[u8], &mut [u8]) -> rustix::io::Result<usize>,
) -> io::Result<Xattrs> {
    let mut buffer = vec![0; MAX_LEN];
    let len = list(&mut buffer)?;
    let names = buffer[..len].to_vec();
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| is_kept(name)) {
        match get(name, &mut buffer) {
            Ok(len) => found.push((name.to_vec(), buffer[..len].to_vec())),
            // Removed since it was listed.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    found.sort();
    Ok(found)
}

/// What belongs to the file: not the labels that a security module, the kernel or a network file system puts there by itself.
fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b"user.")
        || matches!(
            name,
            b"system.posix_acl_access" | b"system.posix_acl_default" | b"security.capability"
        )
}
