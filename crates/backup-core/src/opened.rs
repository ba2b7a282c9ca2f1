//! A backup that is opened for reading, whole or damaged.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::{ArchivePath, ArchiveReader, Entry, EntryKind, Limits, ReadError};
use serde::Serialize;

use crate::failure::Explain;
use crate::manifest::{MANIFEST_PATH, Manifest, ManifestError};

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST_LEN: u64 = 256 << 20;

/// A backup that is opened for reading.
///
/// An archive whose table of contents is lost is scanned from beginning to end, so that what is whole in it can still be had.
pub struct OpenedBackup {
    path: PathBuf,
    reader: ArchiveReader,
    manifest: Result<Manifest, OpenError>,
}

/// Why a backup cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be opened.
    #[error("cannot open {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is a folder, a device or the like.
    #[error("{} is not a file", .path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The archive cannot be read at all.
    #[error("{} is not a readable backup archive", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ReadError>,
    },
    /// It is an archive, but has no manifest: not one of ours, or cut before its end.
    #[error("{} has no manifest: it is not a backup made by this program, or it was cut short", .path.display())]
    NoManifest {
        /// The archive.
        path: PathBuf,
    },
    /// The manifest is damaged, or made by a newer program.
    #[error("the manifest of {} cannot be used", .path.display())]
    Manifest {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<ManifestError>,
    },
    /// The bytes that hold the manifest are damaged.
    #[error("the manifest of {} is damaged: {reason}", .path.display())]
    ManifestDamaged {
        /// The archive.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
}

impl Explain for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => "not_found",
            Self::File { .. } => "unreadable",
            Self::NotAFile { .. } => "not_a_file",
            Self::Archive { source, .. } => match **source {
                ReadError::UnsupportedVersion { .. } | ReadError::UnsupportedFeatures { .. } => {
                    "archive_newer"
                }
                ReadError::Refused { .. } => "hostile_archive",
                ReadError::Limit { .. } => "archive_limit",
                _ => "not_an_archive",
            },
            Self::NoManifest { .. } => "not_a_backup",
            Self::Manifest { source, .. } => match **source {
                ManifestError::Newer { .. } => "archive_newer",
                _ => "manifest_damaged",
            },
            Self::ManifestDamaged { .. } => "manifest_damaged",
        }
    }

    fn hint(&self) -> Option<String> {
        match self.code() {
            "not_found" => Some("`edms-backup list` shows the backups of the repository.".into()),
            "archive_newer" => Some("Use the program version that made it, or a newer one.".into()),
            "not_an_archive" => Some("Compare the file with its .sha256; `tar tzf` shows whether any of it can be read.".into()),
            "manifest_damaged" | "not_a_backup" => Some(
                "`edms-backup verify` names what is damaged; files can still be restored with --only files.".into(),
            ),
            _ => None,
        }
    }
}

/// One entry, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Path inside the archive; bytes that are not UTF-8 are replaced, control characters escaped.
    pub path: String,
    /// `file`, `folder`, `symlink` or `hardlink`.
    pub kind: &'static str,
    /// Bytes of content.
    pub size: u64,
    /// Where a link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// BLAKE3 of the content, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl OpenedBackup {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// When it is no archive, is of a newer format, or is hostile (the error names the entry). A manifest that is missing or damaged
    /// is no error yet: see [`OpenedBackup::require_manifest`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
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
        let reader =
            ArchiveReader::open_or_scan(Arc::new(file), Limits::default()).map_err(|source| {
                OpenError::Archive {
                    path: path.to_owned(),
                    source: Box::new(source),
                }
            })?;
        let manifest = read_manifest(path, &reader);
        Ok(Self {
            path: path.to_owned(),
            reader,
            manifest,
        })
    }

    /// The archive file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The archive itself.
    pub fn reader(&self) -> &ArchiveReader {
        &self.reader
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
        self.manifest.as_ref().map_err(OpenError::duplicate)
    }

    /// Why the table of contents had to be rebuilt by reading the whole archive, if it had to.
    pub fn rebuilt_because(&self) -> Option<String> {
        self.reader.table_damage().map(ToString::to_string)
    }

    /// Every entry, in the order of the archive.
    pub fn contents(&self) -> impl Iterator<Item = Result<Contents, OpenError>> {
        self.reader.entries().map(|entry| match entry {
            Ok(entry) => Ok(Contents::from(&entry)),
            Err(source) => Err(OpenError::Archive {
                path: self.path.clone(),
                source: Box::new(source),
            }),
        })
    }
}

impl OpenError {
    /// The same error again; only for those that [`read_manifest`] makes.
    fn duplicate(&self) -> Self {
        match self {
            Self::NoManifest { path } => Self::NoManifest { path: path.clone() },
            Self::Manifest { path, source } => Self::Manifest {
                path: path.clone(),
                source: Arc::clone(source),
            },
            other => Self::ManifestDamaged {
                path: match other {
                    Self::ManifestDamaged { path, .. } | Self::File { path, .. } => path.clone(),
                    _ => PathBuf::new(),
                },
                reason: match other {
                    Self::ManifestDamaged { reason, .. } => reason.clone(),
                    other => other.to_string(),
                },
            },
        }
    }
}

impl From<&Entry> for Contents {
    fn from(entry: &Entry) -> Self {
        let (kind, target) = match &entry.kind {
            EntryKind::File => ("file", None),
            EntryKind::Directory => ("folder", None),
            EntryKind::Symlink { target } => (
                "symlink",
                Some(String::from_utf8_lossy(target).into_owned()),
            ),
            EntryKind::HardLink { target } => ("hardlink", Some(target.to_string())),
        };
        Self {
            path: entry.path.to_string(),
            kind,
            size: entry.size,
            target,
            digest: entry.digest.as_ref().map(ToString::to_string),
        }
    }
}

fn read_manifest(path: &Path, reader: &ArchiveReader) -> Result<Manifest, OpenError> {
    let damaged = |reason: String| OpenError::ManifestDamaged {
        path: path.to_owned(),
        reason,
    };
    let name = ArchivePath::new(MANIFEST_PATH).expect("a constant path");
    let entry = reader
        .find(&name)
        .map_err(|error| damaged(error.to_string()))?
        .ok_or_else(|| OpenError::NoManifest {
            path: path.to_owned(),
        })?;
    let bytes = reader
        .read_bytes(&entry, MAX_MANIFEST_LEN)
        .map_err(|error| damaged(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    Manifest::from_toml(&text).map_err(|source| OpenError::Manifest {
        path: path.to_owned(),
        source: Arc::new(source),
    })
}

/// Why an entry cannot be written out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatError {
    /// No such path in the archive.
    #[error("the backup has no entry {path:?}")]
    NoSuchEntry {
        /// What was asked for.
        path: String,
    },
    /// The entry is a folder or a link.
    #[error("{path:?} is not a file")]
    NotAFile {
        /// What was asked for.
        path: String,
    },
    /// The entry cannot be read.
    #[error("cannot read {path:?}")]
    Read {
        /// What was asked for.
        path: String,
        /// Why not.
        source: Box<ReadError>,
    },
    /// The entry is damaged; what was written before is not to be trusted.
    #[error("cannot read {path:?} to its end")]
    Damaged {
        /// What was asked for.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The output takes no more.
    #[error("cannot write {path:?}")]
    Write {
        /// What was asked for.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

impl Explain for CatError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchEntry { .. } => "no_such_entry",
            Self::NotAFile { .. } => "not_a_file",
            Self::Read { .. } | Self::Damaged { .. } => "damaged",
            Self::Write { .. } => "output",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchEntry { .. } => Some("`edms-backup show --entries` lists them.".into()),
            _ => None,
        }
    }
}

/// Writes the content of one file to `out`; a hard link gives the content of its target. Reads only what holds it.
///
/// # Errors
/// When there is no such file, it is damaged (known only after its last byte), or `out` fails.
pub fn cat(backup: &OpenedBackup, path: &str, out: &mut dyn Write) -> Result<(), CatError> {
    let no_such_entry = || CatError::NoSuchEntry {
        path: path.to_owned(),
    };
    let damaged = |source| CatError::Read {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut wanted = ArchivePath::new(path).map_err(|_| no_such_entry())?;
    let entry = loop {
        let entry = backup
            .reader
            .find(&wanted)
            .map_err(damaged)?
            .ok_or_else(no_such_entry)?;
        match entry.kind {
            EntryKind::File => break entry,
            // A hard link names a file, never another link.
            EntryKind::HardLink { target } if target != wanted => wanted = target,
            _ => {
                return Err(CatError::NotAFile {
                    path: path.to_owned(),
                });
            }
        }
    };
    let mut reader = backup.reader.read(&entry).map_err(damaged)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let len = match io::Read::read(&mut reader, &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) => {
                return Err(CatError::Damaged {
                    path: path.to_owned(),
                    source: error,
                });
            }
        };
        out.write_all(&buffer[..len])
            .map_err(|source| CatError::Write {
                path: path.to_owned(),
                source,
            })?;
    }
}
