//! Which tables there are, and locks on them.

use std::time::Duration;

use crate::quote::quote;
use crate::snapshot::error::{Blocker, DumpError};
use crate::{QueryError, Session, TableInfo};

/// Tables that can be locked: ordinary and partitioned ones outside the system's schemas, extensions' own left out unless they are configuration.
const LOCKABLE: &str = "
SELECT c.oid, n.nspname::text, c.relname::text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
        OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE c.oid = ANY (e.extconfig)))
 ORDER BY c.oid";

/// Tables with rows to copy. A child made with `INHERITS` has its columns by name: once made again, its parents' columns come first, whenever
/// they were added, and its rows must still compare. `moved` tells that the table got new storage between the snapshot and our lock (TRUNCATE, a rewrite): its rows
/// are not those of the snapshot any more.
const WITH_ROWS: &str = "
SELECT c.oid, n.nspname::text, c.relname::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              ORDER BY CASE WHEN NOT c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) THEN a.attname END,
                       a.attnum),
       coalesce(pg_catalog.pg_table_size(c.oid), 0), greatest(c.reltuples, 0)::int8,
       coalesce(pg_catalog.pg_relation_size(c.oid), 0) / pg_catalog.current_setting('block_size')::int8,
       coalesce(am.amname = 'heap', false), x.condition,
       c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid) AS moved
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
  LEFT JOIN (SELECT u.config, u.condition
               FROM pg_catalog.pg_extension e, LATERAL unnest(e.extconfig, e.extcondition) AS u(config, condition)) x ON x.config = c.oid
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (x.config IS NOT NULL
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'))
   AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
 ORDER BY n.nspname, c.relname";

/// Tables in one `LOCK` statement.
const LOCK_BATCH: usize = 200;

/// A table by number and name.
pub(crate) struct Lockable {
    oid: u32,
    name: String,
}

/// The outcome of locking.
pub(crate) enum Locked {
    /// All tables are.
    All,
    /// Somebody else has one of these; the transaction has failed.
    Waited(Vec<Lockable>),
    /// One is gone or renamed since the snapshot; the transaction has failed.
    Vanished(QueryError),
}

/// Locks every table against changes of its structure; readers and writers go on.
pub(crate) fn lock_all(session: &mut Session, timeout: Duration) -> Result<Locked, DumpError> {
    let rows = session.query(LOCKABLE, &[]).map_err(DumpError::of_query)?;
    let tables = rows.iter().map(|row| Lockable {
        oid: row.get(0),
        name: format!("{}.{}", quote(row.get(1)), quote(row.get(2))),
    });
    let mut tables: Vec<Lockable> = tables.collect();
    let set_timeout = format!("SET lock_timeout = {}", timeout.as_millis());
    session.batch(&set_timeout).map_err(DumpError::of_query)?;
    while !tables.is_empty() {
        let batch: Vec<Lockable> = tables.drain(..tables.len().min(LOCK_BATCH)).collect();
        let names: Vec<String> = batch
            .iter()
            .map(|table| format!("ONLY {}", table.name))
            .collect();
        if let Err(error) = session.batch(&format!(
            "LOCK TABLE {} IN ACCESS SHARE MODE",
            names.join(", ")
        )) {
            return match error.sqlstate() {
                Some("55P03") => Ok(Locked::Waited(batch)),
                Some("42P01" | "3F000" | "42809") => Ok(Locked::Vanished(error)),
                _ => Err(DumpError::of_query(error)),
            };
        }
    }
    session
        .batch("SET lock_timeout = 0")
        .map_err(DumpError::of_query)?;
    Ok(Locked::All)
}

/// Of the tables that could not be locked, one that somebody else holds or waits for in a mode that keeps us out, and who.
pub(crate) fn find_blocker(
    session: &mut Session,
    tables: &[Lockable],
) -> (String, Option<Blocker>) {
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let found = session.query_opt(
        "SELECT l.relation, l.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''), coalesce(a.query, '')
           FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
          WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY ($1) AND l.pid <> pg_catalog.pg_backend_pid()
            AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          ORDER BY l.granted DESC LIMIT 1",
        &[&oids],
    );
    match found {
        Ok(Some(row)) => {
            let oid: u32 = row.get(0);
            let table = tables.iter().find(|table| table.oid == oid);
            let blocker = Blocker {
                pid: row.get(1),
                user: row.get(2),
                application: row.get(3),
                query: row.get(4),
            };
            (
                table.map_or_else(String::new, |table| table.name.clone()),
                Some(blocker),
            )
        }
        // It let go in the meantime.
        _ => (
            tables
                .first()
                .map_or_else(String::new, |table| table.name.clone()),
            None,
        ),
    }
}

/// The tables with rows to copy; `None` when one of them has lost the rows of the snapshot.
pub(crate) fn with_rows(session: &mut Session) -> Result<Option<Vec<TableInfo>>, DumpError> {
    let rows = session.query(WITH_ROWS, &[]).map_err(DumpError::of_query)?;
    if rows.iter().any(|row| row.get::<_, bool>(9)) {
        return Ok(None);
    }
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let table = |row: &tokio_postgres::Row| TableInfo {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        columns: row.get(3),
        bytes: unsigned(row.get(4)),
        rows: unsigned(row.get(5)),
        pages: unsigned(row.get(6)),
        heap: row.get(7),
        condition: row
            .get::<_, Option<String>>(8)
            .filter(|condition| !condition.is_empty()),
    };
    Ok(Some(rows.iter().map(table).collect()))
}

/// Names of unlogged tables, whose rows a standby does not have.
pub(crate) fn without_rows_on_standby(session: &mut Session) -> Result<Vec<String>, DumpError> {
    let rows = session
        .query(
            "SELECT c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c
              WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery() ORDER BY 1",
            &[],
        )
        .map_err(DumpError::of_query)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
