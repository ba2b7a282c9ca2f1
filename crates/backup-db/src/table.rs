//! Tables as data: what is copied of them and what came of it.

use serde::{Deserialize, Serialize};

use crate::quote::{quote, quote_line, quote_list};
use crate::{RowDigest, TableName};

/// A table whose rows are dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Its number in `pg_class`.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// The columns that are copied, in order: all but generated ones.
    pub columns: Vec<String>,
    /// Bytes on disk, TOAST included, indexes not; an estimate of the bytes to copy.
    pub bytes: u64,
    /// The server's last estimate of the number of rows.
    pub rows: u64,
    /// Pages of the table itself.
    pub(crate) pages: u64,
    /// An ordinary heap, which can be read by ranges of pages.
    pub(crate) heap: bool,
    /// `WHERE …` of an extension's configuration table: only these rows are the user's.
    pub(crate) condition: Option<String>,
}

impl TableInfo {
    /// `"schema"."table"`, as SQL.
    pub fn qualified(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.name))
    }

    /// The statement that takes its rows, on one line whatever the names hold, without a semicolon.
    pub fn copy_in_line(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|name| quote_line(name)).collect();
        let columns = match columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", columns.join(", ")),
        };
        format!(
            "COPY {}.{}{columns} FROM STDIN",
            quote_line(&self.schema),
            quote_line(&self.name)
        )
    }

    pub(crate) fn is_named(&self, name: &TableName) -> bool {
        self.schema == name.schema && self.name == name.name
    }
}

/// One table of a dump, or of a database: how many rows, and their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStats {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// The columns that were copied, in order.
    pub columns: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of COPY text.
    pub bytes: u64,
    /// Digest of the rows.
    pub digest: RowDigest,
    /// `WHERE …` when only some rows count: those of an extension's configuration table that are the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl TableStats {
    /// `"schema"."table"`, as SQL.
    pub fn qualified(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.name))
    }

    /// Schema and name.
    pub fn table_name(&self) -> TableName {
        TableName {
            schema: self.schema.clone(),
            name: self.name.clone(),
        }
    }

    /// Counts one row, a line of COPY text.
    pub(crate) fn add_row(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.digest.add_row(row);
    }

    /// The statement that reads the rows again, all or those of `range` (a condition on `ctid`).
    pub(crate) fn copy_out_sql(&self, range: Option<&str>) -> String {
        copy_out_sql(
            &self.qualified(),
            &self.columns,
            self.condition.as_deref(),
            range,
        )
    }

    /// The statement that deletes the rows that count.
    pub(crate) fn delete_sql(&self) -> String {
        format!(
            "DELETE FROM ONLY {} {}",
            self.qualified(),
            self.condition.as_deref().unwrap_or_default()
        )
    }

    /// The statement that takes the rows.
    pub(crate) fn copy_in_sql(&self) -> String {
        format!(
            "COPY {}{} FROM STDIN",
            self.qualified(),
            column_list(&self.columns)
        )
    }
}

fn copy_out_sql(
    table: &str,
    columns: &[String],
    condition: Option<&str>,
    range: Option<&str>,
) -> String {
    if condition.is_none() && range.is_none() {
        // Without a query around it, COPY reads the table's own rows only and saves the executor.
        return format!("COPY {table}{} TO STDOUT", column_list(columns));
    }
    let mut sql = format!("COPY (SELECT {} FROM ONLY {table} ", quote_list(columns));
    match (condition, range) {
        (Some(condition), _) => sql.push_str(condition),
        (None, Some(range)) => sql.push_str(&format!("WHERE {range}")),
        (None, None) => {}
    }
    sql.push_str(") TO STDOUT");
    sql
}

/// ` ("a", "b")`; nothing for a table without columns, where an empty list is no SQL.
fn column_list(columns: &[String]) -> String {
    if columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", quote_list(columns))
    }
}

/// Columns, rows and digest are those of `TableStats`; this is one that has none yet.
impl From<&TableInfo> for TableStats {
    fn from(table: &TableInfo) -> Self {
        Self {
            schema: table.schema.clone(),
            name: table.name.clone(),
            columns: table.columns.clone(),
            rows: 0,
            bytes: 0,
            digest: RowDigest::default(),
            condition: table.condition.clone(),
        }
    }
}
