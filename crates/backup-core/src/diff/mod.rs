//! What changed between two backups.

mod database;
mod error;
mod files;

use serde::Serialize;

pub use database::{DatabaseDifference, TableDifference};
pub use error::DiffError;
pub use files::{Change, FileChange};

use crate::id::BackupId;
use crate::opened::OpenedBackup;

/// How the second of two backups differs from the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The first.
    pub from: BackupId,
    /// The second.
    pub to: BackupId,
    /// Whether nothing differs.
    pub same: bool,
    /// Entries that only the second has: files, folders and links of the file roots, and configuration files.
    pub added: u64,
    /// Entries that only the first has.
    pub removed: u64,
    /// Entries that both have, with other contents or metadata.
    pub changed: u64,
    /// The databases; nothing when one of the backups holds none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseDifference>,
}

/// Compares two backups by their tables of contents and manifests: no content of a file is read. `on_file` is told each entry that differs, in
/// order. Memory does not depend on the number of files.
///
/// # Errors
/// When a manifest or a table of contents cannot be read.
pub fn diff(
    from: &OpenedBackup,
    to: &OpenedBackup,
    on_file: &mut dyn FnMut(FileChange),
) -> Result<Difference, DiffError> {
    let mut difference = Difference {
        from: from.require_manifest()?.id.clone(),
        to: to.require_manifest()?.id.clone(),
        same: true,
        added: 0,
        removed: 0,
        changed: 0,
        database: database::compare(from, to)?,
    };
    files::compare(from, to, &mut |file| {
        match file.change {
            Change::Added => difference.added += 1,
            Change::Removed => difference.removed += 1,
            Change::Changed => difference.changed += 1,
        }
        on_file(file);
    })?;
    let has_files = difference.added + difference.removed + difference.changed > 0;
    let has_rows = difference
        .database
        .as_ref()
        .is_some_and(|database| !database.is_same());
    difference.same = !has_files && !has_rows;
    Ok(difference)
}
