//! Where an archive goes: into its file, sealed on the way or not.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;

use backup_archive::seal::{SealError, SealFor, SealingMark, SealingOptions, SealingSink};
use backup_archive::{FileSink, Sink, SinkStats};
use bytes::Bytes;

/// Threads that encrypt: one keeps up with anything but the fastest disks.
const SEALERS: NonZeroUsize = NonZeroUsize::MIN;

/// The file of an archive.
pub(crate) enum ArchiveSink {
    Plain(FileSink),
    Sealed(Box<SealingSink<FileSink>>),
}

/// A place in an [`ArchiveSink`].
pub(crate) enum ArchiveMark {
    Plain(<FileSink as Sink>::Mark),
    Sealed(SealingMark),
}

/// Why there is no file to write to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveSinkError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl ArchiveSink {
    /// Writes to `file`, for everybody or for those alone that `seal_for` says. Temporary data, sealed as well, goes to `spill_dir`.
    pub(crate) fn new(
        file: File,
        sha256: bool,
        seal_for: Option<&SealFor>,
        spill_dir: &Path,
    ) -> Result<Self, ArchiveSinkError> {
        let plain = FileSink::new(file, sha256)?;
        let Some(seal_for) = seal_for else {
            return Ok(Self::Plain(plain));
        };
        let options = SealingOptions {
            jobs: SEALERS,
            spill_dir: spill_dir.to_owned(),
        };
        Ok(Self::Sealed(Box::new(SealingSink::new(
            plain, seal_for, options,
        )?)))
    }
}

fn other_sink() -> io::Error {
    io::Error::other("a mark of another sink")
}

impl Sink for ArchiveSink {
    type Mark = ArchiveMark;

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.write(pieces),
            Self::Sealed(sink) => sink.write(pieces),
        }
    }

    fn mark(&mut self) -> io::Result<ArchiveMark> {
        Ok(match self {
            Self::Plain(sink) => ArchiveMark::Plain(sink.mark()?),
            Self::Sealed(sink) => ArchiveMark::Sealed(sink.mark()?),
        })
    }

    fn keep(&mut self, mark: ArchiveMark) -> io::Result<()> {
        match (self, mark) {
            (Self::Plain(sink), ArchiveMark::Plain(mark)) => sink.keep(mark),
            (Self::Sealed(sink), ArchiveMark::Sealed(mark)) => sink.keep(mark),
            _ => Err(other_sink()),
        }
    }

    fn rewind(&mut self, mark: ArchiveMark) -> io::Result<()> {
        match (self, mark) {
            (Self::Plain(sink), ArchiveMark::Plain(mark)) => sink.rewind(mark),
            (Self::Sealed(sink), ArchiveMark::Sealed(mark)) => sink.rewind(mark),
            _ => Err(other_sink()),
        }
    }

    fn finish(self) -> io::Result<SinkStats> {
        match self {
            Self::Plain(sink) => sink.finish(),
            Self::Sealed(sink) => sink.finish(),
        }
    }
}
