//! Reading some of what is stored, to see damage before it is needed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::{ArchiveReader, Entry, Limits, Location, ReadError};

use super::SampledDigests;

/// What a file sealed with age begins with; only its owner's identity opens it.
const SEALED: &[u8] = b"age-encryption.org/";

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleOptions {
    /// Files of each archive. Default: 5.
    pub files: u64,
    /// Files larger than this are left to `verify`, in bytes. Default: 16 MiB.
    pub max_file_bytes: u64,
    /// Chooses which files: another number, another sample. The day since 1970, say.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            files: 5,
            max_file_bytes: 16 << 20,
            seed: 0,
        }
    }
}

/// Reads a few files of each of `archives`, spread over it, and compares them with their digests. Sealed archives are left out.
pub fn sample(archives: &[PathBuf], options: &SampleOptions) -> SampledDigests {
    let mut sampled = SampledDigests::default();
    for path in archives {
        match is_sealed(path) {
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = sample_one(path, options, &mut sampled) {
                    sampled.checked += 1;
                    sampled.damaged.push(format!("{}: {error}", path.display()));
                }
            }
            // Retention may have removed it since the list was made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                sampled.checked += 1;
                sampled.damaged.push(format!("{}: {error}", path.display()));
            }
        }
    }
    sampled
}

fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?
        .take(SEALED.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start == SEALED)
}

fn sample_one(
    path: &Path,
    options: &SampleOptions,
    sampled: &mut SampledDigests,
) -> Result<(), ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Io { offset: 0, source })?;
    let reader = ArchiveReader::open(Arc::new(file), Limits::default())?;
    let step = (reader.entry_count() / options.files.max(1)).max(1);
    let mut due = options.seed % step;
    for (number, entry) in (0..).zip(reader.entries()) {
        let entry = entry?;
        if number < due || !can_be_checked(&entry, options) {
            continue;
        }
        due = number + step;
        sampled.checked += 1;
        if let Err(error) = read_to_end(&reader, &entry) {
            sampled
                .damaged
                .push(format!("{}: {}: {error}", path.display(), entry.path));
        }
    }
    Ok(())
}

fn can_be_checked(entry: &Entry, options: &SampleOptions) -> bool {
    entry.digest.is_some()
        && entry.size <= options.max_file_bytes
        && matches!(entry.location, Location::Here { .. })
}

fn read_to_end(reader: &ArchiveReader, entry: &Entry) -> io::Result<u64> {
    let mut content = reader.read(entry).map_err(io::Error::other)?;
    io::copy(&mut content, &mut io::sink())
}
