//! Whether two schemas are the same, object by object.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::{ObjectKind, Record, Script};

/// How one object differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaDifference {
    /// It is not in the second.
    Missing {
        /// Kind and name, as a person reads them.
        object: String,
    },
    /// It is not in the first.
    Extra {
        /// Kind and name.
        object: String,
    },
    /// It is defined differently.
    Changed {
        /// Kind and name.
        object: String,
        /// SQL of the first.
        expected: String,
        /// SQL of the second.
        actual: String,
    },
}

impl fmt::Display for SchemaDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { object } => write!(formatter, "{object} is missing"),
            Self::Extra { object } => write!(formatter, "{object} should not be there"),
            Self::Changed { object, .. } => write!(formatter, "{object} is defined differently"),
        }
    }
}

/// What counts as a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaComparison {
    /// Whether owners count. Default: yes.
    pub owners: bool,
    /// Whether privileges count. Default: yes.
    pub privileges: bool,
    /// Whether definitions count, or names alone: servers of different major versions word the same definition differently. Default: yes.
    pub definitions: bool,
}

impl Default for SchemaComparison {
    fn default() -> Self {
        Self {
            owners: true,
            privileges: true,
            definitions: true,
        }
    }
}

impl SchemaComparison {
    fn counts(self, kind: ObjectKind) -> bool {
        match kind {
            ObjectKind::Owner => self.owners,
            ObjectKind::Privileges | ObjectKind::DefaultPrivileges => self.privileges,
            // What one version keeps in a table's definition is an object of its own in another, or is given other names.
            ObjectKind::NotNullConstraint
            | ObjectKind::CheckConstraint
            | ObjectKind::Default
            | ObjectKind::ShellType
            | ObjectKind::DummyView
            | ObjectKind::Comment
            | ObjectKind::OperatorFamily => self.definitions,
            _ => true,
        }
    }
}

/// Compares two schemas object by object; their order does not matter.
pub fn compare_schemas(
    expected: &Script,
    actual: &Script,
    comparison: SchemaComparison,
) -> Vec<SchemaDifference> {
    let expected = by_object(expected, comparison);
    let mut actual = by_object(actual, comparison);
    let mut differences = Vec::new();
    for (object, expected) in expected {
        let actual = actual.remove(&object).unwrap_or_default();
        differences.extend(difference(&object, &expected, &actual, comparison));
    }
    for (object, actual) in actual {
        differences.extend(difference(&object, &[], &actual, comparison));
    }
    differences
}

/// The definitions of each object, sorted. A table may have several comments, a function several names in common.
fn by_object(script: &Script, comparison: SchemaComparison) -> BTreeMap<String, Vec<String>> {
    let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in script.records() {
        if comparison.counts(record.kind) {
            objects
                .entry(described(record))
                .or_default()
                .push(definition(record, script.sql(record)));
        }
    }
    for definitions in objects.values_mut() {
        definitions.sort_unstable();
    }
    objects
}

/// The columns of a table that inherits some come in another order once it is made again: its parents' come first, whenever they were added.
fn definition(record: &Record, sql: &str) -> String {
    if record.kind != ObjectKind::Table || !sql.contains("\nINHERITS (") {
        return sql.to_owned();
    }
    let mut lines: Vec<&str> = sql.lines().map(|line| line.trim_end_matches(',')).collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn described(record: &Record) -> String {
    if record.kind == ObjectKind::Database {
        return record.kind.label().to_owned();
    }
    let name = match &record.schema {
        Some(schema) => format!("{schema}.{}", record.name),
        None => record.name.clone(),
    };
    match &record.table {
        Some(table) if table.name != record.name => format!(
            "{} {name} of {}.{}",
            record.kind.label(),
            table.schema,
            table.name
        ),
        _ => format!("{} {name}", record.kind.label()),
    }
}

fn difference(
    object: &str,
    expected: &[String],
    actual: &[String],
    comparison: SchemaComparison,
) -> Option<SchemaDifference> {
    let object = object.to_owned();
    match (expected, actual) {
        (expected, []) if !expected.is_empty() => Some(SchemaDifference::Missing { object }),
        ([], actual) if !actual.is_empty() => Some(SchemaDifference::Extra { object }),
        (expected, actual) if comparison.definitions && expected != actual => {
            Some(SchemaDifference::Changed {
                object,
                expected: expected.join("\n"),
                actual: actual.join("\n"),
            })
        }
        _ => None,
    }
}
