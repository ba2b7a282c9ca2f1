//! What the catalogue says of the tables that are exported.

use std::fmt;

use backup_db::{DumpError, Snapshot, TableName};

use super::expression::quoted;

/// Columns of the tables whose rows are dumped. A domain is what it is based on.
const COLUMNS: &str = "
SELECT c.oid, n.nspname::text, c.relname::text,
       CASE WHEN c.relispartition THEN (SELECT r.relname::text FROM pg_catalog.pg_class r WHERE r.oid = pg_catalog.pg_partition_root(c.oid)) END,
       a.attname::text,
       CASE WHEN b.typname = 'bytea' THEN 'bytes'
            WHEN b.typname IN ('json', 'jsonb') THEN 'json'
            WHEN b.typname IN ('inet', 'cidr') THEN 'address'
            WHEN b.typcategory = 'S' THEN 'text'
            WHEN b.typcategory = 'A' AND e.typcategory = 'S' THEN 'texts'
            ELSE 'other' END,
       CASE WHEN b.typname IN ('varchar', 'bpchar') AND coalesce(nullif(a.atttypmod, -1), t.typtypmod) > 4
            THEN coalesce(nullif(a.atttypmod, -1), t.typtypmod) - 4 END,
       a.attnotnull OR t.typnotnull,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
       OR EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.confkey))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem
 WHERE c.oid = ANY ($1)
 ORDER BY n.nspname, c.relname, a.attnum";

/// Foreign keys; those of a partitioned table hold for each of its partitions by constraints of their own.
const REFERENCES: &str = "
SELECT f.conrelid, f.confrelid,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) ORDER BY a.attnum)
  FROM pg_catalog.pg_constraint f
 WHERE f.contype = 'f' AND f.conrelid = ANY ($1) AND f.conrelid <> f.confrelid
 ORDER BY f.conrelid, f.conname";

/// The kinds of values that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Texts,
    Bytes,
    Json,
    Address,
    Other,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) class: Class,
    /// Longest text that it takes, in characters.
    pub(super) max_len: Option<i32>,
    pub(super) not_null: bool,
    /// Part of a unique index.
    pub(super) unique: bool,
    /// Part of the primary key.
    pub(super) key: bool,
    /// Part of a foreign key, on either side.
    pub(super) linked: bool,
}

/// A table whose rows are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) oid: u32,
    pub(super) name: TableName,
    /// The name of the table that it is a partition of.
    pub(super) root: Option<String>,
    pub(super) columns: Vec<Column>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name.schema, self.name.name)
    }
}

impl Table {
    /// The name that applications know: a partition has that of its table.
    pub(super) fn known_name(&self) -> &str {
        self.root.as_ref().unwrap_or(&self.name.name)
    }

    /// Whether a rule's name, `schema.table` or `table`, means this one.
    pub(super) fn is_called(&self, name: &str) -> bool {
        [Some(&self.name.name), self.root.as_ref()]
            .into_iter()
            .flatten()
            .any(|own| {
                name == own
                    || name
                        .strip_prefix(self.name.schema.as_str())
                        .and_then(|rest| rest.strip_prefix('.'))
                        == Some(own)
            })
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// `"schema"."table"`.
    pub(super) fn qualified(&self) -> String {
        format!("{}.{}", quoted(&self.name.schema), quoted(&self.name.name))
    }
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) columns: Vec<String>,
}

/// Everything together.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) tables: Vec<Table>,
    pub(super) references: Vec<Reference>,
}

impl Facts {
    pub(super) fn read(snapshot: &Snapshot) -> Result<Self, DumpError> {
        let oids: Vec<u32> = snapshot.tables().iter().map(|table| table.oid).collect();
        let mut tables: Vec<Table> = Vec::new();
        for row in snapshot.query(COLUMNS, &[&oids])? {
            let oid = row.get(0);
            if tables.last().is_none_or(|table| table.oid != oid) {
                tables.push(Table {
                    oid,
                    name: TableName {
                        schema: row.get(1),
                        name: row.get(2),
                    },
                    root: row.get(3),
                    columns: Vec::new(),
                });
            }
            let table = tables.last_mut().expect("just pushed");
            table.columns.push(Column {
                name: row.get(4),
                class: match row.get(5) {
                    "bytes" => Class::Bytes,
                    "json" => Class::Json,
                    "address" => Class::Address,
                    "text" => Class::Text,
                    "texts" => Class::Texts,
                    _ => Class::Other,
                },
                max_len: row.get(6),
                not_null: row.get(7),
                unique: row.get(8),
                key: row.get(9),
                linked: row.get(10),
            });
        }
        let references = snapshot.query(REFERENCES, &[&oids])?;
        let references = references.iter().map(|row| Reference {
            from: row.get(0),
            to: row.get(1),
            columns: row.get(2),
        });
        Ok(Self {
            tables,
            references: references.collect(),
        })
    }

    pub(super) fn table(&self, oid: u32) -> Option<&Table> {
        self.tables.iter().find(|table| table.oid == oid)
    }
}

/// Whether a row has a value in all of these columns.
pub(super) fn has_rows_with(
    snapshot: &Snapshot,
    table: &Table,
    columns: &[String],
) -> Result<bool, DumpError> {
    let conditions: Vec<String> = columns
        .iter()
        .map(|column| format!("{} IS NOT NULL", quoted(column)))
        .collect();
    let rows = snapshot.query(
        &format!(
            "SELECT EXISTS (SELECT FROM ONLY {} WHERE {})",
            table.qualified(),
            conditions.join(" AND ")
        ),
        &[],
    )?;
    Ok(rows[0].get(0))
}
