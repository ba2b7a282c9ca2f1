//! Files that had another path when the base was made: found by inode, size and mtime.

use std::hash::{BuildHasher, RandomState};

use backup_archive::{ArchivePath, ArchiveReader, Entry, Metadata, ReadError, Timestamp};

/// So many files of the base are known by their inodes: 8 bytes each. Those beyond are not recognised when they were renamed, and stored
/// again.
const MAX_KNOWN: usize = 4 << 20;

/// The files of a base by inode. Made when the first is looked for: most increments have no renamed file.
#[derive(Default)]
pub(super) struct MovedFiles {
    hasher: RandomState,
    /// Half of a hash, and the number of the entry; sorted.
    known: Option<Vec<u64>>,
}

impl MovedFiles {
    /// The file of the base that has the inode, size and mtime of this one.
    pub(super) fn find(
        &mut self,
        base: &ArchiveReader,
        metadata: &Metadata,
        size: u64,
    ) -> Result<Option<Entry>, ReadError> {
        let Some(origin) = metadata.origin else {
            return Ok(None);
        };
        if self.known.is_none() {
            self.known = Some(self.read(base)?);
        }
        let hash = self.hash(origin.inode, size, metadata.mtime);
        let known = self.known.as_deref().unwrap_or_default();
        let start = known.partition_point(|one| one >> 32 < hash);
        for one in known[start..].iter().take_while(|one| **one >> 32 == hash) {
            let entry = base.entry(one & u64::from(u32::MAX))?;
            let is_it = |entry: &Entry| {
                entry.size == size
                    && entry.metadata.mtime == metadata.mtime
                    && entry
                        .metadata
                        .origin
                        .is_some_and(|before| before.inode == origin.inode)
            };
            if let Some(entry) = entry.filter(is_it) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn read(&self, base: &ArchiveReader) -> Result<Vec<u64>, ReadError> {
        let files = ArchivePath::new("files").expect("a constant path");
        let mut known = Vec::new();
        for (number, entry) in (0_u32..).zip(base.entries()) {
            let entry = entry?;
            if let Some(origin) = entry.metadata.origin
                && entry.kind.is_file()
                && entry.size > 0
                && entry.path.starts_with(&files)
            {
                let hash = self.hash(origin.inode, entry.size, entry.metadata.mtime);
                known.push(hash << 32 | u64::from(number));
            }
            if known.len() == MAX_KNOWN {
                break;
            }
        }
        known.sort_unstable();
        Ok(known)
    }

    /// 32 bits.
    fn hash(&self, inode: u64, size: u64, mtime: Timestamp) -> u64 {
        self.hasher.hash_one((inode, size, mtime)) >> 32
    }
}
