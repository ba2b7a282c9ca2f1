//! Why writing or reading an archive fails.

use std::io;

use crate::{ArchivePath, Damage, Refusal};

/// Why an archive cannot be written on. What was written so far is no archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The sink cannot take more, for example because the disk is full.
    #[error("cannot write the archive")]
    Sink(#[source] io::Error),
    /// The table of contents cannot be kept aside while it grows.
    #[error("cannot write temporary data")]
    Spill(#[source] io::Error),
    /// An option is out of its range.
    #[error("invalid option: {0}")]
    Option(&'static str),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// An entry cannot be described in the headers of a tar archive.
    #[error("entry {path}: {reason}")]
    Entry {
        /// The entry.
        path: ArchivePath,
        /// What does not fit.
        reason: &'static str,
    },
    /// An earlier call has failed; nothing more can be written.
    #[error("writing the archive has failed before")]
    Abandoned,
    /// A thread has ended unexpectedly: a defect.
    #[error("a worker thread has died")]
    WorkerDied,
}

/// Why an archive, or an entry of it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read the archive at byte {offset}")]
    Io {
        /// Where in the file.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// The file begins like no archive: neither gzip, nor zstd, nor tar.
    #[error("this is not an archive")]
    NotAnArchive,
    /// An archive, but without our footer: cut short, damaged at the end, or made by another program. Scanning may read it.
    #[error("there is no footer at the end of the archive")]
    NoFooter,
    /// The table of contents, or the footer that points at it, is damaged. Scanning may read the archive.
    #[error("the table of contents is damaged: {what}")]
    DamagedTable {
        /// What about it.
        what: &'static str,
    },
    /// Made by a newer version of this program.
    #[error("the archive has format version {found}, and the newest known here is {newest_known}")]
    UnsupportedVersion {
        /// Version of the archive.
        found: u16,
        /// The newest that this crate reads.
        newest_known: u16,
    },
    /// Needs features of a newer version of this program.
    #[error("the archive needs features that are not known here ({bits:#x})")]
    UnsupportedFeatures {
        /// The features, as bits.
        bits: u32,
    },
    /// More than the reader was told to accept.
    #[error("the archive has more {what} than the limit of {max}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// An entry of a foreign archive, or of one that is scanned, that is not accepted.
    #[error("entry {name:?} at byte {offset} of the tar stream is refused: {reason}")]
    Refused {
        /// The name it gives, as far as it is known, made safe to show.
        name: String,
        /// Where its headers begin.
        offset: u64,
        /// Why.
        reason: Refusal,
    },
    /// Damage of the compressed stream of a foreign archive: nothing behind it can be read.
    #[error("the archive is damaged or cut short after {offset} bytes of its tar stream")]
    DamagedStream {
        /// Length of what can be read.
        offset: u64,
        /// What the decoder says.
        source: io::Error,
    },
    /// An entry is damaged.
    #[error("entry {path} is damaged")]
    Damaged {
        /// The entry.
        path: ArchivePath,
        /// How.
        #[source]
        damage: Damage,
    },
    /// The content of the entry is in another archive.
    #[error("the content of {path} is in another archive")]
    Elsewhere {
        /// The entry.
        path: ArchivePath,
    },
    /// Only files have content.
    #[error("{path} is not a file")]
    NotAFile {
        /// The entry.
        path: ArchivePath,
    },
    /// Longer than the caller is ready for.
    #[error("{path} has {size} bytes, more than the {max} that are expected of it")]
    TooLarge {
        /// The entry.
        path: ArchivePath,
        /// Its size.
        size: u64,
        /// The most that the caller takes.
        max: u64,
    },
    /// Temporary data of a scan cannot be written or read.
    #[error("cannot keep temporary data")]
    Spill(#[source] io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}
