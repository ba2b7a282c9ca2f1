//! The database that is filled: made when it is not there, and gone or empty again when the restore fails.

use super::contents::{self, Before};
use super::error::RestoreError;
use crate::quote::{literal, quote};
use crate::{ConnectError, ConnectOptions, QueryError, ServerInfo, Session};

/// Databases that are there on nearly every server, to be connected to while another is made.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// A database that is being filled.
pub(crate) struct Target<'a> {
    connect: &'a ConnectOptions,
    state: State,
}

enum State {
    /// We made it.
    Created,
    /// It was there, with these objects.
    Existing(Before),
}

impl<'a> Target<'a> {
    /// A database that is there and has at most extensions.
    pub(crate) fn existing(connect: &'a ConnectOptions, before: Before) -> Self {
        Self {
            connect,
            state: State::Existing(before),
        }
    }

    /// Makes the database as `server` describes it, as far as this server can; returns what could not be done.
    pub(crate) fn create(
        connect: &'a ConnectOptions,
        server: &ServerInfo,
    ) -> Result<(Self, Vec<String>), RestoreError> {
        let mut session = maintenance(connect)?;
        let here = ServerInfo::read(&mut session).map_err(RestoreError::of_query)?;
        let base = format!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {}",
            quote(connect.database()),
            literal(&server.encoding)
        );
        let target = Self {
            connect,
            state: State::Created,
        };
        match session.batch(&format!("{base}{}", locale(server, here.major()))) {
            Ok(()) => Ok((target, Vec::new())),
            // The other machine's locale may have another name here, or none.
            Err(error)
                if error
                    .sqlstate()
                    .is_some_and(|code| LOCALE_ERRORS.contains(&code)) =>
            {
                session.batch(&base).map_err(RestoreError::of_query)?;
                let warning = format!(
                    "the collation {} ({}) is not available, so the database got the server's own: {}",
                    server.locale.as_ref().unwrap_or(&server.collate),
                    server.provider,
                    error.message()
                );
                Ok((target, vec![warning]))
            }
            Err(error) => Err(RestoreError::of_query(error)),
        }
    }

    /// Whether the restore made it.
    pub(crate) fn is_created(&self) -> bool {
        matches!(self.state, State::Created)
    }

    /// Undoes what was done to the database, because of `reason`, and gives the error to report.
    pub(crate) fn abandon(self, reason: RestoreError) -> RestoreError {
        let leftovers = match &self.state {
            State::Created => self.drop_database().map(|()| Vec::new()),
            State::Existing(before) => self.empty(before),
        };
        let database = self.connect.database().to_owned();
        match leftovers {
            Ok(leftovers) if leftovers.is_empty() => reason,
            Ok(leftovers) => RestoreError::LeftBehind {
                database,
                leftovers,
                source: Box::new(reason),
            },
            Err(why) => RestoreError::LeftBehind {
                database,
                leftovers: vec![with_causes(&why)],
                source: Box::new(reason),
            },
        }
    }

    fn drop_database(&self) -> Result<(), RestoreError> {
        drop_database(self.connect)
    }

    fn empty(&self, before: &Before) -> Result<Vec<String>, RestoreError> {
        let mut session = Session::connect(self.connect)?;
        session
            .batch("SET search_path = ''; SET statement_timeout = 0; SET lock_timeout = 0")
            .map_err(RestoreError::of_query)?;
        let resisting = contents::remove(&mut session, |object| before.contains(&object.id()));
        Ok(resisting
            .map_err(RestoreError::of_query)?
            .into_iter()
            .map(|object| object.description)
            .collect())
    }
}

/// A session in another database of the same server.
pub(crate) fn maintenance(connect: &ConnectOptions) -> Result<Session, ConnectError> {
    let mut first = None;
    for database in MAINTENANCE
        .into_iter()
        .filter(|database| *database != connect.database())
    {
        match Session::connect(&connect.with_database(database)) {
            Ok(session) => return Ok(session),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| ConnectError::InvalidOptions {
        reason: "there is no other database to connect to".into(),
    }))
}

/// Drops the database that `connect` names, and ends the sessions in it.
pub(crate) fn drop_database(connect: &ConnectOptions) -> Result<(), RestoreError> {
    let drop = |force| {
        format!(
            "DROP DATABASE IF EXISTS {}{force}",
            quote(connect.database())
        )
    };
    let mut session = maintenance(connect)?;
    let outcome: Result<(), QueryError> = session
        .batch(&drop(" WITH (FORCE)"))
        .or_else(|_| session.batch(&drop("")));
    outcome.map_err(RestoreError::of_query)
}

/// SQLSTATEs of a locale that this server does not know: wrong object type, invalid parameter value, undefined object, not supported.
const LOCALE_ERRORS: &[&str] = &["42809", "22023", "42704", "0A000"];

/// The clauses of `CREATE DATABASE` that give it the locale of `server`, on a server of version `major`.
fn locale(server: &ServerInfo, major: u32) -> String {
    let mut clauses = format!(
        " LC_COLLATE {} LC_CTYPE {}",
        literal(&server.collate),
        literal(&server.ctype)
    );
    let locale = server.locale.as_deref().unwrap_or_default();
    match server.provider.as_str() {
        "icu" if major >= 15 => clauses.push_str(&format!(
            " LOCALE_PROVIDER icu ICU_LOCALE {}",
            literal(locale)
        )),
        "builtin" if major >= 17 => clauses.push_str(&format!(
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE {}",
            literal(locale)
        )),
        _ if major >= 15 => clauses.push_str(" LOCALE_PROVIDER libc"),
        _ => {}
    }
    clauses
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
