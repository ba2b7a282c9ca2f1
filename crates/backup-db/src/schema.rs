//! Reads a database's schema: the catalogues, in the caller's transaction, rendered as a [`Script`].

use crate::catalogue::{self, CatalogueError, RowSource};
use crate::{QueryError, Script, Session, coverage, order, render};

/// The oldest server that the catalogue queries are written for.
pub const OLDEST_MAJOR: u32 = 14;

/// The newest server that the catalogue queries are written for.
pub const NEWEST_MAJOR: u32 = 18;

/// Settings of the session that reads a schema: the server's texts depend on them. They last until the end of the transaction.
pub const READ_SETTINGS: &str = "\
SET LOCAL search_path = '';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex';
SET LOCAL quote_all_identifiers = off;
SET LOCAL xmloption = content;
SET LOCAL row_security = off;
SET LOCAL synchronize_seqscans = off;
";

/// A database's schema as read.
#[derive(Debug, Clone)]
pub struct Schema {
    /// All objects as SQL.
    pub script: Script,
}

/// Why a schema cannot be dumped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The server is of a version whose catalogues are not known here.
    #[error("PostgreSQL {major} is not supported: only {OLDEST_MAJOR} to {NEWEST_MAJOR}")]
    UnsupportedServer {
        /// Its major version.
        major: u32,
    },
    /// The server refused a catalogue query.
    #[error("cannot read the catalogue ({query})")]
    Query {
        /// Which query.
        query: &'static str,
        /// The server's reason.
        source: QueryError,
    },
    /// A catalogue row is not what it should be.
    #[error("the catalogue query {query} gave rows that are not understood")]
    Shape {
        /// Which query.
        query: &'static str,
        /// The field.
        source: serde_json::Error,
    },
    /// Objects need one another in a circle that cannot be broken.
    #[error("no order of creation satisfies: {}", objects.join("; "))]
    Circular {
        /// The objects, described.
        objects: Vec<String>,
    },
    /// Objects that a dump would lose: of a kind that is not supported, or out of sight for the connected role.
    #[error("{} objects cannot be dumped: {}", objects.len(), objects.join("; "))]
    NotCovered {
        /// The objects, as the server describes them.
        objects: Vec<String>,
    },
}

impl From<CatalogueError<QueryError>> for SchemaError {
    fn from(error: CatalogueError<QueryError>) -> Self {
        match error {
            CatalogueError::Query { query, source } => SchemaError::Query { query, source },
            CatalogueError::Shape { query, source } => SchemaError::Shape { query, source },
        }
    }
}

impl RowSource for Session {
    type Error = QueryError;

    fn texts(&mut self, sql: &str) -> Result<Vec<String>, QueryError> {
        let rows = self.query_text(sql)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect())
    }
}

impl Schema {
    /// Reads the catalogues. The session is in a transaction of its own, with [`READ_SETTINGS`] applied.
    ///
    /// # Errors
    /// [`SchemaError::NotCovered`] when anything would be missing from the script: nothing is left out silently.
    pub fn read(session: &mut Session) -> Result<Self, SchemaError> {
        Self::read_any(session, false)
    }

    /// As [`Schema::read`]; with `any_version` also a server that is newer than any known here, as if it were the newest known.
    pub(crate) fn read_any(session: &mut Session, any_version: bool) -> Result<Self, SchemaError> {
        let major = major_version(session)?;
        if !is_supported(major, any_version) {
            return Err(SchemaError::UnsupportedServer { major });
        }
        let major = major.min(NEWEST_MAJOR);
        let model = catalogue::read(session, major)?;
        let objects = catalogue::user_objects(session, major)?;
        let (graph, order) = order::order(&model).map_err(|error| SchemaError::Circular {
            objects: error.objects,
        })?;
        let leftovers = coverage::leftovers(&objects, &graph);
        if !leftovers.is_empty() {
            return Err(SchemaError::NotCovered {
                objects: catalogue::describe(session, &leftovers)?,
            });
        }
        Ok(Self {
            script: render::script(&model, &graph, &order, major),
        })
    }
}

/// Whether the catalogues of a server of version `major` are known, or are to be taken for those of the newest known version.
pub(crate) fn is_supported(major: u32, any_version: bool) -> bool {
    (OLDEST_MAJOR..=NEWEST_MAJOR).contains(&major) || any_version && major > NEWEST_MAJOR
}

fn major_version(session: &mut Session) -> Result<u32, SchemaError> {
    let texts = session
        .texts("select current_setting('server_version_num')")
        .map_err(|source| SchemaError::Query {
            query: "server_version_num",
            source,
        })?;
    Ok(texts
        .first()
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or_default()
        / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_servers_are_refused_unless_forced_and_older_ones_always() {
        assert!(is_supported(OLDEST_MAJOR, false) && is_supported(NEWEST_MAJOR, false));
        assert!(!is_supported(NEWEST_MAJOR + 1, false) && is_supported(NEWEST_MAJOR + 1, true));
        assert!(!is_supported(OLDEST_MAJOR - 1, false) && !is_supported(OLDEST_MAJOR - 1, true));
    }
}
