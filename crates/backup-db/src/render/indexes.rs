//! Indexes and the constraints that they serve.

use super::names::{dollar_quoted, ident, literal, qualified, storage_parameters};
use super::table::foreign;
use crate::model::{Constraint, ExtendedStatistics, Head, Index, Relation, RelationKind};

pub(super) fn index(x: &Index, table: &Relation) -> String {
    format!("{};{}", x.definition, settings(x, table))
}

/// The storage parameters of the index have their place before the deferrability, which is last.
pub(super) fn key_constraint(x: &Constraint, index: &Index, table: &Relation) -> String {
    let mut definition = x.definition.as_str();
    let mut tail = "";
    if x.kind != 'x' {
        for words in [" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"] {
            if let Some(rest) = definition.strip_suffix(words) {
                (definition, tail) = (rest, words);
                break;
            }
        }
    }
    // An exclusion constraint of a partitioned table reaches its partitions: see `inherited_exclusion`.
    let only = if x.kind == 'x' && index.kind == 'I' {
        ""
    } else {
        "ONLY "
    };
    let options = storage_parameters(&index.options, "");
    let with = if options.is_empty() || x.kind == 'x' {
        String::new()
    } else {
        format!(" WITH ({})", options.join(", "))
    };
    format!(
        "ALTER TABLE {only}{} ADD CONSTRAINT {} {definition}{with}{tail};{}",
        qualified(&table.head),
        ident(&x.name),
        settings(index, table)
    )
}

/// Gives the constraint that a partition got from its table the name that it had.
pub(super) fn inherited_exclusion(
    x: &Constraint,
    index: &Index,
    table: &Relation,
    parent: &Head,
) -> String {
    let table_name = qualified(&table.head);
    let body = format!(
        "DECLARE made name; BEGIN
  SELECT k.conname INTO STRICT made FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_inherits h ON h.inhrelid = k.conindid
   WHERE k.contype = 'x' AND h.inhparent = {}::pg_catalog.regclass AND k.conrelid = {}::pg_catalog.regclass;
  IF made <> {} THEN EXECUTE pg_catalog.format({}, made); END IF;
END",
        literal(&qualified(parent)),
        literal(&table_name),
        literal(&x.name),
        literal(&format!(
            "ALTER TABLE ONLY {} RENAME CONSTRAINT %I TO {}",
            table_name.replace('%', "%%"),
            ident(&x.name).replace('%', "%%")
        )),
    );
    format!("DO {};{}", dollar_quoted(&body), settings(index, table))
}

/// Statements about an index, each after a line break.
fn settings(x: &Index, table: &Relation) -> String {
    let mut sql = String::new();
    let name = ident(&x.head.name);
    let table_name = qualified(&table.head);
    for statistics in &x.statistics {
        sql += &format!(
            "\nALTER INDEX {} ALTER COLUMN {} SET STATISTICS {};",
            qualified(&x.head),
            statistics.number,
            statistics.target
        );
    }
    if x.clustered {
        sql += &format!("\nALTER TABLE ONLY {table_name} CLUSTER ON {name};");
    }
    if x.replica_identity {
        sql += &format!("\nALTER TABLE ONLY {table_name} REPLICA IDENTITY USING INDEX {name};");
    }
    sql
}

pub(super) fn attach(x: &Index, parent: &str) -> String {
    format!(
        "ALTER INDEX {parent} ATTACH PARTITION {};",
        qualified(&x.head)
    )
}

/// A foreign key of a partitioned table reaches its partitions.
pub(super) fn foreign_key(x: &Constraint, table: &Relation) -> String {
    let only = if table.kind == RelationKind::PartitionedTable {
        ""
    } else {
        "ONLY "
    };
    format!(
        "ALTER {}TABLE {only}{} ADD CONSTRAINT {} {};",
        foreign(table),
        qualified(&table.head),
        ident(&x.name),
        x.definition
    )
}

pub(super) fn statistics(x: &ExtendedStatistics) -> String {
    let mut sql = format!("{};", x.definition);
    if let Some(target) = x.target {
        sql += &format!(
            "\nALTER STATISTICS {} SET STATISTICS {target};",
            qualified(&x.head)
        );
    }
    sql
}
