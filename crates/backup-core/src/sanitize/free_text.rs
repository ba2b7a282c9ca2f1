//! Names of people in free texts: titles, descriptions, JSON.

use backup_db::{DumpError, Snapshot};

use super::expression::quoted;
use super::facts::{Class, Column, Table};

/// More accounts than this make an expression that no server takes.
const MAX_NAMES: usize = 2000;
/// Shorter names are words as well.
const MIN_NAME_LEN: usize = 4;
/// What stands in place of a name in a text.
pub(super) const NOBODY: &str = "somebody";

/// The server's regular expression for the names of all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// There are none.
    None,
    /// More than can be searched for.
    TooMany,
    /// As an SQL literal.
    Pattern(String),
}

impl Names {
    /// User names, addresses and full names in the tables of accounts.
    pub(super) fn read<'a>(
        snapshot: &Snapshot,
        user_tables: impl Iterator<Item = &'a Table>,
    ) -> Result<Self, DumpError> {
        let mut names = Vec::new();
        for table in user_tables {
            for expression in name_expressions(table) {
                let sql = format!(
                    "SELECT DISTINCT {expression} FROM ONLY {} WHERE pg_catalog.length({expression}) >= {MIN_NAME_LEN} LIMIT {}",
                    table.qualified(),
                    MAX_NAMES + 1
                );
                let rows = snapshot.query(&sql, &[])?;
                names.extend(rows.iter().map(|row| row.get::<_, String>(0)));
            }
        }
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.dedup();
        Ok(match names.len() {
            0 => Self::None,
            count if count > MAX_NAMES => Self::TooMany,
            _ => {
                let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
                let pattern = format!(r"\m({})\M", names.join("|"));
                Self::Pattern(format!("'{}'", pattern.replace('\'', "''")))
            }
        })
    }
}

/// A text without the names.
pub(super) fn without_names(column: &Column, pattern: &str) -> String {
    format!(
        "pg_catalog.regexp_replace({}::text, {pattern}, '{NOBODY}', 'g')",
        quoted(&column.name)
    )
}

/// Of these columns, those that hold a name somewhere.
pub(super) fn with_names<'a>(
    snapshot: &Snapshot,
    table: &Table,
    columns: &[&'a Column],
    pattern: &str,
) -> Result<Vec<&'a Column>, DumpError> {
    let searched: Vec<&Column> = columns
        .iter()
        .copied()
        .filter(|column| {
            matches!(column.class, Class::Text | Class::Json | Class::Texts)
                && !(column.key || column.linked || column.unique)
        })
        .collect();
    if searched.is_empty() {
        return Ok(Vec::new());
    }
    let questions: Vec<String> = searched
        .iter()
        .map(|column| {
            format!(
                "pg_catalog.bool_or({}::text ~ {pattern})",
                quoted(&column.name)
            )
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM ONLY {}",
        questions.join(", "),
        table.qualified()
    );
    let row = snapshot.query(&sql, &[])?;
    Ok(searched
        .into_iter()
        .enumerate()
        .filter(|(index, _)| row[0].get::<_, Option<bool>>(*index) == Some(true))
        .map(|(_, column)| column)
        .collect())
}

fn name_expressions(table: &Table) -> Vec<String> {
    let has = |name: &str| {
        table
            .column(name)
            .is_some_and(|column| column.class == Class::Text)
    };
    let mut expressions: Vec<String> = ["username", "email", "full_name", "name"]
        .into_iter()
        .filter(|name| has(name))
        .map(|name| format!("{}::text", quoted(name)))
        .collect();
    if has("first_name") && has("last_name") {
        expressions.push("(\"first_name\"::text || ' ' || \"last_name\"::text)".to_owned());
    }
    expressions
}

/// A name as an advanced regular expression of PostgreSQL that fits it alone.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if !(c.is_alphanumeric() || c == '_' || c == ' ' || c == '-') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
