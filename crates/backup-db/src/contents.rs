//! Everything that can be told of a database without keeping its rows, and how two databases differ.

use serde::Serialize;

use crate::{
    ConnectOptions, Difference, DumpError, DumpSource, DumpStats, NEWEST_MAJOR, SchemaComparison,
    SchemaDifference, Script, Snapshot, SnapshotOptions, compare, compare_schemas, digest_segments,
};

/// The schema of a database, and counts and digests of its rows.
#[derive(Debug, Clone)]
pub struct DatabaseContents {
    /// Major version of the server.
    pub major: u32,
    /// The schema, with where sequences stand.
    pub script: Script,
    /// Tables and large objects.
    pub stats: DumpStats,
}

impl DatabaseContents {
    /// Of a database as it is: reads all rows, keeps none. `read` is told about every piece, in bytes of COPY text.
    ///
    /// # Errors
    /// As a dump.
    pub fn read(
        connect: &ConnectOptions,
        options: &SnapshotOptions,
        read: &dyn Fn(u64),
    ) -> Result<Self, DumpError> {
        let snapshot = Snapshot::open(connect, options)?;
        Ok(Self {
            major: snapshot.server().major(),
            script: snapshot.script().clone(),
            stats: digest_segments(snapshot, read)?,
        })
    }

    /// Of a dump, which knows them.
    pub fn of_dump(dump: &dyn DumpSource) -> Self {
        Self {
            major: dump.server().major(),
            script: dump.script().clone(),
            stats: dump.stats().clone(),
        }
    }

    /// How `other` differs from this. Definitions are compared only when both are of the same major version.
    pub fn differences(&self, other: &Self, comparison: SchemaComparison) -> DatabaseDifferences {
        let comparison = SchemaComparison {
            definitions: comparison.definitions && same_wording(self.major, other.major),
            ..comparison
        };
        let (expected, actual) = (&self.stats.large_objects, &other.stats.large_objects);
        DatabaseDifferences {
            schema: compare_schemas(&self.script, &other.script, comparison),
            tables: compare(&self.stats.tables, &other.stats.tables),
            large_objects: (expected != actual).then(|| {
                format!(
                    "{} large objects with {} bytes became {} with {}, or have other content",
                    expected.count, expected.bytes, actual.count, actual.bytes
                )
            }),
        }
    }
}

/// Whether servers of two major versions word definitions alike.
pub fn same_wording(one: u32, other: u32) -> bool {
    one.min(NEWEST_MAJOR) == other.min(NEWEST_MAJOR)
}

/// How a database differs from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatabaseDifferences {
    /// Objects, and where sequences stand.
    pub schema: Vec<SchemaDifference>,
    /// Rows.
    pub tables: Vec<Difference>,
    /// Large objects, in words.
    pub large_objects: Option<String>,
}

impl DatabaseDifferences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.schema.is_empty() && self.tables.is_empty() && self.large_objects.is_none()
    }

    /// One line for each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let schema = self.schema.iter().map(ToString::to_string);
        let tables = self.tables.iter().map(ToString::to_string);
        schema.chain(tables).chain(self.large_objects.clone())
    }
}

/// The schema of a database as it is.
///
/// # Errors
/// As a dump.
pub fn read_schema(
    connect: &ConnectOptions,
    options: &SnapshotOptions,
) -> Result<(u32, Script), DumpError> {
    let snapshot = Snapshot::open(connect, options)?;
    Ok((snapshot.server().major(), snapshot.script().clone()))
}
