//! Some tables, or rows alone, into a database that is in use: in one transaction, and everything else stays.
//!
//! Tables that are there get the rows of the dump instead of theirs; foreign keys from and to them are taken off before and checked when
//! they are put back, triggers do not fire. Tables that are missing are made, with what they need. Any error leaves everything as it was.

use std::collections::{BTreeSet, HashSet};

use super::error::RestoreError;
use super::fill::{Filling, prepare};
use super::options::{Parts, RestoreOptions, RestoreProgress, RestoreStats, RestoreStep};
use super::plan::{Plan, Step};
use super::preflight::{self, Preflight, Problem};
use super::replace::{LOCK_TIMEOUT, commit};
use super::source::DumpSource;
use super::{load, verify};
use crate::quote::literal;
use crate::{ConnectOptions, ObjectKind, QueryError, Session, TableStats};

/// Looks whether the selected part of a dump can be put into a database that is in use; changes nothing.
pub(crate) fn check(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut report = preflight::check_part(connect, source, plan, options)?;
    let mut session = Session::connect(connect)?;
    let there = There::read(&mut session, source, plan).map_err(RestoreError::of_query)?;
    let failed = RestoreError::of_query;
    let mut missing = Vec::new();
    for table in plan
        .tables
        .iter()
        .map(|index| &source.stats().tables[*index])
    {
        let Some(found) = there.tables.iter().find(|found| found.is(table)) else {
            missing.push(table.qualified());
            continue;
        };
        let columns = table.columns.iter();
        let lost: Vec<String> = columns
            .filter(|column| !found.columns.contains(column))
            .cloned()
            .collect();
        if !lost.is_empty() {
            report.problems.push(Problem::ColumnsMissing {
                table: table.qualified(),
                columns: lost,
            });
        }
    }
    if options.parts == Parts::Data && !missing.is_empty() {
        report
            .problems
            .push(Problem::TablesMissing { tables: missing });
    }
    let keys = foreign_keys(&mut session, &there.oids(source, plan)).map_err(failed)?;
    let others: BTreeSet<String> = there
        .tables
        .iter()
        .filter(|table| !table.is_ours)
        .map(|table| format!("table {}.{}", table.schema, table.name))
        .chain(
            keys.iter()
                .filter(|key| !key.is_ours)
                .map(|key| format!("foreign key {} of {}", key.name, key.table)),
        )
        .collect();
    if !others.is_empty() {
        report.problems.push(Problem::NotObjectOwner {
            role: connect.user().to_owned(),
            objects: others.into_iter().take(5).collect(),
        });
    }
    Ok(report)
}

/// Puts the selected part of a dump into a database that is in use.
pub(crate) fn restore(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
    progress: &dyn RestoreProgress,
) -> Result<RestoreStats, RestoreError> {
    let plan = Plan::within(source, options)?;
    let mut stats = check(connect, source, &plan, options)?.into_stats(connect)?;
    let mut session = Session::connect(connect)?;
    prepare(&mut session, options)?;
    let filling = Filling {
        connect,
        source,
        plan: &plan,
        options,
        progress,
        schemas: &[],
        in_transaction: true,
    };
    let failed = |error| filling.failed(error, RestoreError::Query);
    session
        .batch(&format!("BEGIN; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        .map_err(failed)?;
    let there = There::read(&mut session, source, &plan).map_err(failed)?;
    let detached = Detached::detach(&mut session, &there.oids(source, &plan)).map_err(failed)?;
    empty(&mut session, &there, &filling).map_err(failed)?;
    let mut part = Part {
        filling: &filling,
        there: &there,
        kept: HashSet::new(),
        warnings: Vec::new(),
    };
    progress.step(RestoreStep::PreData, plan.pre_data.len() as u64);
    part.run(&mut session, &plan.pre_data)?;
    progress.step(RestoreStep::Data, filling.bytes());
    load::rows(std::slice::from_mut(&mut session), &filling, &mut stats)?;
    progress.step(RestoreStep::PostData, plan.post_data.len() as u64);
    part.run(&mut session, &plan.post_data)?;
    let kept = part.kept.len();
    stats.warnings.extend(part.warnings);
    detached.attach(&mut session, &filling)?;
    if options.verify {
        session = verify::verify_in(session, &filling)?;
        stats.verified = true;
    }
    commit(&mut session, &filling)?;
    if kept > 0 && options.parts != Parts::Data {
        stats.warnings.push(format!(
            "{kept} objects that are there already were left as they are"
        ));
    }
    filling.analyze_after(&mut session, &mut stats);
    Ok(stats)
}

/// A relation that is there.
struct Found {
    oid: u32,
    schema: String,
    name: String,
    columns: Vec<String>,
    is_ours: bool,
}

impl Found {
    fn is(&self, table: &TableStats) -> bool {
        self.schema == table.schema && self.name == table.name
    }
}

/// What of the dump's relations is in the database already.
struct There {
    tables: Vec<Found>,
    names: HashSet<(String, String)>,
}

impl There {
    fn read(
        session: &mut Session,
        source: &dyn DumpSource,
        plan: &Plan<'_>,
    ) -> Result<Self, QueryError> {
        let loaded = plan
            .tables
            .iter()
            .map(|index| source.stats().tables[*index].table_name());
        let made = plan.steps().filter_map(|step| step.record.table.clone());
        let wanted: BTreeSet<_> = loaded.chain(made).collect();
        let (schemas, names): (Vec<String>, Vec<String>) = wanted
            .into_iter()
            .map(|table| (table.schema, table.name))
            .unzip();
        let rows = session.query(
            "SELECT c.oid, n.nspname::text, c.relname::text, pg_catalog.pg_has_role(c.relowner, 'USAGE'),
                    ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
               FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name)
               JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
               JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
              WHERE c.relkind NOT IN ('i', 'I', 'c')",
            &[&schemas, &names],
        )?;
        let tables: Vec<Found> = rows
            .iter()
            .map(|row| Found {
                oid: row.get(0),
                schema: row.get(1),
                name: row.get(2),
                is_ours: row.get(3),
                columns: row.get(4),
            })
            .collect();
        let names = tables
            .iter()
            .map(|table| (table.schema.clone(), table.name.clone()))
            .collect();
        Ok(Self { tables, names })
    }

    /// The tables that get other rows.
    fn oids(&self, source: &dyn DumpSource, plan: &Plan<'_>) -> Vec<u32> {
        let loaded = || {
            plan.tables
                .iter()
                .map(|index| &source.stats().tables[*index])
        };
        let gets_rows = |found: &&Found| loaded().any(|table| found.is(table));
        self.tables
            .iter()
            .filter(gets_rows)
            .map(|found| found.oid)
            .collect()
    }

    fn has(&self, schema: &str, name: &str) -> bool {
        self.names.contains(&(schema.to_owned(), name.to_owned()))
    }
}

/// Takes out the rows of the tables that get others; of an extension's configuration table, those that are the user's.
fn empty(session: &mut Session, there: &There, filling: &Filling<'_>) -> Result<(), QueryError> {
    let tables = filling.plan.tables.iter();
    let tables = tables
        .map(|index| &filling.source.stats().tables[*index])
        .filter(|table| there.has(&table.schema, &table.name));
    let (configuration, whole): (Vec<&TableStats>, Vec<&TableStats>) =
        tables.partition(|table| table.condition.is_some());
    if !whole.is_empty() {
        let names: Vec<String> = whole
            .iter()
            .map(|table| format!("ONLY {}", table.qualified()))
            .collect();
        session.batch(&format!("TRUNCATE TABLE {}", names.join(", ")))?;
    }
    for table in configuration {
        session.batch(&table.delete_sql())?;
    }
    Ok(())
}

/// SQLSTATEs of making what is there already: table, object, schema, function, column.
const IS_THERE: &[&str] = &["42P07", "42710", "42P06", "42723", "42701"];

/// SQLSTATE of a foreign key to a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// The making of what is missing.
struct Part<'a> {
    filling: &'a Filling<'a>,
    there: &'a There,
    /// Records whose objects were there.
    kept: HashSet<usize>,
    warnings: Vec<String>,
}

impl Part<'_> {
    fn run(&mut self, session: &mut Session, steps: &[Step<'_>]) -> Result<(), RestoreError> {
        for step in steps {
            self.filling.check_cancelled()?;
            if self.belongs_to_what_is_there(step) || !self.is_new(session, step)? {
                self.kept.insert(step.index);
            }
            self.filling.progress.advance(1);
        }
        Ok(())
    }

    fn belongs_to_what_is_there(&self, step: &Step<'_>) -> bool {
        let record = step.record;
        if matches!(record.kind, ObjectKind::SequenceValue | ObjectKind::Refresh) {
            return false;
        }
        let table_is_there = record
            .table
            .as_ref()
            .is_some_and(|table| self.there.has(&table.schema, &table.name));
        let parent_is_there = record
            .parent
            .is_some_and(|parent| self.kept.contains(&(parent as usize)));
        // The identity of a column is made by changing its table.
        let records = self.filling.source.script().records();
        let changes_what_is_there = record.kind == ObjectKind::Sequence
            && record.dependencies.iter().any(|index| {
                let needed = &records[*index as usize];
                needed.kind == ObjectKind::Table && self.kept.contains(&(*index as usize))
            });
        table_is_there || parent_is_there || changes_what_is_there
    }

    /// Makes one object; `false` when it is there already.
    fn is_new(&mut self, session: &mut Session, step: &Step<'_>) -> Result<bool, RestoreError> {
        match self.filling.run(session, step) {
            Ok(()) => Ok(true),
            Err(RestoreError::Object { source, .. })
                if source
                    .sqlstate()
                    .is_some_and(|code| IS_THERE.contains(&code)) =>
            {
                Ok(false)
            }
            Err(RestoreError::Object { kind, name, source })
                if step.record.kind == ObjectKind::ForeignKey
                    && source.sqlstate() == Some(UNDEFINED_TABLE) =>
            {
                self.warnings
                    .push(format!("{kind} {name} is left out: {}", source.message()));
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

/// A foreign key from or to one of the tables.
struct ForeignKey {
    table: String,
    name: String,
    definition: String,
    comment: Option<String>,
    is_ours: bool,
}

/// Those that touch the tables, each at the topmost table that has it.
fn foreign_keys(session: &mut Session, tables: &[u32]) -> Result<Vec<ForeignKey>, QueryError> {
    let rows = session.query(
        "WITH RECURSIVE touching AS (
             SELECT oid, conparentid FROM pg_catalog.pg_constraint
              WHERE contype = 'f' AND (conrelid = ANY ($1) OR confrelid = ANY ($1))
             UNION SELECT k.oid, k.conparentid FROM pg_catalog.pg_constraint k JOIN touching t ON k.oid = t.conparentid)
         SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(k.conname), pg_catalog.pg_get_constraintdef(k.oid),
                pg_catalog.obj_description(k.oid, 'pg_constraint'),
                pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.pg_has_role(r.relowner, 'USAGE')
           FROM touching JOIN pg_catalog.pg_constraint k USING (oid)
           JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
          WHERE k.conparentid = 0 ORDER BY k.oid",
        &[&tables],
    )?;
    Ok(rows
        .iter()
        .map(|row| ForeignKey {
            table: row.get(0),
            name: row.get(1),
            definition: row.get(2),
            comment: row.get(3),
            is_ours: row.get(4),
        })
        .collect())
}

/// What is taken off the tables while they are filled.
struct Detached {
    foreign_keys: Vec<ForeignKey>,
    /// Statements that let triggers fire again.
    triggers: Vec<String>,
}

impl Detached {
    fn detach(session: &mut Session, tables: &[u32]) -> Result<Self, QueryError> {
        let foreign_keys = foreign_keys(session, tables)?;
        for key in &foreign_keys {
            session.batch(&format!(
                "ALTER TABLE {} DROP CONSTRAINT {}",
                key.table, key.name
            ))?;
        }
        let rows = session.query(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(t.tgname), t.tgenabled = 'A'
               FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY t.oid",
            &[&tables],
        )?;
        let mut triggers = Vec::new();
        for row in &rows {
            let (table, name): (&str, &str) = (row.get(0), row.get(1));
            let always = if row.get(2) { "ALWAYS " } else { "" };
            session.batch(&format!("ALTER TABLE ONLY {table} DISABLE TRIGGER {name}"))?;
            triggers.push(format!(
                "ALTER TABLE ONLY {table} ENABLE {always}TRIGGER {name}"
            ));
        }
        Ok(Self {
            foreign_keys,
            triggers,
        })
    }

    /// Puts everything back; the server checks every row of the foreign keys.
    fn attach(&self, session: &mut Session, filling: &Filling<'_>) -> Result<(), RestoreError> {
        let failed = |error| filling.failed(error, RestoreError::Query);
        for sql in &self.triggers {
            session.batch(sql).map_err(failed)?;
        }
        for key in &self.foreign_keys {
            let ForeignKey {
                table,
                name,
                definition,
                comment,
                ..
            } = key;
            session
                .batch(&format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
                ))
                .map_err(|source| {
                    filling.failed(source, |source| RestoreError::Object {
                        kind: ObjectKind::ForeignKey.label(),
                        name: format!("{name} of {table}"),
                        source,
                    })
                })?;
            if let Some(comment) = comment {
                let sql = format!(
                    "COMMENT ON CONSTRAINT {name} ON {table} IS {}",
                    literal(comment)
                );
                session.batch(&sql).map_err(failed)?;
            }
        }
        Ok(())
    }
}
