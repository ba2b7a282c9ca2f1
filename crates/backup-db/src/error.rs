//! What a server answers when it refuses a statement.

use std::fmt;

/// A statement failed, or the connection broke while it ran.
#[derive(Debug)]
pub struct QueryError {
    sql: String,
    source: tokio_postgres::Error,
}

/// Longest part of a statement that a message repeats, in characters.
const MAX_SQL: usize = 400;

impl QueryError {
    pub(crate) fn new(sql: &str, source: tokio_postgres::Error) -> Self {
        let mut text: String = sql.chars().take(MAX_SQL).collect();
        if text.len() < sql.len() {
            text.push('…');
        }
        Self { sql: text, source }
    }

    /// SQLSTATE of the server's answer; `None` when the connection broke.
    pub fn sqlstate(&self) -> Option<&str> {
        self.source
            .code()
            .map(tokio_postgres::error::SqlState::code)
    }

    /// The statement, its end left out when it is long.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The server's message, without severity and SQLSTATE; that of the connection when the server gave none.
    pub fn message(&self) -> String {
        match self.source.as_db_error() {
            Some(error) => error.message().to_owned(),
            None => match std::error::Error::source(&self.source) {
                Some(cause) => format!("{}: {cause}", self.source),
                None => self.source.to_string(),
            },
        }
    }

    /// The server's detail, if it gave one.
    pub fn detail(&self) -> Option<&str> {
        self.source.as_db_error()?.detail()
    }

    /// The server's hint, if it gave one.
    pub fn hint(&self) -> Option<&str> {
        self.source.as_db_error()?.hint()
    }

    /// The table that the server's answer is about, when it says so.
    pub fn table(&self) -> Option<(&str, &str)> {
        let error = self.source.as_db_error()?;
        Some((error.schema()?, error.table()?))
    }

    /// Whether the connection is gone, or the server is about to end it.
    pub fn is_connection_lost(&self) -> bool {
        // 57P01 to 57P05: the server shuts down, crashes, or ends the session; class 08: broken connections.
        self.sqlstate()
            .is_none_or(|code| code.starts_with("57P") || code.starts_with("08"))
    }

    /// Whether somebody cancelled the statement, or a statement timeout did.
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some("57014")
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source.as_db_error() {
            Some(error) => {
                write!(
                    formatter,
                    "{} (SQLSTATE {})",
                    error.message(),
                    error.code().code()
                )?;
                if let Some(detail) = error.detail() {
                    write!(formatter, ", {detail}")?;
                }
                write!(formatter, ", in: {}", self.sql)
            }
            None => write!(formatter, "the connection broke during: {}", self.sql),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The server's own answer is in the message already.
        if self.source.as_db_error().is_some() {
            None
        } else {
            Some(&self.source)
        }
    }
}
