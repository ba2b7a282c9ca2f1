//! A backup that is opened for reading, whole or damaged, with the archives that it builds on.

mod archives;
mod cat;
mod contents;
mod error;
mod links;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::seal::Keyring;
use backup_archive::{ArchivePath, ArchiveReader, Chain, Limits, ReadError};

pub use archives::Archives;
pub use cat::{CatError, cat};
pub use contents::Contents;
use error::ManifestLoss;
pub use error::OpenError;
pub(crate) use links::find_archive;
pub use links::{Link, LinkProblem};

use crate::manifest::{MANIFEST_PATH, Manifest};
use crate::sealing::open_source;

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST_LEN: u64 = 256 << 20;

/// A backup that is opened for reading.
///
/// An archive whose table of contents is lost is scanned from beginning to end, so that what is whole in it can still be had.
pub struct OpenedBackup {
    path: PathBuf,
    chain: Chain,
    links: Vec<Link>,
    manifest: Result<Manifest, ManifestLoss>,
}

impl OpenedBackup {
    /// Opens the archive at `path` alone: what is in other archives cannot be read.
    ///
    /// # Errors
    /// When it is no archive, is of a newer format, or is hostile (the error names the entry). A manifest that is missing or damaged
    /// is no error yet: see [`OpenedBackup::require_manifest`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_alone(path, &Keyring::default())
    }

    /// The same with keys, in case that it is sealed.
    pub(crate) fn open_alone(path: &Path, keys: &Keyring) -> Result<Self, OpenError> {
        let (reader, manifest) = open_archive(path, keys, ArchiveReader::open_or_scan)?;
        Ok(Self {
            path: path.to_owned(),
            chain: reader.into(),
            links: Vec::new(),
            manifest,
        })
    }

    /// Opens the archive at `path` and those that hold the content of its entries. They are looked for by their ids: in the folder of
    /// the archive, then in the folders of `archives`. One that is missing or cannot be read is no error: see [`OpenedBackup::links`].
    ///
    /// # Errors
    /// As for [`OpenedBackup::open`].
    pub fn open_chain(path: &Path, archives: &Archives) -> Result<Self, OpenError> {
        let (reader, manifest) = open_archive(path, &archives.keys, ArchiveReader::open_or_scan)?;
        let (chain, links) = links::open_links(Arc::new(reader), path, archives);
        Ok(Self {
            path: path.to_owned(),
            chain,
            links,
            manifest,
        })
    }

    /// The archive file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The archive itself, which lists every entry.
    pub fn reader(&self) -> &ArchiveReader {
        self.chain.archive()
    }

    /// The archive and those that hold the content of its entries.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The other archives that hold content of this backup, in the order of [`ArchiveReader::archives`].
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What those of the other archives that are missing or damaged cost, one line each.
    ///
    /// # Errors
    /// When the table of contents cannot be read.
    pub fn costs_of_broken_links(&self) -> Result<Vec<String>, OpenError> {
        links::costs(&self.chain, &self.links).map_err(|source| self.unreadable(source))
    }

    /// The manifest, unless it is missing or damaged.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().ok()
    }

    /// The manifest.
    ///
    /// # Errors
    /// When it is missing, damaged or made by a newer program.
    pub fn require_manifest(&self) -> Result<&Manifest, OpenError> {
        self.manifest.as_ref().map_err(|loss| loss.of(&self.path))
    }

    /// Why the table of contents had to be rebuilt by reading the whole archive, if it had to.
    pub fn rebuilt_because(&self) -> Option<String> {
        self.reader().table_damage().map(ToString::to_string)
    }

    /// Every entry, in the order of the archive.
    pub fn contents(&self) -> impl Iterator<Item = Result<Contents, OpenError>> {
        let archives = self.reader().archives();
        self.reader().entries().map(|entry| {
            entry
                .map(|entry| Contents::new(&entry, archives))
                .map_err(|source| self.unreadable(source))
        })
    }

    fn unreadable(&self, source: ReadError) -> OpenError {
        OpenError::Archive {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

/// Opens an archive and its manifest by its table of contents alone, reading only what is needed for that.
pub(crate) fn open_by_table(
    path: &Path,
    keys: &Keyring,
) -> Result<(ArchiveReader, Manifest), OpenError> {
    let (reader, manifest) = open_archive(path, keys, ArchiveReader::open)?;
    Ok((reader, manifest.map_err(|loss| loss.of(path))?))
}

fn open_archive(
    path: &Path,
    keys: &Keyring,
    open: impl FnOnce(Arc<dyn backup_archive::Source>, Limits) -> Result<ArchiveReader, ReadError>,
) -> Result<(ArchiveReader, Result<Manifest, ManifestLoss>), OpenError> {
    let file = File::open(path).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err(OpenError::NotAFile {
            path: path.to_owned(),
        });
    }
    let source = open_source(file, keys).map_err(|source| OpenError::Sealed {
        path: path.to_owned(),
        source,
    })?;
    let reader = open(source, Limits::default()).map_err(|source| OpenError::Archive {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let manifest = read_manifest(&reader);
    Ok((reader, manifest))
}

fn read_manifest(reader: &ArchiveReader) -> Result<Manifest, ManifestLoss> {
    let damaged = |error: ReadError| ManifestLoss::Damaged(error.to_string());
    let name = ArchivePath::new(MANIFEST_PATH).expect("a constant path");
    let entry = reader
        .find(&name)
        .map_err(damaged)?
        .ok_or(ManifestLoss::Missing)?;
    let bytes = reader
        .read_bytes(&entry, MAX_MANIFEST_LEN)
        .map_err(damaged)?;
    let text =
        String::from_utf8(bytes).map_err(|error| ManifestLoss::Damaged(error.to_string()))?;
    Manifest::from_toml(&text).map_err(|source| ManifestLoss::Unusable(Arc::new(source)))
}
