//! Seekable `tar.gz` and `tar.zst` archives: any tar reads the whole, this crate also reads one entry.
#![forbid(unsafe_code)]

mod buffer;
mod codec;
mod digest;
mod entry;
mod error;
pub mod extract;
mod file_source;
mod format;
mod limits;
mod path;
mod private_file;
mod random;
mod reader;
mod receiver;
pub mod seal;
pub mod signature;
mod sink;
mod source;
mod subtree;
mod tar;
mod writer;

pub use codec::Compression;
pub use digest::{Digest, ParseDigestError};
pub use entry::{Entry, EntryKind, Location, Metadata, Origin, Timestamp};
pub use error::{ReadError, WriteError};
pub use file_source::{FileOutcome, FileSource, MAX_ATTEMPTS, OpenFile, WriteObserver};
pub use format::{CONTENTS_PATH, FORMAT_VERSION};
pub use limits::Limits;
pub use path::{ArchivePath, PathError};
pub use private_file::{FileAccess, KeyFileError};
pub use reader::{
    ArchiveReader, DamagedEntry, EntryReader, Progress, ScanDamage, VerifyOptions, VerifyReport,
};
pub use receiver::{Damage, EntryReceiver};
pub use sink::{FileMark, FileSink, Sink, SinkStats};
pub use source::Source;
pub use tar::Refusal;
pub use writer::{ArchiveWriter, WriteStats, WriterOptions};
