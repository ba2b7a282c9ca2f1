//! Entries: what an archive holds, and everything known of one besides its content.

use crate::{ArchivePath, Digest};

/// One entry of an archive, as its table of contents describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is in the archive.
    pub path: ArchivePath,
    /// What it is.
    pub kind: EntryKind,
    /// Mode, owner, times and the like.
    pub metadata: Metadata,
    /// Length of its content in bytes; 0 unless it is a file.
    pub size: u64,
    /// Digest of its content. `None` for what has no content, and in archives without a table of contents.
    pub digest: Option<Digest>,
    /// Where its bytes are.
    pub location: Location,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file, with content.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it points, byte for byte; any path, also an absolute or dangling one.
        target: Vec<u8>,
    },
    /// Another name of a file that comes earlier in the archive.
    HardLink {
        /// The earlier entry.
        target: ArchivePath,
    },
}

/// Where the bytes of an entry are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this archive.
    Here {
        /// Offset of its first header block in the tar stream, in bytes.
        offset: u64,
        /// Length of its headers, in bytes; the content follows.
        header_len: u32,
    },
    /// In another archive.
    Elsewhere {
        /// Index into [`ArchiveReader::archives`](crate::ArchiveReader::archives).
        archive: u32,
        /// The path that it has there, if it is another one: the file was renamed since.
        stored_as: Option<ArchivePath>,
    },
}

/// Everything that an entry carries besides path, kind and content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Name of the owner; empty when not known.
    pub user: Vec<u8>,
    /// Name of the group; empty when not known.
    pub group: Vec<u8>,
    /// Time of the last change of the content.
    pub mtime: Timestamp,
    /// Extended attributes: full name (such as `user.comment`) and value, in the order given.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the file had holes. They are stored as zeros, which every tar reader understands; extraction makes holes again.
    pub sparse: bool,
    /// What change detection compares. Kept in the table of contents alone: no tar reader could use it.
    pub origin: Option<Origin>,
}

/// Identity of the file that an entry was read from, to find out later whether it has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Time of the last change of content or metadata.
    pub ctime: Timestamp,
    /// Inode number.
    pub inode: u64,
}

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds, rounded down; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after `seconds`: 0 to 999 999 999.
    pub nanoseconds: u32,
}

impl EntryKind {
    /// Whether this is [`EntryKind::File`].
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File)
    }

    /// Whether this is [`EntryKind::Directory`].
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Directory)
    }
}
