//! Trees of files for tests: generators of odd and of random ones, and a comparison of content and all metadata.
//!
//! ```
//! let source = tempfile::tempdir().unwrap();
//! testkit::tree::odd_tree(source.path());
//! testkit::tree::assert_same_tree(source.path(), source.path());
//! ```

mod compare;
mod odd;
mod random;

pub use compare::{Snapshot, assert_same_tree, differences, snapshot};
pub use odd::odd_tree;
pub use random::random_tree;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use crate::user::skipped;

/// Bytes that look random (they do not compress) and depend on `seed` only.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Text that compresses well and depends on `seed` only.
pub fn prose(seed: u64, len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = [
        "invoice ",
        "approved ",
        "the ",
        "contract ",
        "of ",
        "version ",
        "draft\n",
        "archive ",
    ];
    let picks = noise(seed, len / 2 + 1);
    let mut text: Vec<u8> = picks
        .iter()
        .flat_map(|pick| WORDS[usize::from(pick % 8)].bytes())
        .collect();
    text.truncate(len);
    text
}

/// Sets the permission bits of a file or folder.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|error| panic!("chmod {path:?}: {error}"));
}

/// Sets the modification time of anything, links included. File systems clamp what they cannot store.
pub fn set_mtime(path: &Path, seconds: i64, nanoseconds: u32) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.into(),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .unwrap_or_else(|error| panic!("utimensat {path:?}: {error}"));
}

/// Sets an extended attribute; false where the file system has none.
pub fn set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    match rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()) {
        Ok(()) => true,
        Err(Errno::NOTSUP | Errno::PERM) => {
            skipped(name, "the file system or the user may not set it");
            false
        }
        Err(error) => panic!("setxattr {name} of {path:?}: {error}"),
    }
}

/// Makes a file of `len` bytes that is one hole but for `data` at `offset`.
pub fn sparse_file(path: &Path, len: u64, offset: u64, data: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = File::create(path).unwrap_or_else(|error| panic!("create {path:?}: {error}"));
    file.set_len(len).expect("length of a sparse file");
    file.write_all_at(data, offset)
        .expect("data of a sparse file");
}
