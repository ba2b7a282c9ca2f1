//! Why a tar stream is refused.

use crate::PathError;

/// What is wrong with an entry of a tar stream. Anything that two tar readers could understand differently is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The stream ends inside a header or a content.
    #[error("the archive ends in the middle of it")]
    Truncated,
    /// A header block has neither the ustar nor the GNU magic.
    #[error("there is no tar header")]
    NoHeader,
    /// The checksum of a header block does not match.
    #[error("the checksum of its header is wrong")]
    Checksum,
    /// A number in a header is malformed, negative or too large.
    #[error("the number in field {0} is malformed")]
    Number(&'static str),
    /// The name is not one that can be extracted safely.
    #[error("{0}")]
    Path(#[from] PathError),
    /// A link that points out of the archive.
    #[error("it is a link that leaves the archive")]
    LinkEscapes,
    /// A link with no target, or one that holds a NUL byte.
    #[error("it is a link with a malformed target")]
    LinkTarget,
    /// A hard link to something that does not come earlier in the archive.
    #[error("it is a hard link to an entry that does not come before it")]
    LinkTargetMissing,
    /// Something other than a file, with content.
    #[error("it has content, but is no file")]
    UnexpectedContent,
    /// The same path a second time.
    #[error("an earlier entry has the same path")]
    Duplicate,
    /// Below a path that an earlier entry made something other than a folder.
    #[error("an earlier entry made a folder above it something else")]
    ParentNotDirectory,
    /// A device or FIFO.
    #[error("it is a device or FIFO")]
    Device,
    /// A sparse file in one of the encodings that readers disagree about.
    #[error("it is stored in a sparse format")]
    Sparse,
    /// Another type that is not supported.
    #[error("its type {0:?} is not supported")]
    Type(char),
    /// An extended header that is not a list of records.
    #[error("its extended header is malformed")]
    PaxMalformed,
    /// An extended header longer than the limit.
    #[error("its extended header has {len} bytes, over the limit of {max}")]
    PaxTooLarge {
        /// Length declared, in bytes.
        len: u64,
        /// Longest allowed.
        max: u64,
    },
    /// The same thing said twice, in one or in several headers.
    #[error("its headers give {0} twice")]
    PaxConflict(String),
    /// A global header that would change the entries after it.
    #[error("a global header sets {0}")]
    PaxGlobal(String),
    /// The extended header and the header proper give different sizes.
    #[error("its headers give different sizes")]
    SizeConflict,
    /// Bytes other than zeros where padding belongs.
    #[error("its padding is not zero")]
    Padding,
    /// The archive goes on after its end.
    #[error("there is something after the end of the archive")]
    TrailingData,
}
