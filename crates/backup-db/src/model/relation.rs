//! Tables, views, sequences, and what hangs on them.

use serde::Deserialize;

use super::{Acl, Head, Oid, Setting};

/// What a row of `pg_class` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RelationKind {
    #[serde(rename = "r")]
    Table,
    #[serde(rename = "p")]
    PartitionedTable,
    #[serde(rename = "f")]
    ForeignTable,
    #[serde(rename = "v")]
    View,
    #[serde(rename = "m")]
    MaterializedView,
    #[serde(rename = "S")]
    Sequence,
    #[serde(rename = "c")]
    CompositeType,
}

/// A table, view, sequence or composite type.
#[derive(Debug, Deserialize)]
pub(crate) struct Relation {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) kind: RelationKind,
    pub(crate) persistence: char,
    pub(crate) row_type: Oid,
    pub(crate) row_array_type: Oid,
    pub(crate) of_type: Option<String>,
    pub(crate) options: Vec<String>,
    pub(crate) toast_options: Vec<String>,
    pub(crate) tablespace: Option<String>,
    pub(crate) access_method: Option<String>,
    pub(crate) replica_identity: char,
    pub(crate) row_security: bool,
    pub(crate) force_row_security: bool,
    pub(crate) partition: bool,
    pub(crate) partition_bound: Option<String>,
    pub(crate) partition_key: Option<String>,
    /// In the order of inheritance.
    pub(crate) parents: Vec<Oid>,
    /// The query of a view.
    pub(crate) definition: Option<String>,
    pub(crate) populated: bool,
    pub(crate) foreign: Option<Foreign>,
    pub(crate) sequence: Option<Sequence>,
    #[serde(skip)]
    pub(crate) columns: Vec<Column>,
    #[serde(skip)]
    pub(crate) not_nulls: Vec<NotNull>,
}

impl Relation {
    /// Whether the table's own `CREATE` writes the column: not when a parent brings it. Partitions are made alone.
    pub(crate) fn prints_column(&self, number: i32) -> bool {
        self.partition
            || self
                .columns
                .iter()
                .any(|column| column.number == number && column.local)
    }
}

/// What makes a table foreign.
#[derive(Debug, Deserialize)]
pub(crate) struct Foreign {
    pub(crate) server: String,
    pub(crate) options: Vec<Setting>,
}

/// The parameters of a sequence; numbers in decimal digits.
#[derive(Debug, Deserialize)]
pub(crate) struct Sequence {
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) start: String,
    pub(crate) increment: String,
    pub(crate) minimum: String,
    pub(crate) maximum: String,
    pub(crate) cache: String,
    pub(crate) cycle: bool,
    pub(crate) owner_table: Oid,
    pub(crate) owner_column: Option<String>,
    /// `a`: owned by the column; `i`: the column's identity.
    pub(crate) ownership: Option<char>,
    pub(crate) identity: Option<String>,
}

impl Sequence {
    /// It belongs to an identity column and is made with it.
    pub(crate) fn is_identity(&self) -> bool {
        self.ownership == Some('i')
    }
}

/// A column of a table, view or composite type.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) relation: Oid,
    pub(crate) number: i32,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) not_null: bool,
    /// Empty, `s`tored or `v`irtual.
    pub(crate) generated: String,
    pub(crate) local: bool,
    pub(crate) collation: Option<String>,
    pub(crate) statistics: Option<i32>,
    pub(crate) storage: char,
    pub(crate) type_storage: char,
    pub(crate) compression: String,
    pub(crate) options: Vec<String>,
    pub(crate) foreign_options: Vec<Setting>,
    #[serde(flatten)]
    pub(crate) acl: Acl,
}

/// A column's default or generation expression.
#[derive(Debug, Deserialize)]
pub(crate) struct ColumnDefault {
    pub(crate) oid: Oid,
    pub(crate) relation: Oid,
    pub(crate) number: i32,
    pub(crate) expression: String,
}

/// A not-null constraint as an object of its own (18 and later).
#[derive(Debug, Deserialize)]
pub(crate) struct NotNull {
    pub(crate) oid: Oid,
    pub(crate) relation: Oid,
    pub(crate) number: i32,
    pub(crate) name: String,
    pub(crate) local: bool,
    pub(crate) no_inherit: bool,
    pub(crate) valid: bool,
}

/// A constraint of a table or of a domain.
#[derive(Debug, Deserialize)]
pub(crate) struct Constraint {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    /// As in `pg_constraint.contype`.
    pub(crate) kind: char,
    pub(crate) relation: Oid,
    pub(crate) domain: Oid,
    pub(crate) definition: String,
    pub(crate) local: bool,
    pub(crate) valid: bool,
    pub(crate) index: Oid,
    pub(crate) parent: Oid,
    pub(crate) tablespace: Option<String>,
}

/// An index.
#[derive(Debug, Deserialize)]
pub(crate) struct Index {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) table: Oid,
    pub(crate) definition: String,
    pub(crate) options: Vec<String>,
    pub(crate) clustered: bool,
    pub(crate) replica_identity: bool,
    pub(crate) valid: bool,
    /// `i`, or `I` of a partitioned table.
    pub(crate) kind: char,
    pub(crate) tablespace: Option<String>,
    pub(crate) parent: Oid,
    pub(crate) statistics: Vec<IndexStatistics>,
    /// The constraint that it serves.
    pub(crate) constraint: Oid,
}

/// A statistics target of an expression of an index.
#[derive(Debug, Deserialize)]
pub(crate) struct IndexStatistics {
    pub(crate) number: i32,
    pub(crate) target: i32,
}

/// A rewrite rule.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) relation: Oid,
    pub(crate) definition: String,
    pub(crate) enabled: char,
}

/// A trigger.
#[derive(Debug, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) relation: Oid,
    pub(crate) definition: String,
    pub(crate) enabled: char,
    /// The trigger that it was cloned from.
    pub(crate) parent: Oid,
}

/// Extended statistics.
#[derive(Debug, Deserialize)]
pub(crate) struct ExtendedStatistics {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) relation: Oid,
    pub(crate) definition: String,
    pub(crate) target: Option<i32>,
}
