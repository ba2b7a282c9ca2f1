//! Treatments as SQL over a row.

use super::Treatment;
use super::error::SanitizeError;
use super::facts::{Class, Column, Table};
use super::free_text::without_names;
use super::people::Pseudonym;
use crate::id::random_bytes;
use crate::verify::hex;

/// What hashes are made with: random, for one package alone, and forgotten.
pub(super) struct Salt(String);

impl Salt {
    pub(super) fn random() -> Result<Self, SanitizeError> {
        let bytes: [u8; 16] = random_bytes().map_err(SanitizeError::Random)?;
        Ok(Self(hex(&bytes)))
    }
}

/// Characters of an unusable password of Django's: `!` and forty more.
const UNUSABLE_LEN: i32 = 41;
/// A unique text shorter than this has no room for a random value.
const RANDOM_LEN: i32 = 16;

/// An identifier in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The expression in place of a column's value, and what it does in a word; none when it stays as it is.
pub(super) fn of(
    table: &Table,
    column: &Column,
    treatment: &Treatment,
    salt: &Salt,
) -> Result<Option<(String, &'static str)>, SanitizeError> {
    let value = quoted(&column.name);
    let refused = |change, reason| SanitizeError::Untreatable {
        name: format!("{table}.{}", column.name),
        change,
        reason,
    };
    // An absent value stays absent: it tells nothing.
    let unless_null =
        |expression: &str| format!("CASE WHEN {value} IS NULL THEN NULL ELSE {expression} END");
    let linked = || {
        if column.linked {
            Err(refused("replaced", "foreign keys are tied to it"))
        } else {
            Ok(())
        }
    };
    Ok(Some(match treatment {
        Treatment::Keep => return Ok(None),
        Treatment::Null if column.not_null => {
            return Err(refused("dropped", "it takes no NULL"));
        }
        Treatment::Null => ("NULL".to_owned(), "dropped"),
        Treatment::Blank => {
            linked()?;
            let blank = blank(column).map_err(|reason| refused("blanked", reason))?;
            (unless_null(&blank), "blanked")
        }
        Treatment::BlankWhere(condition) => {
            linked()?;
            let blank = blank(column).map_err(|reason| refused("blanked", reason))?;
            (
                format!(
                    "CASE WHEN {value} IS NOT NULL AND {} THEN {blank} ELSE {value} END",
                    quoted(condition)
                ),
                "blanked where it is marked as sensitive",
            )
        }
        Treatment::Hash => {
            linked()?;
            let hash = hash(column, &value, salt).map_err(|reason| refused("hashed", reason))?;
            (unless_null(&hash), "hashed")
        }
        Treatment::UnusablePassword => {
            let fits =
                column.class == Class::Text && column.max_len.is_none_or(|len| len >= UNUSABLE_LEN);
            if !fits {
                return Err(refused("made unusable", "it has no room for 41 characters"));
            }
            (
                format!("'!' || {} || pg_catalog.left({}, 8)", random(), random()),
                "made unusable",
            )
        }
        Treatment::WithoutNames(pattern) => {
            (without_names(column, pattern), "cleared of names of people")
        }
        Treatment::Pseudonym(pseudonym) => {
            linked()?;
            let made = pseudonymous(table, column, *pseudonym, &value, salt)
                .map_err(|reason| refused("replaced by a pseudonym", reason))?;
            (unless_null(&made), "replaced by a pseudonym")
        }
    }))
}

/// 32 random hexadecimal digits.
fn random() -> &'static str {
    "pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', '')"
}

fn blank(column: &Column) -> Result<String, &'static str> {
    if column.unique {
        return match column.class {
            Class::Text if column.max_len.is_none_or(|len| len >= RANDOM_LEN) => {
                Ok(shortened(random(), column))
            }
            _ if !column.not_null => Ok("NULL".to_owned()),
            Class::Bytes => Ok(format!("pg_catalog.decode({}, 'hex')", random())),
            _ => Err("its values must differ from each other"),
        };
    }
    Ok(match column.class {
        Class::Text => "''".to_owned(),
        Class::Bytes => "''::pg_catalog.bytea".to_owned(),
        Class::Texts => "'{}'".to_owned(),
        Class::Json => format!(
            "CASE WHEN pg_catalog.jsonb_typeof({}::pg_catalog.jsonb) = 'array' THEN '[]'::pg_catalog.jsonb ELSE '{{}}'::pg_catalog.jsonb END",
            quoted(&column.name)
        ),
        Class::Address => "'0.0.0.0'".to_owned(),
        Class::Other if !column.not_null => "NULL".to_owned(),
        Class::Other => return Err("there is no empty value of its type"),
    })
}

fn hash(column: &Column, value: &str, salt: &Salt) -> Result<String, &'static str> {
    let Salt(salt) = salt;
    let of_text = |text: &str| {
        format!(
            "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to('{salt}' || {text}, 'UTF8')), 'hex')"
        )
    };
    Ok(match column.class {
        Class::Text if column.unique && column.max_len.is_some_and(|len| len < RANDOM_LEN) => {
            return Err("its values must differ, and hashes as short as it takes may not");
        }
        Class::Text => shortened(&of_text(value), column),
        Class::Bytes => {
            format!("pg_catalog.sha256(pg_catalog.convert_to('{salt}', 'UTF8') || {value})")
        }
        Class::Json => format!(
            "pg_catalog.to_jsonb({})",
            of_text(&format!("{value}::text"))
        ),
        Class::Texts => format!("ARRAY[{}]", of_text(&format!("{value}::text"))),
        Class::Address | Class::Other => return Err("only texts, bytes and JSON can be hashed"),
    })
}

/// A text cut to what the column takes.
fn shortened(expression: &str, column: &Column) -> String {
    match column.max_len {
        Some(len) => format!("pg_catalog.left({expression}, {len})"),
        None => expression.to_owned(),
    }
}

fn pseudonymous(
    table: &Table,
    column: &Column,
    pseudonym: Pseudonym,
    value: &str,
    salt: &Salt,
) -> Result<String, &'static str> {
    let key: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.key)
        .map(|column| format!("{}::text", quoted(&column.name)))
        .collect();
    let name = || {
        if key.is_empty() || column.key {
            return Err("its table has no other key to make a name of");
        }
        Ok(format!("'user-' || {}", key.join(" || '-' || ")))
    };
    match pseudonym {
        Pseudonym::Name => Ok(shortened(&name()?, column)),
        Pseudonym::Address => Ok(shortened(
            &format!("{} || '@example.invalid'", name()?),
            column,
        )),
        // The same person is the same everywhere.
        Pseudonym::Hash => hash(column, value, salt),
        Pseudonym::Blank => blank(column),
    }
}
