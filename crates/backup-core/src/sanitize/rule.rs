//! The site's own rules.

use serde::{Deserialize, Serialize};

use super::error::SanitizeError;
use super::facts::{Facts, Table};

/// What to do with a table or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Leave it as it is.
    Keep,
    /// Replace values by empty ones; where values must differ, by random ones.
    Blank,
    /// Replace values by a salted hash: equal values stay equal within the package.
    Hash,
    /// A column: NULL in place of every value. A table: no rows.
    Drop,
}

/// One rule of `[sanitize]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SanitizeRule {
    /// `schema.table`, or a table's name in any schema. Partitions follow the rule of their table.
    pub table: String,
    /// The column; without one the rule is for all rows.
    #[serde(default)]
    pub column: Option<String>,
    /// What to do.
    pub action: Action,
}

impl SanitizeRule {
    fn name(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.table),
            None => self.table.clone(),
        }
    }
}

/// Refuses rules that fit nothing, or mean nothing.
pub(super) fn check(
    rules: &[SanitizeRule],
    user_tables: &[String],
    facts: &Facts,
) -> Result<(), SanitizeError> {
    for rule in rules {
        let fits = facts.tables.iter().any(|table| {
            table.is_called(&rule.table)
                && rule
                    .column
                    .as_ref()
                    .is_none_or(|column| table.column(column).is_some())
        });
        if !fits {
            return Err(SanitizeError::NoSuchColumn { name: rule.name() });
        }
        if rule.column.is_none() && matches!(rule.action, Action::Blank | Action::Hash) {
            return Err(SanitizeError::Rule {
                name: rule.name(),
                reason: "it names no column".to_owned(),
            });
        }
    }
    match user_tables
        .iter()
        .find(|name| !facts.tables.iter().any(|table| table.is_called(name)))
    {
        Some(name) => Err(SanitizeError::NoSuchColumn { name: name.clone() }),
        None => Ok(()),
    }
}

/// What the rules say of all rows of a table.
pub(super) fn of_table(rules: &[SanitizeRule], table: &Table) -> Option<Action> {
    rules
        .iter()
        .find(|rule| rule.column.is_none() && table.is_called(&rule.table))
        .map(|rule| rule.action)
}

/// What the rules say of a column.
pub(super) fn of_column(rules: &[SanitizeRule], table: &Table, column: &str) -> Option<Action> {
    rules
        .iter()
        .find(|rule| rule.column.as_deref() == Some(column) && table.is_called(&rule.table))
        .map(|rule| rule.action)
}

/// Whether a rule is for a column of this table.
pub(super) fn names_a_column(rules: &[SanitizeRule], table: &Table) -> bool {
    rules
        .iter()
        .any(|rule| rule.column.is_some() && table.is_called(&rule.table))
}
