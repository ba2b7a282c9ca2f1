//! The databases of two backups, compared by what is known of their tables and schemas.

use std::collections::BTreeMap;

use backup_db::{
    DumpSource, SchemaComparison, SchemaDifference, Script, TableStats, compare_schemas,
};
use serde::Serialize;

use super::DiffError;
use super::files::Change;
use crate::opened::OpenedBackup;
use crate::restore::ArchivedDump;

/// How two databases differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatabaseDifference {
    /// Tables whose rows or columns differ.
    pub tables: Vec<TableDifference>,
    /// Objects of the schema that differ, such as `index public.a_idx`, and how.
    pub schema: BTreeMap<String, Change>,
    /// Whether the large objects differ.
    pub large_objects: bool,
}

impl DatabaseDifference {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.tables.is_empty() && self.schema.is_empty() && !self.large_objects
    }
}

/// How a table differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDifference {
    /// `schema.table`, quoted.
    pub table: String,
    /// Where it is.
    pub change: Change,
    /// Rows in the first backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u64>,
    /// Rows in the second backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_after: Option<u64>,
}

/// `None` when one of the two holds no database.
pub(super) fn compare(
    from: &OpenedBackup,
    to: &OpenedBackup,
) -> Result<Option<DatabaseDifference>, DiffError> {
    let old = ArchivedDump::open(from).map_err(DiffError::schema(from))?;
    let new = ArchivedDump::open(to).map_err(DiffError::schema(to))?;
    let (Some(old), Some(new)) = (old, new) else {
        return Ok(None);
    };
    Ok(Some(DatabaseDifference {
        tables: tables(&old.stats().tables, &new.stats().tables),
        schema: schema(old.script(), new.script()),
        large_objects: old.stats().large_objects != new.stats().large_objects,
    }))
}

fn tables(old: &[TableStats], new: &[TableStats]) -> Vec<TableDifference> {
    let by_name = |tables: &'_ [TableStats]| -> BTreeMap<String, TableStats> {
        let named = tables
            .iter()
            .map(|table| (table.qualified(), table.clone()));
        named.collect()
    };
    changes(by_name(old), by_name(new))
        .into_iter()
        .map(|(table, (old, new))| TableDifference {
            table,
            change: kind_of(old.is_some(), new.is_some()),
            rows_before: old.map(|table| table.rows),
            rows_after: new.map(|table| table.rows),
        })
        .collect()
}

fn schema(old: &Script, new: &Script) -> BTreeMap<String, Change> {
    compare_schemas(old, new, SchemaComparison::default())
        .into_iter()
        .filter_map(|difference| match difference {
            SchemaDifference::Missing { object } => Some((object, Change::Removed)),
            SchemaDifference::Extra { object } => Some((object, Change::Added)),
            SchemaDifference::Changed { object, .. } => Some((object, Change::Changed)),
            _ => None,
        })
        .collect()
}

type Pair<T> = (Option<T>, Option<T>);

/// What is in one of two maps only, or differs.
fn changes<T: PartialEq>(
    old: BTreeMap<String, T>,
    mut new: BTreeMap<String, T>,
) -> BTreeMap<String, Pair<T>> {
    let mut changes: BTreeMap<String, Pair<T>> = BTreeMap::new();
    for (name, old) in old {
        let new = new.remove(&name);
        if new.as_ref() != Some(&old) {
            changes.insert(name, (Some(old), new));
        }
    }
    changes.extend(new.into_iter().map(|(name, new)| (name, (None, Some(new)))));
    changes
}

fn kind_of(was_there: bool, is_there: bool) -> Change {
    match (was_there, is_there) {
        (false, _) => Change::Added,
        (true, false) => Change::Removed,
        (true, true) => Change::Changed,
    }
}
