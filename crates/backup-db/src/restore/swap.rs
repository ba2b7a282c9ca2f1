//! Restores beside the live database and exchanges the two by name, in one transaction.
//!
//! ```text
//! prepare   name                      live, serving        name__edms_new_ID   filled and compared
//! commit    name__edms_old_ID         kept for undo        name                live
//! undo      name                      live again           name__edms_undone_ID
//! ```
//! Until the commit nothing happens to the live database, and the commit is one transaction of the server: whenever a restore is killed, the
//! database is the old one or the new one. What was prepared and not committed is dropped by [`abandon_swap`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::carry;
use super::databases::{self, Marker, Names, SwapState, comment_sql};
use super::error::RestoreError;
use super::fill::Filling;
use super::options::{Parts, RestoreOptions, RestoreProgress, RestoreStats};
use super::plan::Plan;
use super::preflight::{self, Fate, Preflight, Problem};
use super::source::DumpSource;
use super::target::{Target, drop_database, maintenance};
use super::verify;
use crate::quote::quote;
use crate::{ConnectError, ConnectOptions, QueryError, Session};

/// What exchanging two databases did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swapped {
    /// The database that is kept.
    pub kept: String,
    /// How long nobody could connect: from the first session that was ended to the end of the transaction.
    pub window: Duration,
}

/// Looks whether a dump can be restored beside a live database and exchanged with it; changes nothing.
///
/// # Errors
/// When the server cannot be asked.
pub fn preflight_swap(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
    id: &str,
) -> Result<Preflight, RestoreError> {
    let names = Names::new(connect.database(), id)?;
    let plan = Plan::new(source, options)?;
    let mut report = check(connect, &names, source, &plan, options)?;
    report.tell_sessions(&mut maintenance(connect)?, &names.live, Fate::Ended)?;
    Ok(report)
}

/// Restores a dump into a new database beside the live one, and compares it. The live one is not touched; [`commit_swap`] exchanges them.
///
/// `id` names the restore: up to 40 letters, digits, `-` and `_`.
///
/// # Errors
/// As [`restore_fresh`](crate::restore_fresh); the new database is dropped then.
pub fn prepare_swap(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
    id: &str,
    progress: &dyn RestoreProgress,
) -> Result<RestoreStats, RestoreError> {
    let names = Names::new(connect.database(), id)?;
    let plan = Plan::new(source, options)?;
    let new = connect.with_database(&names.new);
    let mut stats = check(connect, &names, source, &plan, options)?.into_stats(&new)?;
    let mut guard = maintenance(connect)?;
    if !lock(&mut guard, &names).map_err(RestoreError::of_query)? {
        return Err(RestoreError::Busy { id: id.to_owned() });
    }
    let (target, warnings) = Target::create(&new, source.server())?;
    stats.created = true;
    stats.warnings.extend(warnings);
    let marker = Marker {
        restore: id.to_owned(),
        live: names.live.clone(),
        ready: false,
        comment: None,
    };
    let filling = Filling {
        connect: &new,
        source,
        plan: &plan,
        options,
        progress,
        schemas: &[],
        in_transaction: false,
    };
    let mut prepare = || -> Result<(), RestoreError> {
        guard
            .batch(&marker.sql(&names.new))
            .map_err(RestoreError::of_query)?;
        filling.fill(&mut stats)?;
        verify::verify(&filling)?;
        stats.verified = true;
        make_ready(connect, &filling, &names, marker.clone(), &mut stats)
    };
    match prepare() {
        Ok(()) => Ok(stats),
        Err(error) => Err(target.abandon(error)),
    }
}

/// What belongs to the database itself: first as the live one has it, then as the dump has it.
fn make_ready(
    connect: &ConnectOptions,
    filling: &Filling<'_>,
    names: &Names,
    mut marker: Marker,
    stats: &mut RestoreStats,
) -> Result<(), RestoreError> {
    let mut live = Session::connect(connect)?;
    let mut new = Session::connect(filling.connect)?;
    let mut warnings =
        carry::carry(&mut live, &mut new, &names.new).map_err(RestoreError::of_query)?;
    filling.settle()?;
    let database = databases::find(&mut new, &names.new).map_err(RestoreError::of_query)?;
    marker.comment = database.and_then(|database| database.plain_comment());
    marker.ready = true;
    new.batch(&marker.sql(&names.new))
        .map_err(RestoreError::of_query)?;
    warnings.extend(
        carry::carry_owner(&mut live, &mut new, &names.new).map_err(RestoreError::of_query)?,
    );
    stats.warnings.extend(warnings);
    Ok(())
}

/// Exchanges the databases of a prepared restore. Sessions in the live database are ended.
///
/// # Errors
/// [`RestoreError::WrongState`] when the restore is not ready. [`RestoreError::InUse`] when sessions cannot be ended; nothing has changed then.
pub fn commit_swap(connect: &ConnectOptions, id: &str) -> Result<Swapped, RestoreError> {
    put_in_place(connect, id, SwapState::Ready, |names| {
        (&names.new, &names.old)
    })
}

/// Takes a swap back: the database from before is live again, the restored one is kept beside it.
///
/// # Errors
/// As [`commit_swap`].
pub fn undo_swap(connect: &ConnectOptions, id: &str) -> Result<Swapped, RestoreError> {
    put_in_place(connect, id, SwapState::Swapped, |names| {
        (&names.old, &names.undone)
    })
}

/// Drops the new database of a restore that was not committed, whether it is ready or broke off.
///
/// # Errors
/// [`RestoreError::Busy`] when the restore is still running.
pub fn abandon_swap(connect: &ConnectOptions, id: &str) -> Result<(), RestoreError> {
    let names = Names::new(connect.database(), id)?;
    drop_kept(connect, &names, id, &[&names.new])
}

/// Drops what a swap or its undoing keeps. There is no way back afterwards.
///
/// # Errors
/// When a database cannot be dropped.
pub fn discard_swap(connect: &ConnectOptions, id: &str) -> Result<(), RestoreError> {
    let names = Names::new(connect.database(), id)?;
    drop_kept(connect, &names, id, &[&names.old, &names.undone])
}

/// How far a swap got.
///
/// # Errors
/// When the server cannot be asked.
pub fn swap_state(connect: &ConnectOptions, id: &str) -> Result<SwapState, RestoreError> {
    let names = Names::new(connect.database(), id)?;
    databases::state(&mut maintenance(connect)?, &names).map_err(RestoreError::of_query)
}

/// All swaps of a live database that left something on the server, with their state.
///
/// # Errors
/// When the server cannot be asked.
pub fn list_swaps(connect: &ConnectOptions) -> Result<Vec<(String, SwapState)>, RestoreError> {
    let mut session = maintenance(connect)?;
    let ids = databases::ids(&mut session, connect.database()).map_err(RestoreError::of_query)?;
    ids.into_iter()
        .map(|id| {
            let state = databases::state(&mut session, &Names::new(connect.database(), &id)?)
                .map_err(RestoreError::of_query)?;
            Ok((id, state))
        })
        .collect()
}

fn check(
    connect: &ConnectOptions,
    names: &Names,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut report = preflight::check(&connect.with_database(&names.new), source, plan, options)?;
    let mut session = maintenance(connect)?;
    let owner = session
        .query_opt(
            "SELECT pg_catalog.pg_get_userbyid(datdba)::text, pg_catalog.pg_has_role(datdba, 'MEMBER') FROM pg_catalog.pg_database WHERE datname = $1::text::name",
            &[&names.live],
        )
        .map_err(RestoreError::of_query)?;
    if options.is_partial() || options.parts != Parts::All {
        report.problems.push(Problem::PartInsteadOfWhole);
    }
    match owner {
        None => return Err(no_such_database(connect)),
        Some(row) if !row.get::<_, bool>(1) => {
            report.problems.push(Problem::NotDatabaseOwner {
                database: names.live.clone(),
                owner: row.get(0),
            });
        }
        Some(_) => {}
    }
    Ok(report)
}

/// The error of connecting to the live database, which is not there.
fn no_such_database(connect: &ConnectOptions) -> RestoreError {
    match Session::connect(connect) {
        Err(error) => error.into(),
        Ok(_) => ConnectError::InvalidOptions {
            reason: "the database appeared while it was looked for".into(),
        }
        .into(),
    }
}

/// Makes one database live and puts the live one aside, as `choose` picks from the names, when the swap is in the state `wanted`.
fn put_in_place(
    connect: &ConnectOptions,
    id: &str,
    wanted: SwapState,
    choose: impl Fn(&Names) -> (&String, &String),
) -> Result<Swapped, RestoreError> {
    let names = Names::new(connect.database(), id)?;
    let mut session = maintenance(connect)?;
    let state = databases::state(&mut session, &names).map_err(RestoreError::of_query)?;
    if state != wanted {
        return Err(RestoreError::WrongState {
            id: id.to_owned(),
            state,
        });
    }
    let (next, aside) = choose(&names);
    let mut comment = |name: &str| -> Result<Option<String>, RestoreError> {
        let database = databases::find(&mut session, name).map_err(RestoreError::of_query)?;
        Ok(database.and_then(|database| database.plain_comment()))
    };
    let marker = Marker {
        restore: id.to_owned(),
        live: names.live.clone(),
        ready: true,
        comment: comment(&names.live)?,
    };
    let comments = [
        marker.sql(aside),
        comment_sql(&names.live, comment(next)?.as_deref()),
    ];
    exchange(connect, &mut session, [&names.live, aside, next], &comments)
}

/// How long sessions get to go.
const EXCHANGE_ATTEMPTS: u32 = 4;

/// Renames `live` to `aside` and `next` to `live`, with comments, in one transaction.
fn exchange(
    connect: &ConnectOptions,
    session: &mut Session,
    [live, aside, next]: [&str; 3],
    comments: &[String],
) -> Result<Swapped, RestoreError> {
    let sql = format!(
        "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = 0;
         ALTER DATABASE {live} RENAME TO {aside}; ALTER DATABASE {next} RENAME TO {live}; {comments}; COMMIT",
        live = quote(live),
        aside = quote(aside),
        next = quote(next),
        comments = comments.join("; ")
    );
    let mut terminator = maintenance(connect)?;
    let started = Instant::now();
    // RENAME keeps newcomers out by its lock and then waits some seconds for the sessions that are there; meanwhile they are ended.
    let done = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed)
                && end_sessions(&mut terminator, &[live, next]).is_ok()
            {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let outcome = attempt(session, &sql);
        done.store(true, Ordering::Relaxed);
        outcome
    });
    let window = started.elapsed();
    match outcome {
        Ok(()) => Ok(Swapped {
            kept: aside.to_owned(),
            window,
        }),
        Err(error) if error.sqlstate() == Some(OBJECT_IN_USE) => Err(RestoreError::InUse {
            database: live.to_owned(),
            source: error,
        }),
        Err(error) => Err(RestoreError::of_query(error)),
    }
}

/// SQLSTATE of renaming a database that somebody uses.
const OBJECT_IN_USE: &str = "55006";

fn attempt(session: &mut Session, sql: &str) -> Result<(), QueryError> {
    let mut left = EXCHANGE_ATTEMPTS;
    loop {
        let outcome = session.batch(sql);
        if let Err(error) = &outcome {
            session.batch("ROLLBACK")?;
            left -= 1;
            if left > 0 && matches!(error.sqlstate(), Some(OBJECT_IN_USE | "55P03")) {
                continue;
            }
        }
        return outcome;
    }
}

fn end_sessions(session: &mut Session, databases: &[&str]) -> Result<(), QueryError> {
    let databases: Vec<String> = databases.iter().map(|name| (*name).to_owned()).collect();
    let sessions = session.query(
        "SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname::text = ANY ($1) AND pid <> pg_catalog.pg_backend_pid()",
        &[&databases],
    )?;
    for row in sessions {
        // Not everybody's sessions may be ended by everybody; the rename says what is left.
        match session.query(
            "SELECT pg_catalog.pg_terminate_backend($1)",
            &[&row.get::<_, i32>(0)],
        ) {
            Err(error) if error.is_connection_lost() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The server may not have noticed yet that whoever held the lock is dead: this often it is asked again.
const LOCK_ATTEMPTS: u32 = 20;

/// Between two attempts to get the lock.
const BETWEEN_LOCK_ATTEMPTS: Duration = Duration::from_millis(100);

fn drop_kept(
    connect: &ConnectOptions,
    names: &Names,
    id: &str,
    databases: &[&String],
) -> Result<(), RestoreError> {
    let mut session = maintenance(connect)?;
    let mut left = LOCK_ATTEMPTS;
    while !lock(&mut session, names).map_err(RestoreError::of_query)? {
        left -= 1;
        if left == 0 {
            return Err(RestoreError::Busy { id: id.to_owned() });
        }
        std::thread::sleep(BETWEEN_LOCK_ATTEMPTS);
    }
    for database in databases {
        drop_database(&connect.with_database(database.as_str()))?;
    }
    Ok(())
}

/// Whoever prepares a swap holds this lock; it ends with the session, however that ends.
pub(crate) fn lock(session: &mut Session, names: &Names) -> Result<bool, QueryError> {
    let row = session.query_one(
        "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))",
        &[&names.new],
    )?;
    Ok(row.get(0))
}
