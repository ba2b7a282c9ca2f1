//! Tables and their columns.

use super::Context;
use super::names::{ident, literal, options_clause, qualified, storage_parameters};
use super::types::storage;
use crate::model::{Column, ColumnDefault, Constraint, NotNull, Relation, RelationKind};

/// `CREATE TABLE`, and what only `ALTER TABLE` can say.
pub(super) fn definition(x: &Relation, context: &Context<'_, '_>) -> String {
    let mut sql = String::from("CREATE ");
    if x.persistence == 'u' {
        sql += "UNLOGGED ";
    }
    sql += foreign(x);
    sql += &format!("TABLE {}", qualified(&x.head));
    if let Some(of_type) = &x.of_type {
        sql += &format!(" OF {of_type}");
    }
    let elements = elements(x, context);
    if !elements.is_empty() {
        sql += &format!(" (\n    {}\n)", elements.join(",\n    "));
    } else if x.of_type.is_none() {
        sql += " ()";
    }
    if !x.parents.is_empty() && !x.partition {
        let parents: Vec<String> = x
            .parents
            .iter()
            .filter_map(|parent| context.relation(*parent))
            .map(|parent| qualified(&parent.head))
            .collect();
        sql += &format!("\nINHERITS ({})", parents.join(", "));
    }
    if let Some(key) = &x.partition_key {
        sql += &format!("\nPARTITION BY {key}");
    }
    if let Some(foreign) = &x.foreign {
        sql += &format!(
            "\nSERVER {}{}",
            ident(&foreign.server),
            options_clause(&foreign.options)
        );
    }
    sql += &access_method(x);
    sql += &with_options(x);
    sql += ";";
    for column in &x.columns {
        sql += &column_settings(x, column, context);
    }
    sql + &table_settings(x)
}

/// `FOREIGN ` for a foreign table.
pub(super) fn foreign(x: &Relation) -> &'static str {
    if x.kind == RelationKind::ForeignTable {
        "FOREIGN "
    } else {
        ""
    }
}

/// ` USING …` when it is not the one that the script's settings choose.
pub(super) fn access_method(x: &Relation) -> String {
    match x.access_method.as_deref() {
        Some(name) if name != "heap" => format!("\nUSING {}", ident(name)),
        _ => String::new(),
    }
}

/// `WITH (…)`, including the parameters of the TOAST table.
pub(super) fn with_options(x: &Relation) -> String {
    let mut options = storage_parameters(&x.options, "");
    options.extend(storage_parameters(&x.toast_options, "toast."));
    if options.is_empty() {
        String::new()
    } else {
        format!("\nWITH ({})", options.join(", "))
    }
}

fn elements(x: &Relation, context: &Context<'_, '_>) -> Vec<String> {
    let mut elements = Vec::new();
    for column in &x.columns {
        if x.prints_column(column.number) {
            elements.extend(column_definition(x, column, context));
        } else if let Some(constraint) = own_not_null(x, column, context) {
            // An inherited column with a named constraint of its own.
            elements.push(format!(
                "CONSTRAINT {} NOT NULL {}{}",
                ident(&constraint.name),
                ident(&column.name),
                no_inherit(constraint)
            ));
        }
    }
    elements.extend(
        context
            .folded_checks(x)
            .iter()
            .map(|check| format!("CONSTRAINT {} {}", ident(&check.name), check.definition)),
    );
    elements
}

/// Nothing for a column that a typed table gets from its type as it is.
fn column_definition(x: &Relation, column: &Column, context: &Context<'_, '_>) -> Option<String> {
    let mut sql = ident(&column.name);
    let bare = sql.len();
    if x.of_type.is_none() {
        sql += &format!(" {}", column.data_type);
        if let Some(collation) = &column.collation {
            sql += &format!(" COLLATE {collation}");
        }
    }
    if let Some(default) = context.folded_default(x, column) {
        match column.generated.as_str() {
            "s" => sql += &format!(" GENERATED ALWAYS AS ({}) STORED", default.expression),
            "v" => sql += &format!(" GENERATED ALWAYS AS ({})", default.expression),
            _ => sql += &format!(" DEFAULT {}", default.expression),
        }
    }
    sql += &not_null(x, column, context);
    (x.of_type.is_none() || sql.len() > bare).then_some(sql)
}

/// A column's `NOT NULL`, unless a parent brings it.
fn not_null(x: &Relation, column: &Column, context: &Context<'_, '_>) -> String {
    if !column.not_null {
        return String::new();
    }
    if !context.names_not_null {
        return if x.partition || !context.inherits_not_null(x, column) {
            " NOT NULL".to_owned()
        } else {
            String::new()
        };
    }
    match own_not_null(x, column, context) {
        Some(constraint)
            if constraint.name == format!("{}_{}_not_null", x.head.name, column.name) =>
        {
            format!(" NOT NULL{}", no_inherit(constraint))
        }
        Some(constraint) => format!(
            " CONSTRAINT {} NOT NULL{}",
            ident(&constraint.name),
            no_inherit(constraint)
        ),
        None => String::new(),
    }
}

/// The column's constraint, unless a parent's brings it as it is.
fn own_not_null<'x>(
    x: &'x Relation,
    column: &Column,
    context: &Context<'_, '_>,
) -> Option<&'x NotNull> {
    x.not_nulls.iter().find(|constraint| {
        constraint.number == column.number
            && constraint.valid
            && (constraint.local || x.partition || context.inherits_unvalidated_not_null(x, column))
    })
}

fn no_inherit(constraint: &NotNull) -> &'static str {
    if constraint.no_inherit {
        " NO INHERIT"
    } else {
        ""
    }
}

/// Statements about one column that `CREATE` cannot contain, each after a line break.
pub(super) fn column_settings(x: &Relation, column: &Column, context: &Context<'_, '_>) -> String {
    let mut sql = String::new();
    let table = format!(
        "\nALTER {}TABLE ONLY {} ALTER COLUMN {}",
        foreign(x),
        qualified(&x.head),
        ident(&column.name)
    );
    let tables = matches!(
        x.kind,
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::ForeignTable
    );
    if tables
        && !context.names_not_null
        && !x.prints_column(column.number)
        && column.not_null
        && !context.inherits_not_null(x, column)
    {
        sql += &format!("{table} SET NOT NULL;");
    }
    if let Some(target) = column.statistics {
        sql += &format!("{table} SET STATISTICS {target};");
    }
    if column.storage != column.type_storage {
        sql += &format!(
            "{table} SET STORAGE {};",
            storage(column.storage).to_uppercase()
        );
    }
    match column.compression.as_str() {
        "p" => sql += &format!("{table} SET COMPRESSION pglz;"),
        "l" => sql += &format!("{table} SET COMPRESSION lz4;"),
        _ => {}
    }
    // An internal counter of some minor releases, not a setting.
    let options: Vec<String> = column
        .options
        .iter()
        .filter(|option| !option.starts_with("pg_attver="))
        .cloned()
        .collect();
    if !options.is_empty() {
        sql += &format!(
            "{table} SET ({});",
            storage_parameters(&options, "").join(", ")
        );
    }
    if !column.foreign_options.is_empty() {
        sql += &format!("{table}{};", options_clause(&column.foreign_options));
    }
    sql
}

/// Statements about the whole table that `CREATE` cannot contain.
pub(super) fn table_settings(x: &Relation) -> String {
    let table = format!("\nALTER {}TABLE ONLY {}", foreign(x), qualified(&x.head));
    let mut sql = String::new();
    match x.replica_identity {
        // The catalogue says so of foreign tables too, where it means nothing.
        _ if x.kind == RelationKind::ForeignTable => {}
        'n' => sql += &format!("{table} REPLICA IDENTITY NOTHING;"),
        'f' => sql += &format!("{table} REPLICA IDENTITY FULL;"),
        _ => {}
    }
    if x.force_row_security {
        sql += &format!("{table} FORCE ROW LEVEL SECURITY;");
    }
    sql
}

pub(super) fn partition_attach(x: &Relation, parent: &Relation) -> String {
    format!(
        "ALTER TABLE ONLY {} ATTACH PARTITION {} {};",
        qualified(&parent.head),
        qualified(&x.head),
        x.partition_bound.as_deref().unwrap_or_default()
    )
}

pub(super) fn default(x: &ColumnDefault, relation: &Relation) -> String {
    let column = relation
        .columns
        .iter()
        .find(|column| column.number == x.number)
        .map_or("", |column| &column.name);
    format!(
        "ALTER {}TABLE ONLY {} ALTER COLUMN {} SET DEFAULT {};",
        foreign(relation),
        qualified(&relation.head),
        ident(column),
        x.expression
    )
}

pub(super) fn drop_default(relation: &Relation, column: &Column) -> String {
    format!(
        "ALTER {}TABLE ONLY {} ALTER COLUMN {} DROP DEFAULT;",
        foreign(relation),
        qualified(&relation.head),
        ident(&column.name)
    )
}

/// A check constraint also reaches the children.
pub(super) fn check(x: &Constraint, relation: &Relation) -> String {
    format!(
        "ALTER {}TABLE {} ADD CONSTRAINT {} {};",
        foreign(relation),
        qualified(&relation.head),
        ident(&x.name),
        x.definition
    )
}

pub(super) fn not_null_constraint(x: &NotNull, relation: &Relation) -> String {
    let column = relation
        .columns
        .iter()
        .find(|column| column.number == x.number)
        .map_or("", |column| &column.name);
    let inherit = no_inherit(x);
    format!(
        "ALTER {}TABLE {} ADD CONSTRAINT {} NOT NULL {}{inherit} NOT VALID;",
        foreign(relation),
        qualified(&relation.head),
        ident(&x.name),
        ident(column)
    )
}

pub(super) fn row_security(x: &Relation) -> String {
    format!(
        "ALTER TABLE {} ENABLE ROW LEVEL SECURITY;",
        qualified(&x.head)
    )
}

/// `CREATE SEQUENCE`, or, for the sequence of an identity column, the identity.
pub(super) fn sequence(x: &Relation, context: &Context<'_, '_>) -> String {
    let Some(sequence) = &x.sequence else {
        return String::new();
    };
    let cycle = if sequence.cycle { "\n    CYCLE" } else { "" };
    let parameters = format!(
        "\n    START WITH {}\n    INCREMENT BY {}\n    MINVALUE {}\n    MAXVALUE {}\n    CACHE {}{cycle}",
        sequence.start, sequence.increment, sequence.minimum, sequence.maximum, sequence.cache
    );
    let name = qualified(&x.head);
    match context.relation(sequence.owner_table) {
        Some(table) if sequence.is_identity() => {
            let always = if sequence.identity.as_deref() == Some("a") {
                "ALWAYS"
            } else {
                "BY DEFAULT"
            };
            let column = ident(sequence.owner_column.as_deref().unwrap_or_default());
            let mut sql = format!(
                "ALTER {}TABLE {} ALTER COLUMN {column} ADD GENERATED {always} AS IDENTITY (\n    SEQUENCE NAME {name}{parameters}\n);",
                foreign(table),
                qualified(&table.head)
            );
            if x.persistence != table.persistence {
                let logged = if x.persistence == 'u' {
                    "UNLOGGED"
                } else {
                    "LOGGED"
                };
                sql += &format!("\nALTER SEQUENCE {name} SET {logged};");
            }
            sql
        }
        _ => {
            let unlogged = if x.persistence == 'u' {
                "UNLOGGED "
            } else {
                ""
            };
            format!(
                "CREATE {unlogged}SEQUENCE {name}\n    AS {}{parameters};",
                sequence.data_type
            )
        }
    }
}

pub(super) fn sequence_owner(x: &Relation, context: &Context<'_, '_>) -> Option<String> {
    let sequence = x
        .sequence
        .as_ref()
        .filter(|sequence| !sequence.is_identity())?;
    let table = context.relation(sequence.owner_table)?;
    let column = ident(sequence.owner_column.as_deref()?);
    Some(format!(
        "ALTER SEQUENCE {} OWNED BY {}.{column};",
        qualified(&x.head),
        qualified(&table.head)
    ))
}

pub(super) fn sequence_value(x: &Relation, last_value: &str, is_called: bool) -> String {
    format!(
        "SELECT pg_catalog.setval({}, {last_value}, {is_called});",
        literal(&qualified(&x.head))
    )
}
