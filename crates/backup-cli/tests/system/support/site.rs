//! A site: a document store, a database, a repository, and the folder that holds all but the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testkit::Server;

use super::{edms, run_json};

/// A site to back up, and places to restore to.
pub struct Site {
    /// Its database server.
    pub server: &'static Server,
    /// Name of its database.
    pub database: String,
    folder: TempDir,
}

impl Site {
    /// An empty database, no files.
    pub fn empty() -> Self {
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
    pub fn sample() -> Self {
        let site = Self::empty();
        let files = sample_edms::write_store(&site.storage()).expect("the sample's files");
        let script = site.path("load.sql");
        fs::write(&script, sample_edms::load_script(&files)).expect("the sample's SQL");
        site.server.psql_file(&site.database, &script);
        site
    }

    /// A path in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder above all file roots.
    pub fn storage(&self) -> PathBuf {
        self.path("storage")
    }

    /// The folder of the backups.
    pub fn repository(&self) -> PathBuf {
        self.path("backups")
    }

    /// `create KIND` with the site's database, its two roots and its repository.
    pub fn create_command(&self, kind: &str) -> Command {
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
    pub fn create(&self, kind: &str) -> Value {
        super::run(self.create_command(kind).arg("--json"))
            .expect(0)
            .json()
    }

    /// Makes a backup and returns the path of its archive.
    #[track_caller]
    pub fn archive(&self, kind: &str) -> PathBuf {
        let record = self.create(kind);
        assert_eq!(record["status"], "COMPLETE", "{record}");
        path_of(&record)
    }

    /// Restores an archive into a database that does not exist yet and a folder that does not either. Returns the name of
    /// the database, the folder, and what `--json` says.
    #[track_caller]
    pub fn restore(&self, archive: &Path, name: &str) -> (String, PathBuf, Value) {
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
    pub fn dump(&self, database: &str) -> String {
        self.server.pg_dump(database, &[])
    }
}

/// The archive that a record of `create --json` names.
#[track_caller]
pub fn path_of(record: &Value) -> PathBuf {
    PathBuf::from(record["path"].as_str().expect("the record has a path"))
}

/// A path as text; paths of tests are UTF-8.
pub fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
