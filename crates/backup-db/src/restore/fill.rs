//! Fills an empty database: objects, rows, indexes and constraints, statistics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::error::RestoreError;
use super::load;
use super::options::{RestoreOptions, RestoreProgress, RestoreStats, RestoreStep};
use super::plan::{Plan, Step};
use super::post_data;
use super::source::DumpSource;
use crate::quote::quote;
use crate::settings;
use crate::{ConnectOptions, ObjectKind, QueryError, Section, ServerInfo, Session};

/// One database that is being filled.
pub(crate) struct Filling<'a> {
    pub(crate) connect: &'a ConnectOptions,
    pub(crate) source: &'a dyn DumpSource,
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) options: &'a RestoreOptions,
    pub(crate) progress: &'a dyn RestoreProgress,
    /// Schemas that are there already.
    pub(crate) schemas: &'a [String],
    /// Whether all of it is one transaction, on one session.
    pub(crate) in_transaction: bool,
}

/// The server's default is made for many small queries; an index is built faster with more. Per connection.
const MAINTENANCE_MEMORY: &str = "
SELECT pg_catalog.set_config('maintenance_work_mem', '256MB', false)
 WHERE pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) < 268435456";

impl Filling<'_> {
    /// Does everything but the settings. On an error the database is half filled.
    pub(crate) fn fill(&self, stats: &mut RestoreStats) -> Result<(), RestoreError> {
        let mut sessions = self.connect_all()?;
        self.fill_with(&mut sessions, stats)?;
        self.analyze(&mut sessions, stats)
    }

    /// Makes and fills everything, on sessions that are prepared.
    pub(crate) fn fill_with(
        &self,
        sessions: &mut [Session],
        stats: &mut RestoreStats,
    ) -> Result<(), RestoreError> {
        let (first, _) = sessions
            .split_first_mut()
            .expect("there is at least one job");
        self.pre_data(first)?;
        self.progress.step(RestoreStep::Data, self.bytes());
        load::large_objects(first, self, stats)?;
        load::rows(sessions, self, stats)?;
        self.progress
            .step(RestoreStep::PostData, self.plan.post_data.len() as u64);
        post_data::run(sessions, self)?;
        for session in sessions {
            let notices = session.take_notices().into_iter();
            let warnings = notices
                .filter(|notice| notice.severity == "WARNING")
                .map(|notice| notice.message);
            stats.warnings.extend(warnings);
        }
        Ok(())
    }

    /// Sets what belongs to the database itself; the last thing, when everything else is good.
    pub(crate) fn settle(&self) -> Result<(), RestoreError> {
        let mut session = Session::connect(self.connect)?;
        prepare(&mut session, self.options)?;
        self.settle_with(&mut session)
    }

    /// As [`Filling::settle`], on a session that is prepared.
    pub(crate) fn settle_with(&self, session: &mut Session) -> Result<(), RestoreError> {
        self.plan
            .settings
            .iter()
            .try_for_each(|step| self.run(session, step))
    }

    fn connect_all(&self) -> Result<Vec<Session>, RestoreError> {
        let mut sessions = Vec::new();
        for _ in 0..self.options.jobs.get() {
            let mut session = match Session::connect(self.connect) {
                Err(crate::ConnectError::TooManyConnections { .. }) if !sessions.is_empty() => {
                    break;
                }
                outcome => outcome?,
            };
            prepare(&mut session, self.options)?;
            sessions.push(session);
        }
        Ok(sessions)
    }

    /// Bytes of what is loaded.
    pub(crate) fn bytes(&self) -> u64 {
        let dumped = self.source.stats();
        let large_objects = if self.plan.large_objects {
            dumped.large_objects.bytes
        } else {
            0
        };
        self.plan
            .tables
            .iter()
            .map(|table| dumped.tables[*table].bytes)
            .sum::<u64>()
            + large_objects
    }

    fn pre_data(&self, session: &mut Session) -> Result<(), RestoreError> {
        self.progress
            .step(RestoreStep::PreData, self.plan.pre_data.len() as u64);
        for step in &self.plan.pre_data {
            let is_there =
                step.record.kind == ObjectKind::Schema && self.schemas.contains(&step.record.name);
            if !is_there {
                self.run(session, step)?;
            }
            self.progress.advance(1);
        }
        Ok(())
    }

    /// Creates one object.
    ///
    /// The script names everything with its schema, but a function that an index, a constraint or a materialized view calls may not: what
    /// fails for a missing name is tried again with the schemas of the dump in the search path, as the application would have them.
    pub(crate) fn run(&self, session: &mut Session, step: &Step<'_>) -> Result<(), RestoreError> {
        let outcome = self.attempt(session, &step.sql).or_else(|error| {
            if step.record.section == Section::PreData || !misses_a_name(&error) {
                return Err(error);
            }
            let path = self.search_path();
            let again = format!(
                "SET search_path = {path}; {}\nSET search_path = '';",
                step.sql
            );
            self.attempt(session, &again).map_err(|_| error)
        });
        outcome.map_err(|source| {
            self.failed(source, |source| RestoreError::Object {
                kind: step.record.kind.label(),
                name: step.name(),
                source,
            })
        })
    }

    /// Runs SQL so that its failure does not end the transaction, where there is one.
    fn attempt(&self, session: &mut Session, sql: &str) -> Result<(), QueryError> {
        if !self.in_transaction {
            return session.batch(sql);
        }
        let guarded = format!("SAVEPOINT object; {sql}\n; RELEASE SAVEPOINT object");
        match session.batch(&guarded) {
            Err(error) if !error.is_connection_lost() => {
                session.batch("ROLLBACK TO SAVEPOINT object")?;
                Err(error)
            }
            outcome => outcome,
        }
    }

    /// The schemas of the dump, `public` first.
    fn search_path(&self) -> String {
        let schemas = self
            .plan
            .pre_data
            .iter()
            .filter(|step| step.record.kind == ObjectKind::Schema);
        let names = schemas.map(|step| quote(&step.record.name));
        std::iter::once("public".to_owned())
            .chain(names)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What a failed statement means: cancelled, no server any more, or what `otherwise` makes of it.
    pub(crate) fn failed(
        &self,
        source: QueryError,
        otherwise: impl FnOnce(QueryError) -> RestoreError,
    ) -> RestoreError {
        if self.options.cancel.is_cancelled() {
            RestoreError::Cancelled
        } else if source.is_connection_lost() {
            RestoreError::ServerLost(source)
        } else {
            otherwise(source)
        }
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), RestoreError> {
        if self.options.cancel.is_cancelled() {
            Err(RestoreError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// As [`Filling::analyze`], when the restore is done: that queries are slow for a while does not undo it.
    pub(crate) fn analyze_after(&self, session: &mut Session, stats: &mut RestoreStats) {
        if let Err(error) = self.analyze(std::slice::from_mut(session), stats) {
            stats
                .warnings
                .push(format!("the tables were not analysed: {error}"));
        }
    }

    /// Statistics are a matter of speed: a table that cannot be analysed is worth a warning only.
    pub(crate) fn analyze(
        &self,
        sessions: &mut [Session],
        stats: &mut RestoreStats,
    ) -> Result<(), RestoreError> {
        self.progress
            .step(RestoreStep::Analyze, self.plan.tables.len() as u64);
        let next = AtomicUsize::new(0);
        let failures = on_all(sessions, |session| {
            let mut warnings = Vec::new();
            while let Some(table) = self.plan.tables.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.check_cancelled()?;
                let table = self.source.stats().tables[*table].qualified();
                match session.batch(&format!("ANALYZE {table}")) {
                    Err(error) if error.is_connection_lost() => {
                        return Err(RestoreError::ServerLost(error));
                    }
                    Err(error) => {
                        warnings.push(format!("{table} was not analysed: {}", error.message()))
                    }
                    Ok(()) => {}
                }
                self.progress.advance(1);
            }
            Ok(warnings)
        })?;
        stats.warnings.extend(failures.into_iter().flatten());
        Ok(())
    }
}

/// Settings of a session that fills a database.
pub(crate) fn prepare(session: &mut Session, options: &RestoreOptions) -> Result<(), RestoreError> {
    session.cancel_with(options.cancel.clone());
    let set = |session: &mut Session| -> Result<(), QueryError> {
        let server = ServerInfo::read(session)?;
        settings::for_writing(session, &server)?;
        session.batch(MAINTENANCE_MEMORY)
    };
    match set(session) {
        Err(_) if options.cancel.is_cancelled() => Err(RestoreError::Cancelled),
        outcome => outcome.map_err(RestoreError::of_query),
    }
}

/// No such function, table, type, operator or schema.
fn misses_a_name(error: &QueryError) -> bool {
    matches!(
        error.sqlstate(),
        Some("42883" | "42P01" | "42704" | "3F000")
    )
}

/// Runs `work` on every session at once, each on a thread. When one fails, the error that is not just a consequence is reported.
pub(crate) fn on_all<T: Send>(
    sessions: &mut [Session],
    work: impl Fn(&mut Session) -> Result<T, RestoreError> + Sync,
) -> Result<Vec<T>, RestoreError> {
    let outcomes: Vec<Result<T, RestoreError>> = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = sessions
            .iter_mut()
            .map(|session| scope.spawn(move || work(session)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    outcomes.into_iter().collect()
}

/// Counts what several threads load.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) rows: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// Bytes of each table's rows by schema and name, to begin with what takes longest.
pub(crate) fn sizes(source: &dyn DumpSource) -> HashMap<(&str, &str), u64> {
    source
        .stats()
        .tables
        .iter()
        .map(|table| ((table.schema.as_str(), table.name.as_str()), table.bytes))
        .collect()
}
