//! A small site without a database: one file root and a repository.

use std::fs;
use std::path::PathBuf;

use backup_core::audit::{Actor, AuditEntry};
use backup_core::{
    BackupId, BackupKind, BackupRecord, CreateError, CreateOptions, Destination, Repository,
    Silent, create,
};
use tempfile::TempDir;

pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// A root with a few files, no repository yet.
    pub(crate) fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(site.root()).unwrap();
        for name in ["one", "two", "three", "four"] {
            fs::write(site.root().join(name), name.repeat(100)).unwrap();
        }
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("documents")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(self.path("backups")).unwrap()
    }

    pub(crate) fn options(&self) -> CreateOptions {
        let destination = Destination::Repository(self.path("backups"));
        let mut options = CreateOptions::new(BackupKind::Files, destination);
        options.files.insert("documents".into(), self.root());
        options
    }

    /// Makes a backup by hand.
    pub(crate) fn create(&self) -> BackupRecord {
        create(&self.options(), &Silent).unwrap()
    }

    /// Makes a backup of a configuration.
    pub(crate) fn create_for(&self, configuration: &str) -> BackupRecord {
        let mut options = self.options();
        options.configuration = Some(configuration.to_owned());
        create(&options, &Silent).unwrap()
    }

    pub(crate) fn try_create(&self) -> Result<BackupRecord, CreateError> {
        create(&self.options(), &Silent)
    }

    /// Ids of all backups, oldest first.
    pub(crate) fn ids(&self) -> Vec<BackupId> {
        let listing = self.repository().list().unwrap();
        assert!(listing.unreadable.is_empty(), "{:?}", listing.unreadable);
        listing
            .backups
            .into_iter()
            .map(|record| record.id)
            .collect()
    }

    pub(crate) fn journal(&self) -> Vec<AuditEntry> {
        self.repository().journal().entries().unwrap().collect()
    }

    /// Action, subject and result of every line of the journal.
    pub(crate) fn noted(&self) -> Vec<String> {
        self.journal()
            .iter()
            .map(|entry| format!("{} {} {}", entry.action, entry.subject, entry.result))
            .collect()
    }
}

pub(crate) fn somebody() -> Actor {
    Actor {
        user: "ada".into(),
        host: "here".into(),
        face: "test".into(),
    }
}
