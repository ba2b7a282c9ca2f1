//! What belongs to a database rather than to what is in it, carried from the live one to the one that takes its place.

use crate::quote::quote;
use crate::{ObjectKind, QueryError, Schema, Session};

/// Gives `new` the owner, the privileges and the settings of `live`; returns what could not be carried.
///
/// `live` is a session in the live database, `there` one in the new database.
pub(crate) fn carry(
    live: &mut Session,
    there: &mut Session,
    new: &str,
) -> Result<Vec<String>, QueryError> {
    let mut warnings = Vec::new();
    let mut attempt = |session: &mut Session, sql: &str, what: &str| -> Result<(), QueryError> {
        match session.batch(sql) {
            Err(error) if error.is_connection_lost() => Err(error),
            Err(error) => {
                warnings.push(format!(
                    "the new database does not get {what} of the old one: {}",
                    error.message()
                ));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    };
    attempt(there, &privileges(live, new)?, "the privileges")?;
    let settings = settings(live);
    match settings {
        Ok(settings) => attempt(there, &settings, "the settings")?,
        Err(reason) => warnings.push(format!(
            "the new database does not get the settings of the old one: {reason}"
        )),
    }
    Ok(warnings)
}

/// The owner goes last: whoever gives a database away may not change it any more.
pub(crate) fn carry_owner(
    live: &mut Session,
    there: &mut Session,
    new: &str,
) -> Result<Option<String>, QueryError> {
    let owner: String = live
        .query_one(
            "SELECT pg_catalog.pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
            &[],
        )?
        .get(0);
    match there.batch(&format!(
        "ALTER DATABASE {} OWNER TO {}",
        quote(new),
        quote(&owner)
    )) {
        Err(error) if error.is_connection_lost() => Err(error),
        Err(error) => Ok(Some(format!(
            "the new database does not belong to \"{owner}\": {}",
            error.message()
        ))),
        Ok(()) => Ok(None),
    }
}

/// `GRANT`s that give `new` the privileges of the session's database; nothing when nobody ever changed them.
fn privileges(live: &mut Session, new: &str) -> Result<String, QueryError> {
    let rows = live.query(
        "SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                a.privilege_type, a.is_grantable
           FROM pg_catalog.pg_database d, LATERAL pg_catalog.aclexplode(d.datacl) a
          WHERE d.datname = pg_catalog.current_database()",
        &[],
    )?;
    if rows.is_empty() {
        return Ok(String::new());
    }
    let database = quote(new);
    let mut sql = format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC;");
    for row in &rows {
        let (grantee, privilege, grantable): (&str, &str, bool) =
            (row.get(0), row.get(1), row.get(2));
        let option = if grantable { " WITH GRANT OPTION" } else { "" };
        sql.push_str(&format!(
            "GRANT {privilege} ON DATABASE {database} TO {grantee}{option};"
        ));
    }
    Ok(sql)
}

/// The statements that set what is set for the live database, for whatever database runs them.
fn settings(live: &mut Session) -> Result<String, String> {
    let read = |session: &mut Session| -> Result<String, Box<dyn std::error::Error>> {
        session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        session.batch(crate::READ_SETTINGS)?;
        let script = Schema::read(session)?.script;
        let records = script
            .records()
            .iter()
            .filter(|record| record.kind == ObjectKind::Database);
        Ok(records
            .map(|record| script.sql(record))
            .collect::<Vec<_>>()
            .join("\n"))
    };
    let outcome = read(live).map_err(|error| error.to_string());
    live.batch("ROLLBACK").map_err(|error| error.to_string())?;
    outcome
}
