//! Reading many entries at once: the archive's threads decode, and hand what they have decoded to a receiver.

use std::ops::ControlFlow;

use crate::{Entry, Refusal};

/// Takes the entries of [`ArchiveReader::read_entries`](crate::ArchiveReader::read_entries), from several threads at once.
///
/// For each wanted entry: `begin` once, `piece` for each piece of its content, then `end` once. Small entries arrive whole, on one
/// thread, after their digest was checked. The pieces of a large one are decoded by several threads and arrive in any order; the
/// digest is checked when all are there, so it is `end` that tells whether the content was right.
///
/// `begin` runs in about the order of the archive, but threads overtake each other: a folder may begin after what it holds.
/// Every method may stop the whole with [`ControlFlow::Break`]; the receiver knows why. Failures that concern one entry are the
/// receiver's to remember in its output.
pub trait EntryReceiver: Sync {
    /// What the receiver keeps of one entry from `begin` to `end`, such as an open file.
    type Output: Send + Sync;

    /// The entry's headers were read and agree with the table of contents.
    fn begin(&self, entry: &Entry) -> ControlFlow<(), Self::Output>;

    /// `data` belongs at `offset` of the content. Never empty; pieces do not overlap.
    fn piece(
        &self,
        entry: &Entry,
        output: &Self::Output,
        offset: u64,
        data: &[u8],
    ) -> ControlFlow<()>;

    /// No more pieces come. `Err` says that the entry is damaged: `output` is `None` if it was found before `begin`; otherwise what
    /// was delivered must not be trusted.
    fn end(
        &self,
        entry: &Entry,
        output: Option<Self::Output>,
        outcome: Result<(), Damage>,
    ) -> ControlFlow<()>;
}

/// Why the content of an entry cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The stored bytes that hold it could not be read from the file.
    #[error("its bytes cannot be read: {0}")]
    Unreadable(String),
    /// The stored bytes that hold it do not decode, or not to the length that the table of contents says.
    #[error("the stored bytes at {offset} do not decode")]
    Member {
        /// Where the member begins in the file.
        offset: u64,
    },
    /// The stored bytes decode, but are not those that were written.
    #[error("the stored bytes at {offset} differ from what was written")]
    MemberDigest {
        /// Where the member begins in the file.
        offset: u64,
    },
    /// The tar header before the content is not one, or describes another entry than the table of contents does.
    #[error("its tar header differs from the table of contents in {field}")]
    Header {
        /// The first field found to differ.
        field: &'static str,
    },
    /// The content is not what was written.
    #[error("its content differs from what was written")]
    Content,
    /// The archive that holds its content is not at hand.
    #[error("its content is in archive {archive}, which is missing")]
    ArchiveMissing {
        /// Identifier of the archive.
        archive: String,
    },
    /// The archive that should hold its content has another one under its path, or none.
    #[error("archive {archive} does not hold its content")]
    NotInArchive {
        /// Identifier of the archive.
        archive: String,
    },
    /// It is intact, but not as an entry of an archive must be.
    #[error("{0}")]
    Refused(Refusal),
}
