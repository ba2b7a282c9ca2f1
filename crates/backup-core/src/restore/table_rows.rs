//! Rows of a table inside a backup, read without a database: for looking before restoring.

use backup_db::DumpSource;
use serde::Serialize;

use super::dump::ArchivedDump;
use super::error::RestoreError;
use crate::opened::OpenedBackup;

/// Tables with more bytes of COPY text are not read.
const MAX_LEN: u64 = 64 << 20;

/// Rows of a table inside a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableRows {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The rows: for each column its value as text, `None` for NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Reads the rows of `table`, written as `schema.table`, in a backup. Meant for small tables: at most 64 MiB are read.
///
/// # Errors
/// [`RestoreError::NoSuchTable`], also when the table is too large; and when the archive cannot be read.
pub fn table_rows(backup: &OpenedBackup, table: &str) -> Result<TableRows, RestoreError> {
    let no_such_table = || RestoreError::NoSuchTable {
        table: table.to_owned(),
    };
    let dump = ArchivedDump::open(backup)?.ok_or_else(no_such_table)?;
    let tables = &dump.manifest().stats.tables;
    let index = tables
        .iter()
        .position(|one| format!("{}.{}", one.schema, one.name) == table && one.bytes <= MAX_LEN)
        .ok_or_else(no_such_table)?;
    let mut rows = Vec::new();
    for segment in 0..dump.segment_count(index) {
        let text = dump.segment_text(index, segment)?;
        rows.extend(
            text.lines()
                .map(|line| line.split('\t').map(value).collect()),
        );
    }
    Ok(TableRows {
        columns: tables[index].columns.clone(),
        rows,
    })
}

/// A value of COPY text.
fn value(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('b') => value.push('\u{8}'),
            Some('f') => value.push('\u{c}'),
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some('v') => value.push('\u{b}'),
            other => value.extend(other),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_copy_text() {
        assert_eq!(value("\\N"), None);
        assert_eq!(value(""), Some(String::new()));
        assert_eq!(value("a\\tb\\\\N\\nc"), Some("a\tb\\N\nc".to_owned()));
    }
}
