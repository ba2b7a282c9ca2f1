//! Restores in place, in one transaction: for roles that may not create databases.
//!
//! Everything in the database is dropped, and the dump restored, on one connection. Others see the old content until the transaction is
//! committed, as far as they do not wait for its locks; any error rolls back to what was there.

use std::time::Duration;

use super::contents;
use super::error::RestoreError;
use super::fill::{Filling, prepare};
use super::in_place;
use super::options::{RestoreOptions, RestoreProgress, RestoreStats};
use super::plan::Plan;
use super::preflight::{self, Fate, Preflight};
use super::public_schema;
use super::source::DumpSource;
use super::verify;
use crate::quote::{literal, quote};
use crate::{ConnectOptions, ExtensionInfo, ServerInfo, Session};

/// Looks whether a dump can replace what is in a database; changes nothing.
///
/// # Errors
/// When the server cannot be asked.
pub fn preflight_replace(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut report = if options.is_selective() {
        in_place::check(connect, source, &Plan::within(source, options)?, options)?
    } else {
        preflight::check_in_place(connect, source, &Plan::new(source, options)?, options)?
    };
    let mut session = Session::connect(connect)?;
    report.tell_sessions(&mut session, connect.database(), Fate::Waiting)?;
    Ok(report)
}

/// How long one of the objects to drop may be locked by somebody else.
pub(crate) const LOCK_TIMEOUT: &str = "30s";

/// Replaces everything in a database by a dump, in one transaction.
///
/// Extensions that the dump has too stay, as only a superuser can make some of them. When the options select tables, schemas or rows alone,
/// only these are replaced: tables that are there get other rows, missing ones are made, and everything else stays.
///
/// # Errors
/// See [`RestoreError`]; the database is as it was then.
pub fn restore_replace(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
    progress: &dyn RestoreProgress,
) -> Result<RestoreStats, RestoreError> {
    if options.is_selective() {
        return in_place::restore(connect, source, options, progress);
    }
    let plan = Plan::new(source, options)?;
    let mut stats =
        preflight::check_in_place(connect, source, &plan, options)?.into_stats(connect)?;
    let mut session = Session::connect(connect)?;
    prepare(&mut session, options)?;
    let here = ServerInfo::read(&mut session).map_err(RestoreError::of_query)?;
    let dumped = &source.server().extensions;
    let kept: Vec<ExtensionInfo> = here
        .extensions
        .iter()
        .filter(|extension| preflight::is_shared(&extension.name, dumped, &here.extensions))
        .cloned()
        .collect();
    let schemas: Vec<String> = kept
        .iter()
        .map(|extension| extension.schema.clone())
        .collect();
    let filling = Filling {
        connect,
        source,
        plan: &plan,
        options,
        progress,
        schemas: &schemas,
        in_transaction: true,
    };
    session
        .batch(&format!("BEGIN; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        .map_err(RestoreError::of_query)?;
    clear(&mut session, &filling, &kept, &mut stats)?;
    filling.fill_with(std::slice::from_mut(&mut session), &mut stats)?;
    if options.verify {
        session = verify::verify_in(session, &filling)?;
        stats.verified = true;
    }
    filling.settle_with(&mut session)?;
    commit(&mut session, &filling)?;
    filling.analyze_after(&mut session, &mut stats);
    Ok(stats)
}

/// How often, once a second, a server that went away while it committed is asked what became of it.
const COMMIT_QUESTIONS: u32 = 30;

/// Commits. Should the connection break meanwhile, the server is asked whether it did.
pub(crate) fn commit(session: &mut Session, filling: &Filling<'_>) -> Result<(), RestoreError> {
    let failed = |error| filling.failed(error, RestoreError::Query);
    let transaction: String = session
        .query_one("SELECT pg_catalog.pg_current_xact_id()::text", &[])
        .map_err(failed)?
        .get(0);
    let Err(error) = session.batch("COMMIT") else {
        return Ok(());
    };
    if !error.is_connection_lost() {
        return Err(failed(error));
    }
    let status = format!("SELECT pg_catalog.pg_xact_status('{transaction}'::pg_catalog.xid8)");
    for _ in 0..COMMIT_QUESTIONS {
        let answer = Session::connect(filling.connect)
            .ok()
            .and_then(|mut session| session.query_text(&status).ok());
        match answer
            .as_ref()
            .and_then(|rows| rows.first()?.first()?.as_deref())
        {
            Some("committed") => return Ok(()),
            Some("aborted") => return Err(RestoreError::ServerLost(error)),
            _ => std::thread::sleep(Duration::from_secs(1)),
        }
    }
    Err(RestoreError::Undecided {
        database: filling.connect.database().to_owned(),
        source: error,
    })
}

/// Drops what the dump brings or does not have.
fn clear(
    session: &mut Session,
    filling: &Filling<'_>,
    kept: &[ExtensionInfo],
    stats: &mut RestoreStats,
) -> Result<(), RestoreError> {
    let failed = |error| filling.failed(error, RestoreError::Query);
    let is = |name: &str, object: &str| name == object || quote(name) == object;
    let keep = |object: &contents::Found| match (
        contents::is_extension(object),
        contents::is_schema(object),
    ) {
        (Some(object), _) => kept.iter().any(|extension| is(&extension.name, object)),
        (_, Some(object)) => kept.iter().any(|extension| is(&extension.schema, object)),
        _ => false,
    };
    let resisting = contents::remove_in_transaction(session, keep).map_err(failed)?;
    if let Some(first) = resisting.into_iter().next() {
        return Err(RestoreError::NotDropped {
            object: first.description,
            source: first.error,
        });
    }
    stats
        .warnings
        .extend(public_schema::reset(session).map_err(failed)?);
    // Rows of an extension's configuration tables: the dump has all that are not the extension's own.
    for table in filling
        .plan
        .tables
        .iter()
        .map(|table| &filling.source.stats().tables[*table])
    {
        if table.condition.is_none() {
            continue;
        }
        let there = format!(
            "SELECT pg_catalog.to_regclass({}) IS NOT NULL",
            literal(&table.qualified())
        );
        if session.query_one(&there, &[]).map_err(failed)?.get(0) {
            session.batch(&table.delete_sql()).map_err(failed)?;
        }
    }
    Ok(())
}
