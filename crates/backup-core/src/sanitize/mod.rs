//! What must not travel in a migration package, and what goes in its place.
//!
//! ```text
//! facts (columns, keys, references) ─┐
//! rules of the configuration ────────┼─> a treatment per table and column ──> SQL that the server applies while it copies
//! built-in knowledge ────────────────┤
//! names and contents that look ──────┘   secret and that no rule covers: the export stops and names them
//! ```
//! Values are replaced on the server, in the `COPY` itself: what must not leave never reaches this program.

mod error;
mod expression;
mod facts;
mod free_text;
mod knowledge;
mod people;
mod rule;
mod suspicion;

use std::collections::{BTreeMap, BTreeSet};

use backup_db::{Snapshot, TableRewrite};
use serde::{Deserialize, Serialize};

pub use error::{SanitizeError, Suspect};
use expression::Salt;
use facts::{Column, Facts, Table};
use free_text::Names;
pub use rule::{Action, SanitizeRule};

/// How a package is kept free of secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SanitizeOptions {
    /// The site's own rules; they come before the built-in ones, the first that fits counts.
    pub rules: Vec<SanitizeRule>,
    /// Tables of accounts (`schema.table`, or a name) besides those that look like Django's: columns `password` and `last_login`.
    pub user_tables: Vec<String>,
    /// Replace people by pseudonyms. Default: no, accounts keep their names.
    pub exclude_users: bool,
}

/// One thing that is other in the package than in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `schema.table`.
    pub table: String,
    /// The column; none when all rows of the table are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What was done: `rows left out`, `blanked`, `hashed`, `made unusable`, `replaced by a pseudonym`.
    pub change: String,
    /// Why.
    pub reason: String,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sanitized {
    /// What is other than in the database.
    pub changes: Vec<Change>,
    /// What was not looked at.
    pub notes: Vec<String>,
}

/// What is to be done with one column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Treatment {
    Keep,
    Blank,
    /// Blank in rows for which this column is true.
    BlankWhere(&'static str),
    Hash,
    Null,
    /// Django's mark of an account without a usable password, another one in every row.
    UnusablePassword,
    /// A text in which this pattern finds no name any more.
    WithoutNames(String),
    /// A pseudonym made of the row's key.
    Pseudonym(people::Pseudonym),
}

/// Decides what to change of the rows of a snapshot, tells the snapshot so, and says what it was.
///
/// # Errors
/// When something looks secret and no rule covers it, a rule names what is not there, or a treatment cannot be applied. Nothing is
/// changed in the database in any case.
pub fn sanitize(
    snapshot: &mut Snapshot,
    options: &SanitizeOptions,
) -> Result<Sanitized, SanitizeError> {
    let facts = Facts::read(snapshot)?;
    rule::check(&options.rules, &options.user_tables, &facts)?;
    let names = if options.exclude_users {
        let user_tables = facts
            .tables
            .iter()
            .filter(|table| people::is_user_table(table, &options.user_tables));
        Names::read(snapshot, user_tables)?
    } else {
        Names::None
    };
    let mut plan = Plan {
        facts: &facts,
        names,
        options,
        salt: Salt::random()?,
        rewrites: BTreeMap::new(),
        changes: Vec::new(),
    };
    let mut suspects = Vec::new();
    for table in &facts.tables {
        plan.table(snapshot, table, &mut suspects)?;
    }
    if !suspects.is_empty() {
        return Err(SanitizeError::Unresolved { suspects });
    }
    plan.references(snapshot)?;
    let rewrites: Vec<TableRewrite> = plan.rewrites.into_values().collect();
    snapshot.rewrite(&rewrites)?;
    let mut notes = Vec::new();
    if plan.names == Names::TooMany {
        notes.push("names of people in titles, descriptions and other free texts were not searched for: there are too many accounts".to_owned());
    }
    if !snapshot.large_objects().is_empty() {
        notes.push("large objects were not searched for secrets".to_owned());
    }
    Ok(Sanitized {
        changes: plan.changes,
        notes,
    })
}

struct Plan<'a> {
    facts: &'a Facts,
    names: Names,
    options: &'a SanitizeOptions,
    salt: Salt,
    /// By number of the table.
    rewrites: BTreeMap<u32, TableRewrite>,
    changes: Vec<Change>,
}

impl Plan<'_> {
    fn table(
        &mut self,
        snapshot: &Snapshot,
        table: &Table,
        suspects: &mut Vec<Suspect>,
    ) -> Result<(), SanitizeError> {
        match rule::of_table(&self.options.rules, table) {
            Some(Action::Keep) => return Ok(()),
            Some(Action::Drop) => {
                self.empty(table, "the site's rule");
                return Ok(());
            }
            Some(Action::Blank | Action::Hash) | None => {}
        }
        if let Some(reason) = knowledge::rows(table) {
            // A rule for one of its columns says that somebody wants the rows.
            if !rule::names_a_column(&self.options.rules, table) {
                self.empty(table, reason);
                return Ok(());
            }
        }
        let is_user_table = people::is_user_table(table, &self.options.user_tables);
        let mut unknown = Vec::new();
        for column in &table.columns {
            match self.decide(table, column, is_user_table) {
                Some((treatment, reason)) => self.treat(table, column, treatment, reason)?,
                None => unknown.push(column),
            }
        }
        if let Names::Pattern(pattern) = self.names.clone() {
            for column in free_text::with_names(snapshot, table, &unknown, &pattern)? {
                let treatment = Treatment::WithoutNames(pattern.clone());
                self.treat(table, column, treatment, "it names people")?;
            }
        }
        suspects.extend(suspicion::search(snapshot, table, &unknown)?);
        Ok(())
    }

    /// The first that has something to say: the site's rules, what is known of applications, people.
    fn decide(
        &self,
        table: &Table,
        column: &Column,
        is_user_table: bool,
    ) -> Option<(Treatment, &'static str)> {
        if let Some(action) = rule::of_column(&self.options.rules, table, &column.name) {
            let treatment = match action {
                Action::Keep => Treatment::Keep,
                Action::Blank => Treatment::Blank,
                Action::Hash => Treatment::Hash,
                Action::Drop => Treatment::Null,
            };
            return Some((treatment, "the site's rule"));
        }
        if is_user_table && column.name == "password" {
            return Some((Treatment::UnusablePassword, "a password hash of an account"));
        }
        if let Some(known) = knowledge::column(table, column) {
            return Some(known);
        }
        if self.options.exclude_users {
            return people::pseudonym(table, column, is_user_table).map(|pseudonym| {
                (
                    Treatment::Pseudonym(pseudonym),
                    "people are left out of this package",
                )
            });
        }
        None
    }

    fn empty(&mut self, table: &Table, reason: &str) {
        self.rewrite(table).empty = true;
        self.changes.push(Change {
            table: table.to_string(),
            column: None,
            change: "rows left out".to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn treat(
        &mut self,
        table: &Table,
        column: &Column,
        treatment: Treatment,
        reason: &str,
    ) -> Result<(), SanitizeError> {
        let Some((expression, change)) = expression::of(table, column, &treatment, &self.salt)?
        else {
            return Ok(());
        };
        self.rewrite(table)
            .columns
            .insert(column.name.clone(), expression);
        self.changes.push(Change {
            table: table.to_string(),
            column: Some(column.name.clone()),
            change: change.to_owned(),
            reason: reason.to_owned(),
        });
        Ok(())
    }

    fn rewrite(&mut self, table: &Table) -> &mut TableRewrite {
        self.rewrites
            .entry(table.oid)
            .or_insert_with(|| TableRewrite::of(table.name.clone()))
    }

    /// No foreign key may point at a row that is left out: such references are blanked, or the export is refused.
    fn references(&mut self, snapshot: &Snapshot) -> Result<(), SanitizeError> {
        let emptied: BTreeSet<u32> = self
            .rewrites
            .iter()
            .filter_map(|(oid, rewrite)| rewrite.empty.then_some(*oid))
            .collect();
        for reference in &self.facts.references {
            let dangles = emptied.contains(&reference.to) && !emptied.contains(&reference.from);
            let Some(table) = self.facts.table(reference.from).filter(|_| dangles) else {
                continue;
            };
            if !facts::has_rows_with(snapshot, table, &reference.columns)? {
                continue;
            }
            let target = self.facts.table(reference.to);
            let target = target.map(ToString::to_string).unwrap_or_default();
            for name in &reference.columns {
                let column = table.column(name).filter(|column| !column.not_null);
                let Some(column) = column else {
                    return Err(SanitizeError::Reference {
                        from: format!("{table}.{name}"),
                        to: target,
                    });
                };
                let reason = format!("the rows of {target} that it names are left out");
                self.treat(table, column, Treatment::Null, &reason)?;
            }
        }
        Ok(())
    }
}
