//! What it takes to open a backup that refers to others.

use std::path::PathBuf;

use backup_archive::seal::Keyring;

/// Where the archives are that hold content of a backup, and what opens them when they are sealed.
#[derive(Debug, Clone, Default)]
pub struct Archives {
    /// Folders in which the archives that an incremental backup refers to are looked for, besides its own.
    pub folders: Vec<PathBuf>,
    /// What opens sealed archives.
    pub keys: Keyring,
}

/// Archives that are not sealed, in these folders.
impl From<Vec<PathBuf>> for Archives {
    fn from(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            keys: Keyring::default(),
        }
    }
}
