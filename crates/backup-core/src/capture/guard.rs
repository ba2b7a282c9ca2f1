//! The source guard: an unmounted volume must not become a backup of nothing and push out the good ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use backup_archive::ArchivePath;

use super::{Found, WalkError, WalkOptions, walk};

/// How much a root holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Regular files, each hard-linked file once.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// When a source counts as shrunken.
#[derive(Debug, Clone, Copy)]
pub struct GuardOptions {
    /// Percent of the files, and of the bytes, of the previous backup that must still be there. Default 50; 0 allows everything but
    /// a source that is missing.
    pub keep_percent: u8,
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self { keep_percent: 50 }
    }
}

/// Why a source must not be backed up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// Nothing is there: most often a volume that is not mounted.
    #[error("source folder {path:?} does not exist")]
    Missing {
        /// The root.
        path: PathBuf,
    },
    /// Something else is there.
    #[error("source {path:?} is not a folder")]
    NotAFolder {
        /// The root.
        path: PathBuf,
    },
    /// It cannot be looked at.
    #[error("source folder {path:?} cannot be read")]
    Unreadable {
        /// The root.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds nothing, and no backup is known in which it did not either.
    #[error("source folder {path:?} holds no files")]
    Empty {
        /// The root.
        path: PathBuf,
    },
    /// It held files at the last backup and holds none now.
    #[error("source folder {path:?} is empty but held {} files at the last backup", .previous.files)]
    Emptied {
        /// The root.
        path: PathBuf,
        /// As of the last backup.
        previous: Totals,
    },
    /// It held far more at the last backup.
    #[error(
        "source folder {path:?} shrank from {} files with {} bytes at the last backup to {} files with {} bytes",
        .previous.files, .previous.bytes, .now.files, .now.bytes
    )]
    Shrunken {
        /// The root.
        path: PathBuf,
        /// As of the last backup.
        previous: Totals,
        /// As of now.
        now: Totals,
    },
}

impl GuardError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "is the volume mounted? correct the path of this file root if it has moved"
            }
            Self::NotAFolder { .. } => "a file root must be a folder",
            Self::Unreadable { .. } => "run as a user who may read it",
            Self::Empty { .. } => {
                "is the volume mounted? if it is meant to be empty, run once with --allow-shrunken"
            }
            Self::Emptied { .. } | Self::Shrunken { .. } => {
                "is the volume mounted? if files were removed on purpose, run again with --allow-shrunken"
            }
        }
    }
}

/// Whether there is a folder to back up at all. Cheap: nothing is listed.
///
/// # Errors
/// [`GuardError::Missing`], [`GuardError::NotAFolder`] or [`GuardError::Unreadable`]. No option allows these.
pub fn check_root(root: &Path) -> Result<(), GuardError> {
    let path = || root.to_path_buf();
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(GuardError::NotAFolder { path: path() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(GuardError::Missing { path: path() })
        }
        Err(source) => Err(GuardError::Unreadable {
            path: path(),
            source,
        }),
    }
}

/// Counts what a walk with the same options would capture.
///
/// # Errors
/// As [`walk`].
pub fn measure(root: &Path, options: WalkOptions) -> Result<Totals, WalkError> {
    let anywhere = ArchivePath::new("measured").expect("a valid path");
    Ok(walk(root, anywhere, options)?
        .without_holding()
        .fold(Totals::default(), |totals, found| match found {
            Found::File { size, .. } => Totals {
                files: totals.files + 1,
                bytes: totals.bytes + size,
            },
            _ => totals,
        }))
}

/// Compares what a root holds `now` with what it held at the `previous` backup, if there is one.
///
/// A root that holds nothing is refused unless the previous backup has it as empty too.
///
/// # Errors
/// [`GuardError::Empty`], [`GuardError::Emptied`] or [`GuardError::Shrunken`]: for the caller to lift when the operator says so.
pub fn check_totals(
    root: &Path,
    previous: Option<Totals>,
    now: Totals,
    options: GuardOptions,
) -> Result<(), GuardError> {
    let path = root.to_path_buf();
    let Some(previous) = previous else {
        return match now.files {
            0 => Err(GuardError::Empty { path }),
            _ => Ok(()),
        };
    };
    if now.files == 0 && previous.files > 0 && options.keep_percent > 0 {
        return Err(GuardError::Emptied { path, previous });
    }
    let too_few = |now: u64, before: u64| {
        u128::from(now) * 100 < u128::from(before) * u128::from(options.keep_percent)
    };
    if too_few(now.files, previous.files) || too_few(now.bytes, previous.bytes) {
        return Err(GuardError::Shrunken {
            path,
            previous,
            now,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        previous: Option<(u64, u64)>,
        now: (u64, u64),
        keep_percent: u8,
    ) -> Result<(), GuardError> {
        let totals = |(files, bytes)| Totals { files, bytes };
        check_totals(
            Path::new("/x"),
            previous.map(totals),
            totals(now),
            GuardOptions { keep_percent },
        )
    }

    #[test]
    fn refuses_what_is_empty_or_shrank_but_not_what_was_empty_before() {
        assert!(matches!(
            check(None, (0, 0), 50),
            Err(GuardError::Empty { .. })
        ));
        assert!(check(None, (5, 5), 50).is_ok());
        assert!(check(Some((0, 0)), (0, 0), 50).is_ok());
        assert!(matches!(
            check(Some((1, 0)), (0, 0), 50),
            Err(GuardError::Emptied { .. })
        ));
        assert!(check(Some((100, 1000)), (50, 500), 50).is_ok());
        assert!(matches!(
            check(Some((100, 1000)), (49, 1000), 50),
            Err(GuardError::Shrunken { .. })
        ));
        assert!(matches!(
            check(Some((100, 1000)), (100, 499), 50),
            Err(GuardError::Shrunken { .. })
        ));
        assert!(check(Some((100, u64::MAX)), (100, u64::MAX), 100).is_ok());
        assert!(check(Some((100, 1000)), (0, 0), 0).is_ok());
    }

    #[test]
    fn a_root_must_be_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_root(folder.path()).is_ok());
        let missing = check_root(&folder.path().join("missing")).unwrap_err();
        assert!(
            matches!(missing, GuardError::Missing { .. }) && missing.hint().contains("mounted")
        );
        fs::write(folder.path().join("file"), b"x").unwrap();
        assert!(matches!(
            check_root(&folder.path().join("file")),
            Err(GuardError::NotAFolder { .. })
        ));
    }

    #[test]
    fn counts_linked_files_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), b"12345").unwrap();
        fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/c"), b"1").unwrap();
        let totals = measure(folder.path(), WalkOptions::default()).unwrap();
        assert_eq!(totals, Totals { files: 2, bytes: 6 });
    }
}
