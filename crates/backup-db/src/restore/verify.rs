//! Reads a restored database back and compares it with the dump.

use super::error::RestoreError;
use super::fill::Filling;
use super::options::RestoreStep;
use crate::compare::{compare, digest_tables};
use crate::{DumpError, ObjectKind, QueryError, Session, SnapshotOptions, TableStats};

/// Rows of every table, large objects, where sequences stand, and that every index is valid.
pub(crate) fn verify(filling: &Filling<'_>) -> Result<(), RestoreError> {
    let mut differences = rows(filling)?;
    let mut session = Session::connect(filling.connect)?;
    session.cancel_with(filling.options.cancel.clone());
    let failed = |error| filling.failed(error, RestoreError::Query);
    differences.extend(sequences(&mut session, filling).map_err(failed)?);
    differences.extend(invalid(&mut session).map_err(failed)?);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(RestoreError::Different { differences })
    }
}

fn rows(filling: &Filling<'_>) -> Result<Vec<String>, RestoreError> {
    let dumped = filling.source.stats();
    let expected: Vec<TableStats> = filling
        .plan
        .tables
        .iter()
        .map(|table| dumped.tables[*table].clone())
        .collect();
    filling.progress.step(RestoreStep::Verify, filling.bytes());
    let options = SnapshotOptions {
        jobs: filling.options.jobs,
        patience: None,
        cancel: filling.options.cancel.clone(),
        ..SnapshotOptions::default()
    };
    let advance = |bytes| filling.progress.advance(bytes);
    let actual = digest_tables(filling.connect, &filling.options.tables, &options, &advance)
        .map_err(|error| match error {
            DumpError::Cancelled => RestoreError::Cancelled,
            DumpError::ServerLost(error) => RestoreError::ServerLost(error),
            error => RestoreError::ReadBack(error),
        })?;
    let mut differences: Vec<String> = compare(&expected, &actual.tables)
        .iter()
        .map(ToString::to_string)
        .collect();
    if filling.plan.large_objects && actual.large_objects != dumped.large_objects {
        let (expected, actual) = (&dumped.large_objects, &actual.large_objects);
        differences.push(format!(
            "{} large objects with {} bytes became {} with {}, or have other content",
            expected.count, expected.bytes, actual.count, actual.bytes
        ));
    }
    Ok(differences)
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
        session.batch(&format!("BEGIN; {}", step.sql))?;
        let expected = read(session)?;
        session.batch("ROLLBACK")?;
        if actual != expected {
            differences.push(format!("sequence {name} does not stand where it stood"));
        }
    }
    Ok(differences)
}

fn invalid(session: &mut Session) -> Result<Vec<String>, QueryError> {
    let rows = session.query(
        "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
          WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready) AND c.oid >= 16384 ORDER BY 1",
        &[],
    )?;
    Ok(rows
        .iter()
        .map(|row| format!("index {} is not valid", row.get::<_, String>(0)))
        .collect())
}
