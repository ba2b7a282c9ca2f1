//! Reads a restored database back and compares it with the dump.

use std::sync::{Mutex, PoisonError};

use super::error::RestoreError;
use super::fill::Filling;
use super::options::RestoreStep;
use crate::compare::{compare, digest_tables};
use crate::snapshot::digest_large_objects;
use crate::{
    DumpError, DumpStats, ObjectKind, QueryError, RowDigest, Session, SnapshotOptions, TableName,
    TableStats,
};

/// Rows of every table, large objects, where sequences stand, and that every index is valid; on several connections.
pub(crate) fn verify(filling: &Filling<'_>) -> Result<(), RestoreError> {
    let actual = rows(filling)?;
    let mut session = Session::connect(filling.connect)?;
    session.cancel_with(filling.options.cancel.clone());
    judge(&mut session, filling, &actual)
}

/// The same in the session's transaction, which nobody else can see into.
pub(crate) fn verify_in(session: Session, filling: &Filling<'_>) -> Result<Session, RestoreError> {
    filling.progress.step(RestoreStep::Verify, filling.bytes());
    let session = Mutex::new(session);
    let mut actual = DumpStats::default();
    for expected in expected(filling) {
        let mut table = TableStats {
            rows: 0,
            bytes: 0,
            digest: RowDigest::default(),
            ..expected
        };
        let sql = table.copy_out_sql(None);
        let add = |row: &[u8]| {
            table.add_row(row);
            true
        };
        let read = session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .copy_out(&sql, add);
        read.map_err(|error| filling.failed(error, RestoreError::Query))?;
        filling.progress.advance(table.bytes);
        actual.tables.push(table);
    }
    if filling.plan.large_objects {
        actual.large_objects = digest_large_objects(&session).map_err(not_read)?;
    }
    let mut session = session.into_inner().unwrap_or_else(PoisonError::into_inner);
    judge(&mut session, filling, &actual)?;
    Ok(session)
}

fn judge(
    session: &mut Session,
    filling: &Filling<'_>,
    actual: &DumpStats,
) -> Result<(), RestoreError> {
    let mut differences = differences(filling, actual);
    let failed = |error| filling.failed(error, RestoreError::Query);
    differences.extend(sequences(session, filling).map_err(failed)?);
    differences.extend(invalid(session, filling).map_err(failed)?);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(RestoreError::Different { differences })
    }
}

fn expected(filling: &Filling<'_>) -> Vec<TableStats> {
    filling
        .plan
        .tables
        .iter()
        .map(|table| filling.source.stats().tables[*table].clone())
        .collect()
}

fn rows(filling: &Filling<'_>) -> Result<DumpStats, RestoreError> {
    filling.progress.step(RestoreStep::Verify, filling.bytes());
    let options = SnapshotOptions {
        jobs: filling.options.jobs,
        patience: None,
        any_version: filling.options.any_version,
        cancel: filling.options.cancel.clone(),
        ..SnapshotOptions::default()
    };
    let advance = |bytes| filling.progress.advance(bytes);
    let tables: Vec<TableName> = if filling.options.is_partial() {
        expected(filling)
            .iter()
            .map(TableStats::table_name)
            .collect()
    } else {
        Vec::new()
    };
    // No tables would mean all of them.
    if filling.plan.tables.is_empty() && !filling.plan.large_objects {
        return Ok(DumpStats::default());
    }
    digest_tables(filling.connect, &tables, &options, &advance).map_err(not_read)
}

fn not_read(error: DumpError) -> RestoreError {
    match error {
        DumpError::Cancelled => RestoreError::Cancelled,
        DumpError::ServerLost(error) => RestoreError::ServerLost(error),
        error => RestoreError::ReadBack(error),
    }
}

fn differences(filling: &Filling<'_>, actual: &DumpStats) -> Vec<String> {
    let mut differences: Vec<String> = compare(&expected(filling), &actual.tables)
        .iter()
        .map(ToString::to_string)
        .collect();
    let (expected, actual) = (&filling.source.stats().large_objects, &actual.large_objects);
    if filling.plan.large_objects && actual != expected {
        differences.push(format!(
            "{} large objects with {} bytes became {} with {}, or have other content",
            expected.count, expected.bytes, actual.count, actual.bytes
        ));
    }
    differences
}

/// Sequences whose next value is not that of the dump: setting it again must change nothing.
fn sequences(session: &mut Session, filling: &Filling<'_>) -> Result<Vec<String>, QueryError> {
    let mut differences = Vec::new();
    for step in filling
        .plan
        .post_data
        .iter()
        .filter(|step| step.record.kind == ObjectKind::SequenceValue)
    {
        let Some(schema) = &step.record.schema else {
            continue;
        };
        let name = format!(
            "{}.{}",
            crate::quote::quote(schema),
            crate::quote::quote(&step.record.name)
        );
        let state = format!("SELECT last_value, is_called FROM {name}");
        let read = |session: &mut Session| session.query_text(&state);
        let actual = read(session)?;
        session.batch(&step.sql)?;
        let expected = read(session)?;
        if actual != expected {
            differences.push(format!("sequence {name} does not stand where it stood"));
        }
    }
    Ok(differences)
}

fn invalid(session: &mut Session, filling: &Filling<'_>) -> Result<Vec<String>, QueryError> {
    // Of a part, only its own tables: others may be as they like.
    let tables: Option<Vec<String>> = filling.options.is_selective().then(|| {
        let tables = expected(filling);
        tables.iter().map(TableStats::qualified).collect()
    });
    let rows = session.query(
        "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
          WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready) AND c.oid >= 16384
            AND ($1::text[] IS NULL OR i.indrelid IN (SELECT pg_catalog.to_regclass(t) FROM pg_catalog.unnest($1::text[]) t)) ORDER BY 1",
        &[&tables],
    )?;
    Ok(rows
        .iter()
        .map(|row| format!("index {} is not valid", row.get::<_, String>(0)))
        .collect())
}
