//! What to extract how, and what came of it.

use std::num::NonZeroUsize;

use super::error::FailedEntry;
use crate::ArchivePath;

/// How to extract.
#[derive(Debug, Clone)]
pub struct ExtractOptions {
    /// Threads that decode and write. Default: 1.
    pub jobs: NonZeroUsize,
    /// Only what lies below this folder is extracted, without this part of its path; the folder itself stands for the target, which
    /// gets its metadata. Default: none, full paths.
    pub strip_prefix: Option<ArchivePath>,
    /// Whether to give files to their owners. Default: [`Owners::Keep`].
    pub owners: Owners,
    /// Which symbolic links are accepted. Default: [`SymlinkPolicy::AsStored`].
    pub symlinks: SymlinkPolicy,
    /// Leave a damaged file behind, its name with `.damaged` at the end, instead of removing it. Default: false.
    pub keep_damaged: bool,
    /// Most entries to extract. Default: 100 million.
    pub max_entries: u64,
    /// Most bytes of content to extract. Default: no limit but the free space.
    pub max_bytes: u64,
    /// Refuse at the beginning what does not fit on the file system of the target. Default: true.
    pub check_space: bool,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self {
            jobs: NonZeroUsize::MIN,
            strip_prefix: None,
            owners: Owners::default(),
            symlinks: SymlinkPolicy::default(),
            keep_damaged: false,
            max_entries: 100_000_000,
            max_bytes: u64::MAX,
            check_space: true,
        }
    }
}

/// Whether to give files to their owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owners {
    /// By number. Only root may; for others, [`ExtractStats::owners`] counts the files that stay theirs.
    #[default]
    Keep,
    /// Everything belongs to whoever extracts. Set-user-id and set-group-id bits are left out unless the owner is the same anyway.
    Ignore,
}

/// Which symbolic links are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SymlinkPolicy {
    /// All, as they are stored.
    #[default]
    AsStored,
    /// Only those that stay inside the target; others are an error before anything is extracted.
    Confined,
}

/// What was extracted.
#[derive(Debug, Default)]
pub struct ExtractStats {
    /// Regular files, hard links included.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Entries that are not there, sorted by path. Everything else is.
    pub failed: Vec<FailedEntry>,
    /// Files whose owner or group could not be set, for want of privileges.
    pub owners: Loss,
    /// Extended attributes that could not be set: the file system has none, or for want of privileges.
    pub attributes: Loss,
    /// Set-user-id and set-group-id bits left out because the owner is another one.
    pub set_id_bits: Loss,
}

/// Metadata that could not be kept: nothing went wrong, but a person should know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Loss {
    /// How many times.
    pub count: u64,
    /// The first time, for a message.
    pub example: Option<ArchivePath>,
}

impl Loss {
    pub(super) fn note(&mut self, path: &ArchivePath) {
        self.count += 1;
        self.example.get_or_insert_with(|| path.clone());
    }
}

/// Is told how far extraction is, from several threads.
pub trait ExtractObserver: Sync {
    /// The work was sized up: so many entries and bytes are to be extracted.
    fn planned(&self, entries: u64, bytes: u64) {
        let _ = (entries, bytes);
    }

    /// So many more bytes of content were written.
    fn wrote(&self, bytes: u64) {
        let _ = bytes;
    }

    /// One more file is complete, or has failed.
    fn finished(&self, path: &ArchivePath) {
        let _ = path;
    }
}

/// Ignores everything.
impl ExtractObserver for () {}
