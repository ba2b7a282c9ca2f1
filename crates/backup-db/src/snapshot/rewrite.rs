//! Rows that leave the server other than they are: whole tables without rows, columns computed by an expression.

use std::collections::BTreeMap;

use super::Snapshot;
use crate::quote::quote;
use crate::{DumpError, TableInfo, TableName};

/// What is dumped instead of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRewrite {
    /// The table.
    pub table: TableName,
    /// Leave out all rows.
    pub empty: bool,
    /// SQL over the row's columns in place of a column's value. The server computes it while it copies: the value itself never leaves it.
    /// The result is cast to the column's type.
    pub columns: BTreeMap<String, String>,
}

impl TableRewrite {
    /// A rewrite that changes nothing yet.
    pub fn of(table: TableName) -> Self {
        Self {
            table,
            empty: false,
            columns: BTreeMap::new(),
        }
    }

    /// `COPY (…) TO STDOUT` in place of the table's own, for all rows or those of `range`.
    pub(crate) fn copy_out_sql(&self, table: &TableInfo, range: Option<&str>) -> String {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| match self.columns.get(column) {
                Some(expression) => expression.clone(),
                None => quote(column),
            })
            .collect();
        let condition = match (&table.condition, range) {
            (Some(condition), _) => format!(" {condition}"),
            (None, Some(range)) => format!(" WHERE {range}"),
            (None, None) => String::new(),
        };
        format!(
            "COPY (SELECT {} FROM ONLY {}{condition}{}) TO STDOUT",
            columns.join(", "),
            table.qualified(),
            if self.empty { " LIMIT 0" } else { "" },
        )
    }
}

impl Snapshot {
    /// Dumps these tables as the rewrites say; must come before [`Snapshot::segments`]. Digests and counts are those of the rewritten rows.
    ///
    /// # Errors
    /// [`DumpError::NoSuchColumn`] when one names a table or column whose rows are not dumped, and the server's own when it does not take an
    /// expression. Nothing is rewritten then.
    pub fn rewrite(&mut self, rewrites: &[TableRewrite]) -> Result<(), DumpError> {
        let mut statements = BTreeMap::new();
        for rewrite in rewrites {
            let index = self
                .tables
                .iter()
                .position(|table| table.is_named(&rewrite.table))
                .ok_or_else(|| DumpError::no_such_column(&rewrite.table, None))?;
            let table = &self.tables[index];
            let types = self.column_types(table)?;
            let mut cast = rewrite.clone();
            for (column, expression) in &mut cast.columns {
                let column_type = types
                    .get(column)
                    .filter(|_| table.columns.contains(column))
                    .ok_or_else(|| DumpError::no_such_column(&rewrite.table, Some(column)))?;
                *expression = format!("CAST({expression} AS {column_type})");
            }
            // An expression that the server does not take is found before anything is written.
            let probe = cast.copy_out_sql(table, Some("false"));
            if table.condition.is_none() {
                self.copy_out(&probe, |_| true)?;
            }
            statements.insert(index, cast);
        }
        self.shared.rewrite(statements);
        Ok(())
    }

    /// The SQL names of a table's column types.
    fn column_types(&self, table: &TableInfo) -> Result<BTreeMap<String, String>, DumpError> {
        let rows = self.query(
            "SELECT attname::text, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
              WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
            &[&table.oid],
        )?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
