//! What entries must be among each other: no path twice, nothing below what is no folder, no link that leaves the archive.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::{ArchivePath, Entry, EntryKind, Refusal};

/// Remembers the paths of the entries so far, as 64-bit hashes with a key that nobody knows beforehand: a table of millions
/// of entries takes tens of megabytes, whatever their names.
#[derive(Default)]
pub(super) struct SeenPaths {
    key: RandomState,
    seen: HashMap<u64, Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Something lies below it, though it did not come itself.
    ImpliedDirectory,
    Directory,
    File,
    Link,
}

impl SeenPaths {
    /// Takes the next entry.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let seen = match entry.kind {
            EntryKind::File | EntryKind::HardLink { .. } => Seen::File,
            EntryKind::Directory => Seen::Directory,
            EntryKind::Symlink { .. } => Seen::Link,
        };
        let mut hashes = PrefixHashes::new(&self.key, &entry.path);
        let mut hash = hashes.next_prefix();
        while let Some(prefix) = hash {
            hash = hashes.next_prefix();
            if hash.is_none() {
                return self.add_last(prefix, seen);
            }
            match self.seen.entry(prefix).or_insert(Seen::ImpliedDirectory) {
                Seen::ImpliedDirectory | Seen::Directory => {}
                Seen::File | Seen::Link => return Err(Refusal::ParentNotDirectory),
            }
        }
        Ok(())
    }

    fn add_last(&mut self, hash: u64, seen: Seen) -> Result<(), Refusal> {
        match self.seen.insert(hash, seen) {
            None => Ok(()),
            Some(Seen::ImpliedDirectory) if seen == Seen::Directory => Ok(()),
            Some(_) => Err(Refusal::Duplicate),
        }
    }

    /// Checks links of archives that other programs wrote. `entry` must not be added yet.
    pub(super) fn check_link(&self, entry: &Entry) -> Result<(), Refusal> {
        match &entry.kind {
            EntryKind::Symlink { target } if leaves(&entry.path, target) => {
                Err(Refusal::LinkEscapes)
            }
            EntryKind::HardLink { target } => {
                let mut hashes = PrefixHashes::new(&self.key, target);
                let whole = std::iter::from_fn(|| hashes.next_prefix()).last();
                match whole.and_then(|hash| self.seen.get(&hash)) {
                    Some(Seen::File | Seen::Link) => Ok(()),
                    _ => Err(Refusal::LinkTargetMissing),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Whether a symbolic link points out of the archive, as far as its own text tells.
fn leaves(path: &ArchivePath, target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let mut depth = path.parts().count() as i64 - 1;
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Hashes of a path's first part, first two parts, and so on, in one pass.
struct PrefixHashes<'a> {
    hasher: <RandomState as BuildHasher>::Hasher,
    rest: Option<&'a [u8]>,
}

impl<'a> PrefixHashes<'a> {
    fn new(key: &RandomState, path: &'a ArchivePath) -> Self {
        Self {
            hasher: key.build_hasher(),
            rest: Some(path.as_bytes()),
        }
    }

    fn next_prefix(&mut self) -> Option<u64> {
        let rest = self.rest?;
        let len = rest
            .iter()
            .position(|&byte| byte == b'/')
            .unwrap_or(rest.len());
        self.hasher.write(&rest[..len]);
        self.hasher.write_u8(b'/');
        self.rest = rest.get(len + 1..);
        Some(self.hasher.finish())
    }
}
