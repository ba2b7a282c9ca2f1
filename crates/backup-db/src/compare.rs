//! Whether two databases hold the same rows, without keeping any.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::{
    ConnectOptions, DumpError, DumpStats, RowDigest, Snapshot, SnapshotOptions, TableName,
    TableStats,
};

/// How one table differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// It is not in the second.
    Missing {
        /// `"schema"."table"`.
        table: String,
    },
    /// It is not in the first.
    Extra {
        /// `"schema"."table"`.
        table: String,
    },
    /// It has other columns.
    Columns {
        /// `"schema"."table"`.
        table: String,
        /// Those of the first.
        expected: Vec<String>,
        /// Those of the second.
        actual: Vec<String>,
    },
    /// It has another number of rows.
    Rows {
        /// `"schema"."table"`.
        table: String,
        /// That of the first.
        expected: u64,
        /// That of the second.
        actual: u64,
    },
    /// As many rows, but not the same.
    Content {
        /// `"schema"."table"`.
        table: String,
        /// Digest of the first.
        expected: RowDigest,
        /// Digest of the second.
        actual: RowDigest,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { table } => write!(formatter, "{table} is missing"),
            Self::Extra { table } => write!(formatter, "{table} should not be there"),
            Self::Columns {
                table,
                expected,
                actual,
            } => {
                write!(
                    formatter,
                    "{table} has columns {} instead of {}",
                    actual.join(", "),
                    expected.join(", ")
                )
            }
            Self::Rows {
                table,
                expected,
                actual,
            } => write!(formatter, "{table} has {actual} rows instead of {expected}"),
            Self::Content { table, .. } => {
                write!(formatter, "{table} has as many rows, but not the same")
            }
        }
    }
}

/// Compares the tables of two databases by their digests; the order of the lists does not matter.
pub fn compare(expected: &[TableStats], actual: &[TableStats]) -> Vec<Difference> {
    let by_name = |tables: &[TableStats]| -> BTreeMap<String, TableStats> {
        tables
            .iter()
            .map(|table| (table.qualified(), table.clone()))
            .collect()
    };
    let (expected, mut actual) = (by_name(expected), by_name(actual));
    let mut differences = Vec::new();
    for (table, expected) in expected {
        let difference = match actual.remove(&table) {
            None => Some(Difference::Missing { table }),
            Some(actual) if actual.columns != expected.columns => Some(Difference::Columns {
                table,
                expected: expected.columns,
                actual: actual.columns,
            }),
            Some(actual) if actual.rows != expected.rows => Some(Difference::Rows {
                table,
                expected: expected.rows,
                actual: actual.rows,
            }),
            Some(actual) if actual.digest != expected.digest => Some(Difference::Content {
                table,
                expected: expected.digest,
                actual: actual.digest,
            }),
            Some(_) => None,
        };
        differences.extend(difference);
    }
    differences.extend(actual.into_keys().map(|table| Difference::Extra { table }));
    differences
}

/// Counts and digests the rows of tables as they are in a database; of all tables and large objects when `tables` is empty.
///
/// Tables that are not there are left out. `read` is told about every piece, in bytes of COPY text.
///
/// # Errors
/// When rows cannot be read.
pub fn digest_tables(
    connect: &ConnectOptions,
    tables: &[TableName],
    options: &SnapshotOptions,
    read: &dyn Fn(u64),
) -> Result<DumpStats, DumpError> {
    digest_segments(Snapshot::open_rows(connect, options, tables)?, read)
}

/// Reads everything of a snapshot, keeps nothing but what it comes to.
pub(crate) fn digest_segments(
    snapshot: Snapshot,
    read: &dyn Fn(u64),
) -> Result<DumpStats, DumpError> {
    for segment in snapshot.segments() {
        read(segment?.data.len() as u64);
    }
    for piece in snapshot.large_object_pieces() {
        read(piece?.data.len() as u64);
    }
    snapshot.finish()
}
