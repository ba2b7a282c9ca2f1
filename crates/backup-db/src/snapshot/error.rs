//! Why there is no dump.

use crate::{ConnectError, NEWEST_MAJOR, OLDEST_MAJOR, QueryError, SchemaError, TableName};

/// A dump failed; what was read so far is not complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// No connection.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// The server is too old or too new to be sure that nothing is missed.
    #[error(
        "the server is version {version}; versions {OLDEST_MAJOR} to {NEWEST_MAJOR} can be dumped"
    )]
    UnsupportedServer {
        /// Its version.
        version: String,
    },
    /// A statement failed.
    #[error("the database cannot be read")]
    Query(#[from] QueryError),
    /// Rows of a table cannot be read.
    #[error("cannot read the rows of {table}")]
    Table {
        /// `"schema"."table"`.
        table: String,
        /// What the server said.
        source: QueryError,
    },
    /// The connection broke: the server went away, or ended it.
    #[error("the connection to the server was lost")]
    ServerLost(#[source] QueryError),
    /// Row level security would hide rows from this role.
    #[error("row level security hides rows of {table} from this role")]
    RowSecurity {
        /// `"schema"."table"`, or what the server said.
        table: String,
        /// What the server said.
        source: QueryError,
    },
    /// This role may not read something.
    #[error("this role may not read {object}")]
    Permission {
        /// The table, or what the server said.
        object: String,
        /// What the server said.
        source: QueryError,
    },
    /// A table stayed locked by somebody else.
    #[error("cannot lock {table} against changes of its structure{}", blocker.as_ref().map(|blocker| format!(": {blocker} holds it")).unwrap_or_default())]
    LockTimeout {
        /// One of the tables.
        table: String,
        /// Who has it locked, when that could be found out.
        blocker: Option<Blocker>,
    },
    /// Somebody changes the structure of a table and waited for us; we went out of the way. A new attempt is worth it.
    #[error("{waiter} wanted to change {table}, so the dump made room")]
    MadeRoom {
        /// The table.
        table: String,
        /// Who waited.
        waiter: Blocker,
    },
    /// Tables were changed between the snapshot and our locks, several times in a row.
    #[error("tables are changed faster than they can be locked")]
    Changing(#[source] Option<QueryError>),
    /// The schema cannot be dumped completely.
    #[error("the schema cannot be dumped")]
    Schema(#[from] SchemaError),
    /// A rewrite names a table or column whose rows are not dumped.
    #[error("{column} is not among what is dumped")]
    NoSuchColumn {
        /// `schema.table` or `schema.table.column`.
        column: String,
    },
    /// Not all parts were read when the dump was closed.
    #[error("the dump was closed before all rows were read")]
    Incomplete,
    /// Somebody cancelled it.
    #[error("cancelled")]
    Cancelled,
}

/// Another session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Process id on the server.
    pub pid: i32,
    /// Its role.
    pub user: String,
    /// Its application's name; may be empty.
    pub application: String,
    /// What it runs or ran last; empty when this role may not see it.
    pub query: String,
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "process {} of role \"{}\"", self.pid, self.user)?;
        if !self.application.is_empty() {
            write!(formatter, " ({})", self.application)?;
        }
        if !self.query.is_empty() {
            write!(formatter, " with: {}", self.query)?;
        }
        Ok(())
    }
}

impl DumpError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Connect(error) => return error.hint(),
            Self::UnsupportedServer { .. } => {
                "use a version of this program that knows the server's, or try with --any-version when it is newer"
            }
            Self::RowSecurity { .. } => {
                "dump as the table's owner, as a superuser or as a role with BYPASSRLS"
            }
            Self::Permission { .. } => "dump as the owner, or GRANT pg_read_all_data to the role",
            Self::LockTimeout { .. } => "end the blocking session, or dump at another time",
            Self::MadeRoom { .. } | Self::Changing(_) => "try again when the migration is done",
            Self::ServerLost(_) => "see the server's log, then start again",
            _ => return None,
        })
    }

    /// Whether a new attempt may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::LockTimeout { .. } | Self::MadeRoom { .. } | Self::Changing(_)
        )
    }

    pub(crate) fn no_such_column(table: &TableName, column: Option<&str>) -> Self {
        let column = column
            .map(|column| format!(".{column}"))
            .unwrap_or_default();
        Self::NoSuchColumn {
            column: format!("{}.{}{column}", table.schema, table.name),
        }
    }

    /// Names a failure that is about one table.
    pub(crate) fn of_table(table: &str, source: QueryError) -> Self {
        if source.is_connection_lost() {
            return Self::ServerLost(source);
        }
        let table = table.to_owned();
        match source.sqlstate() {
            // Both are "insufficient privilege"; only the text tells them apart.
            Some("42501") if source.message().contains("row-level security") => {
                Self::RowSecurity { table, source }
            }
            Some("42501") => Self::Permission {
                object: table,
                source,
            },
            _ => Self::Table { table, source },
        }
    }

    /// Names a failure that is about no table in particular.
    pub(crate) fn of_query(source: QueryError) -> Self {
        if source.is_connection_lost() {
            return Self::ServerLost(source);
        }
        match source.sqlstate() {
            Some("42501") => Self::Permission {
                object: source.message(),
                source,
            },
            _ => Self::Query(source),
        }
    }
}
