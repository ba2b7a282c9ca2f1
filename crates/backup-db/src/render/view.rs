//! Views and materialized views.

use super::Context;
use super::names::{ident, qualified, storage_parameters};
use super::table::{access_method, column_settings, table_settings, with_options};
use crate::model::{Relation, RelationKind};

/// `replace`: there is a stand-in already.
pub(super) fn definition(x: &Relation, replace: bool, context: &Context<'_, '_>) -> String {
    let name = qualified(&x.head);
    let query = x
        .definition
        .as_deref()
        .unwrap_or_default()
        .trim_end()
        .trim_end_matches(';');
    if x.kind == RelationKind::MaterializedView {
        let mut sql = format!(
            "CREATE MATERIALIZED VIEW {name}{}{} AS\n{query}\nWITH NO DATA;",
            access_method(x),
            with_options(x)
        );
        for column in &x.columns {
            sql += &column_settings(x, column, context);
        }
        return sql + &table_settings(x);
    }
    let replace = if replace { " OR REPLACE" } else { "" };
    let options = storage_parameters(&x.options, "");
    let with = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH ({})", options.join(", "))
    };
    format!("CREATE{replace} VIEW {name}{with} AS\n{query};")
}

/// The same columns, without what the query needs.
pub(super) fn stand_in(x: &Relation) -> String {
    let columns: Vec<String> = x
        .columns
        .iter()
        .map(|column| {
            let collation = column
                .collation
                .as_ref()
                .map(|collation| format!(" COLLATE {collation}"))
                .unwrap_or_default();
            format!(
                "NULL::{}{collation} AS {}",
                column.data_type,
                ident(&column.name)
            )
        })
        .collect();
    format!(
        "CREATE VIEW {} AS\nSELECT\n    {};",
        qualified(&x.head),
        columns.join(",\n    ")
    )
}

pub(super) fn refresh(x: &Relation) -> String {
    format!("REFRESH MATERIALIZED VIEW {};", qualified(&x.head))
}
