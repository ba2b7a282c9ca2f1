//! Seekable `tar.gz` and `tar.zst` archives: any tar reads the whole, this crate also reads one entry.
#![forbid(unsafe_code)]

mod digest;
mod entry;
pub mod extract;
mod file_source;
mod path;
mod receiver;

pub use digest::{Digest, ParseDigestError};
pub use entry::{Entry, EntryKind, Location, Metadata, Origin, Timestamp};
pub use file_source::{FileOutcome, FileSource, MAX_ATTEMPTS, OpenFile, WriteObserver};
pub use path::{ArchivePath, PathError};
pub use receiver::{Damage, EntryReceiver};
