//! Asking the server.

use std::error::Error;
use std::str::FromStr;
use std::time::Instant;

use backup_db::{ConnectError, ConnectOptions, QueryError, Session};

use super::{ChangedCollation, DatabaseFacts, DeadRows, Replica, ReplicationSlot};
use crate::health::security::DatabaseAccess;

/// There was no getting at the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseProbeError {
    /// It cannot be connected to.
    #[error("cannot connect to the database")]
    Connect(#[source] ConnectError),
    /// It does not answer as it should.
    #[error("the database does not answer")]
    Query(#[source] QueryError),
    /// It answered something else.
    #[error("the database gave no {0}")]
    Answer(&'static str),
}

impl DatabaseProbeError {
    /// The causes in one line.
    pub(super) fn reason(&self) -> String {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            cause = error.source();
        }
        causes.join(": ")
    }
}

/// Connects and asks; reads statistics only, waits for no lock, and gives up on a statement after ten seconds.
///
/// # Errors
/// When the database cannot be reached or does not answer.
pub fn probe(options: &ConnectOptions) -> Result<DatabaseFacts, DatabaseProbeError> {
    let begun = Instant::now();
    let mut session = Session::connect(options).map_err(DatabaseProbeError::Connect)?;
    let connect_ms = milliseconds_since(begun);
    let mut rows = |sql: &str| session.query_text(sql).map_err(DatabaseProbeError::Query);
    rows("set statement_timeout = '10s'; set lock_timeout = '2s'; set datestyle = iso")?;
    let begun = Instant::now();
    rows("select 1")?;
    let latency_ms = milliseconds_since(begun);
    let answers = rows(include_str!("../sql/server.sql"))?;
    let server = Answer::new(
        answers
            .first()
            .ok_or(DatabaseProbeError::Answer("server"))?,
    );
    let version_num: u32 = server.get(0, "version")?;
    let collations = match version_num {
        150_000.. => include_str!("../sql/collations.sql"),
        _ => include_str!("../sql/collations_14.sql"),
    };
    Ok(DatabaseFacts {
        connect_ms,
        latency_ms,
        version_num,
        size_bytes: server.get(1, "size")?,
        max_connections: server.get(2, "max_connections")?,
        connections: server.get(3, "connections")?,
        longest_transaction_seconds: server.optional(4),
        hidden_connections: server.get(5, "hidden connections")?,
        oldest_age: server.get(6, "age")?,
        in_recovery: server.flag(7),
        access: DatabaseAccess {
            superuser: server.flag(8),
            local: server.flag(9),
            tls: server.flag(10),
        },
        dead_rows: each(&rows(include_str!("../sql/dead_rows.sql"))?, |row| {
            Some(DeadRows {
                table: format!("{}.{}", row.text(0)?, row.text(1)?),
                live: row.optional(2)?,
                dead: row.optional(3)?,
                vacuum_age_seconds: row.optional(4),
            })
        }),
        replicas: each(&rows(include_str!("../sql/replicas.sql"))?, |row| {
            Some(Replica {
                name: row.text(0)?.to_owned(),
                state: row.text(1)?.to_owned(),
                behind_bytes: row.optional(2),
            })
        }),
        slots: each(&rows(include_str!("../sql/slots.sql"))?, |row| {
            Some(ReplicationSlot {
                name: row.text(0)?.to_owned(),
                active: row.flag(1),
                held_back_bytes: row.optional(2),
            })
        }),
        changed_collations: each(&rows(collations)?, |row| {
            Some(ChangedCollation {
                name: row.text(0)?.to_owned(),
                built_with: row.text(1)?.to_owned(),
                now: row.text(2).map(str::to_owned),
            })
        }),
    })
}

fn milliseconds_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn each<T>(rows: &[Vec<Option<String>>], read: impl Fn(Answer<'_>) -> Option<T>) -> Vec<T> {
    rows.iter()
        .filter_map(|row| read(Answer::new(row)))
        .collect()
}

/// One row, as text.
#[derive(Clone, Copy)]
struct Answer<'a>(&'a [Option<String>]);

impl<'a> Answer<'a> {
    fn new(row: &'a [Option<String>]) -> Self {
        Self(row)
    }

    fn text(self, column: usize) -> Option<&'a str> {
        self.0.get(column)?.as_deref()
    }

    fn optional<T: FromStr>(self, column: usize) -> Option<T> {
        self.text(column)?.parse().ok()
    }

    fn get<T: FromStr>(self, column: usize, name: &'static str) -> Result<T, DatabaseProbeError> {
        self.optional(column)
            .ok_or(DatabaseProbeError::Answer(name))
    }

    fn flag(self, column: usize) -> bool {
        self.text(column) == Some("t")
    }
}
