//! What a restore would do, and what it did.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::options::IntoDatabase;
use crate::kind::Status;

/// What a restore would do. Nothing has been touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestorePlan {
    /// The archive.
    pub source: PathBuf,
    /// The database, if it would be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabasePlan>,
    /// The folders that would be written, by name of the root; `config` for the configuration files.
    pub files: BTreeMap<String, RootPlan>,
    /// Why the restore would be refused.
    pub problems: Vec<String>,
    /// What is worth knowing before.
    pub warnings: Vec<String>,
}

/// The database part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatabasePlan {
    /// Where to, without password.
    pub target: String,
    /// How.
    pub into: IntoDatabase,
    /// Whether nobody named a way, so that it follows from the database and the role.
    pub by_rule: bool,
    /// Whether only some tables, or rows or definitions alone, are restored; everything else in the database stays.
    pub part: bool,
    /// Tables to be restored.
    pub tables: u64,
    /// Rows to be restored.
    pub rows: u64,
    /// The database that would be created; `ID` stands for the id of the restore.
    pub creates: Option<String>,
    /// The database whose content would be replaced.
    pub replaces: Option<String>,
    /// Under which name the replaced one would be kept.
    pub keeps: Option<String>,
    /// How long the database part may take, in milliseconds: an estimate from its size.
    pub estimated_ms: u64,
    /// For how long of that the application cannot use the database, in milliseconds.
    pub blocked_ms: u64,
}

/// One folder of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootPlan {
    /// The folder.
    pub folder: PathBuf,
    /// Whether it holds something that would be replaced.
    pub replaces: bool,
}

impl RestorePlan {
    /// The databases and folders whose content would be replaced.
    pub fn replaced(&self) -> Vec<String> {
        let database = self
            .database
            .iter()
            .filter(|database| database.into != IntoDatabase::Fresh)
            .map(|database| {
                let part = if database.part { "a part of " } else { "" };
                format!("{part}database {}", database.target)
            });
        let folders = self
            .files
            .values()
            .filter(|root| root.replaces)
            .map(|root| root.folder.display().to_string());
        database.chain(folders).collect()
    }
}

impl fmt::Display for RestorePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "restore {}", self.source.display())?;
        if let Some(database) = &self.database {
            writeln!(
                f,
                "  database  {} tables, {} rows into {}: {}",
                database.tables,
                database.rows,
                database.target,
                match database.into {
                    IntoDatabase::Fresh => "an empty or new database",
                    IntoDatabase::Swap =>
                        "restored beside the live one and compared, then exchanged with it; the old one is kept, sessions are ended for a moment",
                    IntoDatabase::Replace if database.part =>
                        "replaces these in one transaction, which locks them, and what they refer to, until it ends; everything else stays",
                    IntoDatabase::Replace =>
                        "replaces what is there in one transaction, which locks every table until it ends",
                }
            )?;
            let seconds = |ms: u64| ms.div_ceil(1000);
            let parts = [
                ("creates", &database.creates),
                ("replaces", &database.replaces),
                ("keeps", &database.keeps),
            ];
            for (what, name) in parts {
                if let Some(name) = name {
                    let part = if database.part { "a part of " } else { "" };
                    writeln!(f, "            {what} {part}database {name}")?;
                }
            }
            writeln!(
                f,
                "            takes about {} s; the application waits about {} s",
                seconds(database.estimated_ms),
                seconds(database.blocked_ms)
            )?;
        }
        for (name, root) in &self.files {
            let how = if root.replaces {
                "replaces what is there"
            } else {
                "new or empty"
            };
            writeln!(
                f,
                "  files     {name} into {} ({how})",
                root.folder.display()
            )?;
        }
        for warning in &self.warnings {
            writeln!(f, "  warning   {warning}")?;
        }
        for problem in &self.problems {
            writeln!(f, "  PROBLEM   {problem}")?;
        }
        Ok(())
    }
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreOutcome {
    /// Identifies the restore.
    pub id: String,
    /// COMPLETE, or PARTIAL when something named could not be restored.
    pub status: Status,
    /// How the database was restored, if it was.
    pub into: Option<IntoDatabase>,
    /// The database that was restored into, without password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Tables restored.
    pub tables: u64,
    /// Rows restored.
    pub rows: u64,
    /// Files restored.
    pub files: u64,
    /// The folders that were written, by name of the root.
    pub placed: BTreeMap<String, PathBuf>,
    /// Whether everything restored was compared with the backup.
    pub verified: bool,
    /// Where what was replaced is kept: a folder by name of the root, and the name of the database as `database`.
    pub previous: BTreeMap<String, String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What could not be restored, and what else is worth knowing.
    pub warnings: Vec<String>,
}
