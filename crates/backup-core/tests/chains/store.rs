//! A document store and its repository, in one temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use backup_core::{
    BackupKind, BackupRecord, Base, CreateError, CreateOptions, Destination, Manifest,
    OpenedBackup, RestoreOptions, RestoreOutcome, Silent, Status, VerifyOptions, VerifyOutcome,
    create, restore, verify,
};
use testkit::tree::assert_same_tree;

pub(crate) struct Store {
    folder: tempfile::TempDir,
}

impl Store {
    /// A root `docs` without files, and a repository still to be made.
    pub(crate) fn new() -> Self {
        let store = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(store.docs()).unwrap();
        store
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn docs(&self) -> PathBuf {
        self.path("docs")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.docs().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn options(&self, kind: BackupKind) -> CreateOptions {
        let mut options = CreateOptions::new(kind, Destination::Repository(self.repository()));
        options.files.insert("docs".to_owned(), self.docs());
        options
    }

    #[track_caller]
    pub(crate) fn full(&self) -> BackupRecord {
        create(&self.options(BackupKind::Files), &Silent).unwrap()
    }

    #[track_caller]
    pub(crate) fn increment(&self) -> BackupRecord {
        self.try_increment(Base::Newest).unwrap()
    }

    pub(crate) fn try_increment(&self, base: Base) -> Result<BackupRecord, CreateError> {
        let mut options = self.options(BackupKind::Incremental);
        options.base = base;
        options.allow_shrunken = true;
        create(&options, &Silent)
    }

    /// Restores `archive` into a folder of its own; that and what came of it.
    #[track_caller]
    pub(crate) fn restore(&self, archive: &Path) -> (PathBuf, RestoreOutcome) {
        let target = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let mut options = RestoreOptions::new(archive);
        options.target = Some(target.clone());
        options.archives = vec![self.repository().join("backups")].into();
        options.verify = true;
        let outcome = restore(&options, &Silent).unwrap();
        (target.join("docs"), outcome)
    }

    /// Asserts that `archive` verifies, and brings back what is in the store now.
    #[track_caller]
    pub(crate) fn assert_holds_all(&self, archive: &Path) {
        let outcome = self.verify(archive, true);
        assert!(outcome.damaged.is_empty(), "{:?}", outcome.damaged);
        let (restored, outcome) = self.restore(archive);
        assert_eq!(outcome.status, Status::Complete, "{:?}", outcome.warnings);
        assert_same_tree(&self.docs(), &restored);
        fs::remove_dir_all(restored.parent().unwrap()).unwrap();
    }

    #[track_caller]
    pub(crate) fn verify(&self, archive: &Path, chain: bool) -> VerifyOutcome {
        let options = VerifyOptions {
            chain,
            archives: vec![self.repository().join("backups")].into(),
            ..VerifyOptions::default()
        };
        verify(archive, &options, &Silent).unwrap()
    }
}

#[track_caller]
pub(crate) fn manifest(record: &BackupRecord) -> Manifest {
    let backup = OpenedBackup::open(&record.path).unwrap();
    backup.require_manifest().unwrap().clone()
}
