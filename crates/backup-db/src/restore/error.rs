//! Why a restore failed.

use super::databases::SwapState;
use super::preflight::Problem;
use super::source::BoxError;
use crate::{ConnectError, DumpError, QueryError};

/// A restore failed. Unless the error is [`RestoreError::LeftBehind`], the target is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// No connection.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// Something stands in the way; nothing was touched.
    #[error("the database cannot be restored here: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Preflight {
        /// Everything that was found.
        problems: Vec<Problem>,
    },
    /// A table that was asked for is not in the dump.
    #[error("the backup has no table {table}")]
    NoSuchTable {
        /// `schema.table`.
        table: String,
    },
    /// A schema that was asked for is not in the dump.
    #[error("the backup has no schema {schema:?}")]
    NoSuchSchema {
        /// Its name.
        schema: String,
    },
    /// An object cannot be created.
    #[error("cannot create {kind} {name}")]
    Object {
        /// What kind of object.
        kind: &'static str,
        /// Its name, with its schema.
        name: String,
        /// What the server said, with the statement.
        source: QueryError,
    },
    /// Rows cannot be loaded.
    #[error("cannot load the rows of {table}")]
    Table {
        /// `"schema"."table"`.
        table: String,
        /// What the server said.
        source: QueryError,
    },
    /// The dump cannot be read.
    #[error("cannot read the rows of {table} from the backup")]
    Source {
        /// `"schema"."table"`, or the large objects.
        table: String,
        /// Why not.
        source: BoxError,
    },
    /// What came in is not what went out.
    #[error("the restored database differs from the backup: {}", differences.join("; "))]
    Different {
        /// Each difference.
        differences: Vec<String>,
    },
    /// What was restored cannot be read back for comparison.
    #[error("the restored database cannot be read back")]
    ReadBack(#[source] DumpError),
    /// Another statement failed.
    #[error("the database cannot be restored")]
    Query(#[from] QueryError),
    /// The connection broke: the server went away, or ended it.
    #[error("the connection to the server was lost")]
    ServerLost(#[source] QueryError),
    /// Something in the database cannot be dropped to make room.
    #[error("cannot drop {object}")]
    NotDropped {
        /// In the server's words.
        object: String,
        /// What the server said.
        source: Option<QueryError>,
    },
    /// The server went away while it committed, and did not come back to say whether it had.
    #[error(
        "the server was lost while it committed: database \"{database}\" is either as before or completely restored"
    )]
    Undecided {
        /// The database.
        database: String,
        /// How the connection broke.
        source: QueryError,
    },
    /// The id of a restore is unusable as part of a name.
    #[error("the id {id:?} of a restore cannot be used: letters, digits, `-` and `_`, 40 at most")]
    InvalidId {
        /// The id.
        id: String,
    },
    /// The restore of this id is still running.
    #[error("restore {id} is still running")]
    Busy {
        /// The id.
        id: String,
    },
    /// The restore of this id is not where this can be done.
    #[error("restore {id} is {}", state.label())]
    WrongState {
        /// The id.
        id: String,
        /// How far it got.
        state: SwapState,
    },
    /// Sessions in the live database cannot be ended.
    #[error("database \"{database}\" is in use by sessions that this role cannot end")]
    InUse {
        /// The live database.
        database: String,
        /// What the server said.
        source: QueryError,
    },
    /// Somebody cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The restore failed, and what it had made could not be removed again.
    #[error("the restore failed and left database \"{database}\" half filled ({})", leftovers.join(", "))]
    LeftBehind {
        /// The database that was being filled.
        database: String,
        /// What is left in it, or why that is not known.
        leftovers: Vec<String>,
        /// Why the restore failed.
        source: Box<RestoreError>,
    },
}

impl RestoreError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Connect(error) => return error.hint().map(str::to_owned),
            Self::Preflight { problems } => {
                let mut hints: Vec<&str> = problems.iter().filter_map(Problem::hint).collect();
                hints.dedup();
                if hints.is_empty() {
                    return None;
                }
                hints.join("; ")
            }
            Self::NoSuchTable { .. } => {
                "write it as SCHEMA.TABLE; `show` lists the tables of a backup".to_owned()
            }
            Self::NoSuchSchema { .. } => {
                "`show` lists the tables of a backup, with their schemas".to_owned()
            }
            Self::ServerLost(_) => "see the server's log, then start again".to_owned(),
            Self::LeftBehind { database, .. } => {
                format!(
                    "nothing in database \"{database}\" is of use: drop it (DROP DATABASE) or empty it, then start again"
                )
            }
            Self::InUse { .. } => {
                "stop the application, or GRANT pg_signal_backend to the role, then try again"
                    .to_owned()
            }
            _ => return None,
        })
    }

    /// Names a failure that is about no object in particular.
    pub(crate) fn of_query(source: QueryError) -> Self {
        if source.is_connection_lost() {
            Self::ServerLost(source)
        } else {
            Self::Query(source)
        }
    }
}
