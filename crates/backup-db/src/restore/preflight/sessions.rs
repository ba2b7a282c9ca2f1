//! Who else uses a database that is replaced or exchanged.

use super::Preflight;
use super::problem::Problem;
use crate::Session;
use crate::restore::error::RestoreError;

/// Client sessions in a database, by role and application; whether this role can end them, and whether they hold locks.
const SESSIONS: &str = "
SELECT coalesce(a.usename, '')::text, coalesce(a.application_name, ''), count(*),
       bool_and(pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'MEMBER') OR pg_catalog.pg_has_role(a.usesysid, 'MEMBER')),
       bool_or(s.rolsuper) AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
  FROM pg_catalog.pg_stat_activity a LEFT JOIN pg_catalog.pg_roles s ON s.oid = a.usesysid
 WHERE a.datname = $1::text::name AND a.pid <> pg_catalog.pg_backend_pid() AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.usesysid IS NOT NULL
 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2";

/// How many groups of sessions are named.
const NAMED: usize = 5;

/// What happens to the sessions in the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are ended for the exchange.
    Ended,
    /// They wait for the locks of the restore, and the restore for theirs.
    Waiting,
}

impl Preflight {
    /// Tells who is connected to `database`, and what keeps the database from being exchanged.
    pub(crate) fn tell_sessions(
        &mut self,
        session: &mut Session,
        database: &str,
        fate: Fate,
    ) -> Result<(), RestoreError> {
        let rows = session
            .query(SESSIONS, &[&database])
            .map_err(RestoreError::of_query)?;
        let mut named = Vec::new();
        let mut resisting = Vec::new();
        let mut count = 0;
        for row in &rows {
            let (role, application, sessions): (String, String, i64) =
                (row.get(0), row.get(1), row.get(2));
            count += sessions;
            let who = if application.is_empty() {
                format!("{sessions} of \"{role}\"")
            } else {
                format!("{sessions} of \"{role}\" ({application})")
            };
            if !row.get::<_, Option<bool>>(3).unwrap_or(false)
                || row.get::<_, Option<bool>>(4).unwrap_or(false)
            {
                resisting.push(role);
            }
            named.push(who);
        }
        if count > 0 {
            named.truncate(NAMED);
            let what = match fate {
                Fate::Ended => "are ended when the databases are exchanged",
                Fate::Waiting => "have to wait until the restore ends, and it for their locks",
            };
            self.warnings.push(format!(
                "{count} sessions in database \"{database}\" {what}: {}",
                named.join(", ")
            ));
        }
        resisting.dedup();
        if fate == Fate::Ended {
            if !resisting.is_empty() {
                self.warnings.push(format!(
                    "this role cannot end sessions of {}: stop that application first, or GRANT pg_signal_backend",
                    resisting.join(", ")
                ));
            }
            self.obstacles(session, database)?;
        }
        Ok(())
    }

    /// Prepared transactions keep a database from being renamed; replication slots go on with the one that is put aside.
    fn obstacles(&mut self, session: &mut Session, database: &str) -> Result<(), RestoreError> {
        let names = |session: &mut Session, sql: &str| -> Result<Vec<String>, RestoreError> {
            let rows = session
                .query(sql, &[&database])
                .map_err(RestoreError::of_query)?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let prepared = names(
            session,
            "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1::text::name ORDER BY 1",
        )?;
        if !prepared.is_empty() {
            self.problems.push(Problem::PreparedTransactions {
                database: database.to_owned(),
                transactions: prepared,
            });
        }
        let slots = names(
            session,
            "SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE database = $1::text::name ORDER BY 1",
        )?;
        if !slots.is_empty() {
            self.warnings.push(format!(
                "the replication slots {} stay with the database that is put aside",
                slots.join(", ")
            ));
        }
        Ok(())
    }
}
