//! Seekable `tar.gz` and `tar.zst` archives: any tar reads the whole, this crate also reads one entry.
//!
//! An archive is an ordinary compressed tar, cut into members that decode apart, with a table of contents as its last entry; the
//! bytes are described in `docs/archive-format.md`. [`ArchiveWriter`] reads, hashes and compresses on all cores, in bounded memory, and gives
//! the same bytes for the same input; what does not shrink is stored. [`ArchiveReader`] finds an entry without reading the others, reads
//! many at once, verifies, and names what damage hits; all else can still be read, even if the table of contents is lost. Nothing that
//! an archive says is believed before it is held against the file and against [`Limits`].
//!
//! ```
//! use std::sync::Arc;
//! use backup_archive::*;
//!
//! let file = tempfile::tempfile()?;
//! let mut writer = ArchiveWriter::new(FileSink::new(file.try_clone()?, true)?, WriterOptions::default())?;
//! let metadata = Metadata { mode: 0o644, ..Metadata::default() };
//! writer.append_bytes(&ArchivePath::new("docs/a.txt")?, &metadata, "hello")?;
//! writer.append_bytes(&ArchivePath::new("docs/b.txt")?, &metadata, "world")?;
//! let stats = writer.finish()?;
//! assert_eq!((stats.entries, stats.content_bytes), (2, 10));
//!
//! let reader = ArchiveReader::open(Arc::new(file), Limits::default())?;
//! let entry = reader.find(&ArchivePath::new("docs/b.txt")?)?.expect("it was written");
//! assert_eq!(reader.read_bytes(&entry, 1000)?, b"world");
//! assert!(reader.verify(&VerifyOptions::default(), &())?.damaged.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
pub use file_source::{
    FileOutcome, FileSource, HeldContent, MAX_ATTEMPTS, OpenFile, WriteObserver,
};
pub use format::{CONTENTS_PATH, FORMAT_VERSION};
pub use limits::Limits;
pub use path::{ArchivePath, PathError};
pub use private_file::{FileAccess, KeyFileError};
pub use reader::{
    ArchiveReader, Chain, DamagedEntry, EntryReader, OrderedReader, Progress, ScanDamage,
    VerifyOptions, VerifyReport,
};
pub use receiver::{Damage, EntryReceiver};
pub use sink::{FileMark, FileSink, Sink, SinkStats};
pub use source::Source;
pub use tar::Refusal;
pub use writer::{ArchiveWriter, WriteStats, WriterOptions};
