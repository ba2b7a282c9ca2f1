//! Files to be archived, as the writer sees them: something to open, read once or more, and check for changes.

use std::io::{self, Read};

use crate::{ArchivePath, Digest, Metadata};

/// A file that [`ArchiveWriter::append_file`](crate::ArchiveWriter::append_file) reads, on a thread of its own choice.
pub trait FileSource: Send {
    /// Size in bytes when it was last looked at, without opening it. It decides how files are packed, not how many bytes are read.
    fn size_hint(&self) -> u64;

    /// Opens the file at its beginning. Called again, up to [`MAX_ATTEMPTS`] times in all, when the file changed while it was read.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] says that the file has vanished; all others, that it cannot be read.
    fn open(&mut self) -> io::Result<Box<dyn OpenFile + '_>>;
}

/// A file opened by a [`FileSource`]. Reads give its content from the beginning.
pub trait OpenFile: Read + Send {
    /// Metadata as of the moment of opening.
    fn metadata(&self) -> &Metadata;

    /// Size in bytes as of the moment of opening. Exactly so many bytes are read.
    fn size(&self) -> u64;

    /// Whether size and times still are what they were at opening. Called once, after the last read.
    ///
    /// # Errors
    /// As reading does.
    fn unchanged(&mut self) -> io::Result<bool>;
}

/// The content of a file as another archive holds it: see
/// [`ArchiveWriter::append_unless_held`](crate::ArchiveWriter::append_unless_held).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldContent {
    /// Its length in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// Identifies the archive, as for [`ArchiveWriter::append_reference`](crate::ArchiveWriter::append_reference).
    pub archive: Vec<u8>,
    /// Its path there, unless that is the same.
    pub stored_as: Option<ArchivePath>,
}

/// How often a file is read before it is taken as it is, though it keeps changing.
pub const MAX_ATTEMPTS: u32 = 3;

/// What became of a file given to the writer.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileOutcome {
    /// It is in the archive as it was at one moment.
    Captured,
    /// Its content is what another archive holds: it is listed, and not in this archive.
    Held {
        /// The archive that holds it: index into the identifiers, in the order of their first mention.
        archive: u32,
        /// It has another path there.
        renamed: bool,
    },
    /// It is in the archive, but kept changing while it was read: the content may mix old and new, and is cut or filled with zeros
    /// where the size did not hold.
    Changed,
    /// It is not in the archive: it was gone when it was to be read.
    Vanished,
    /// It is not in the archive: it could not be opened, or not be read to its end.
    Unreadable(io::Error),
}

/// Is told what the writer does, from several threads. Every method may be left out.
pub trait WriteObserver: Send + Sync {
    /// A file given to [`ArchiveWriter::append_file`](crate::ArchiveWriter::append_file) is dealt with. `size` is its length in
    /// bytes, 0 if it is in no archive.
    ///
    /// A hard link whose target is not in the archive arrives here too, as [`FileOutcome::Vanished`]: without the target it is of no use.
    fn file(&self, path: &ArchivePath, size: u64, outcome: FileOutcome) {
        let _ = (path, size, outcome);
    }

    /// So many more bytes of content went in, and so many came out as stored bytes.
    fn progress(&self, content_bytes: u64, stored_bytes: u64) {
        let _ = (content_bytes, stored_bytes);
    }
}

/// Ignores everything.
impl WriteObserver for () {}
