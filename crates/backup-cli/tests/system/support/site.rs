//! A site: a document store, a database, a repository, and the folder that holds all but the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testkit::Server;

use super::{edms, run_json};

/// A site to back up, and places to restore to.
pub(crate) struct Site {
    /// Its database server.
    pub(crate) server: &'static Server,
    /// Name of its database.
    pub(crate) database: String,
    folder: TempDir,
}

impl Site {
    /// An empty database, no files.
    pub(crate) fn empty() -> Self {
        let server = Server::shared();
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("storage")).expect("the storage folder");
        Self {
            server,
            database: server.create_db("site"),
            folder,
        }
    }

    /// The sample EDMS of this repository.
    pub(crate) fn sample() -> Self {
        let site = Self::empty();
        let files = sample_edms::write_store(&site.storage()).expect("the sample's files");
        let script = site.path("load.sql");
        fs::write(&script, sample_edms::load_script(&files)).expect("the sample's SQL");
        site.server.psql_file(&site.database, &script);
        site
    }

    /// A path in the site's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder above all file roots.
    pub(crate) fn storage(&self) -> PathBuf {
        self.path("storage")
    }

    /// The folder of the backups.
    pub(crate) fn repository(&self) -> PathBuf {
        self.path("backups")
    }

    /// `create KIND` with the site's database, its two roots and its repository.
    pub(crate) fn create_command(&self, kind: &str) -> Command {
        let mut command = edms();
        command
            .args(["create", kind])
            .arg("--repository")
            .arg(self.repository())
            .env("DATABASE_URL", self.server.url(&self.database));
        for root in ["documents", "media"] {
            let folder = self.storage().join(root);
            if folder.is_dir() {
                command
                    .arg("--files")
                    .arg(format!("{root}={}", folder.display()));
            }
        }
        command
    }

    /// Makes a backup into the repository and returns what `--json` says. Panics unless it is complete.
    #[track_caller]
    pub(crate) fn create(&self, kind: &str) -> Value {
        self.create_with(kind, &[])
    }

    /// The same with further options.
    #[track_caller]
    pub(crate) fn create_with(&self, kind: &str, options: &[&str]) -> Value {
        super::run(self.create_command(kind).arg("--json").args(options))
            .expect(0)
            .json()
    }

    /// Makes a backup and returns the path of its archive.
    #[track_caller]
    pub(crate) fn archive(&self, kind: &str) -> PathBuf {
        let record = self.create(kind);
        assert_eq!(record["status"], "COMPLETE", "{record}");
        path_of(&record)
    }

    /// Restores an archive into a database that does not exist yet and a folder that does not either. Returns the name of
    /// the database, the folder, and what `--json` says.
    #[track_caller]
    pub(crate) fn restore(&self, archive: &Path, name: &str) -> (String, PathBuf, Value) {
        let database = self.server.unique_name(name);
        let target = self.path(&database);
        let result = run_json(
            0,
            &[
                "restore",
                &text(archive),
                "--database-url",
                &self.server.url(&database),
                "--target",
                &text(&target),
                "--force",
                "--verify",
            ],
        );
        assert_eq!(result["status"], "COMPLETE", "{result}");
        (database, target, result)
    }

    /// `pg_dump` of a database of the site's server.
    pub(crate) fn dump(&self, database: &str) -> String {
        self.server.pg_dump(database, &[])
    }
}

/// The archive that a record of `create --json` names.
#[track_caller]
pub(crate) fn path_of(record: &Value) -> PathBuf {
    PathBuf::from(record["path"].as_str().expect("the record has a path"))
}

/// A path as text; paths of tests are UTF-8.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
