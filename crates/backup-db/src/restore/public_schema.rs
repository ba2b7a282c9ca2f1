//! The schema `public`, which every database has: set back to how a new one has it.

use crate::{QueryError, Session};

/// Gives `public` the owner, comment and privileges that it has in a new database; returns what could not be done.
pub(crate) fn reset(session: &mut Session) -> Result<Vec<String>, QueryError> {
    let row = session.query_one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public'),
                pg_catalog.current_setting('server_version_num')::int4 >= 150000,
                (SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE oid = 10)",
        &[],
    )?;
    let (exists, recent, bootstrap): (bool, bool, String) = (row.get(0), row.get(1), row.get(2));
    // Until 14 everybody may create objects in it, and it belongs to the first superuser.
    let (owner, everybody) = if recent {
        ("pg_database_owner", "USAGE")
    } else {
        (bootstrap.as_str(), "USAGE, CREATE")
    };
    if !exists {
        session.batch("CREATE SCHEMA public")?;
    }
    let grantees = session.query(
        "SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
           FROM pg_catalog.pg_namespace n, LATERAL pg_catalog.aclexplode(n.nspacl) a
          WHERE n.nspname = 'public' AND a.grantee <> n.nspowner",
        &[],
    )?;
    let mut privileges: String = grantees
        .iter()
        .map(|row| {
            format!(
                "REVOKE ALL ON SCHEMA public FROM {} CASCADE;",
                row.get::<_, &str>(0)
            )
        })
        .collect();
    privileges.push_str(&format!("GRANT {everybody} ON SCHEMA public TO PUBLIC"));
    let mut warnings = Vec::new();
    let steps = [
        (format!("ALTER SCHEMA public OWNER TO {owner}"), "owner"),
        (
            "COMMENT ON SCHEMA public IS 'standard public schema'".to_owned(),
            "comment",
        ),
        (privileges, "privileges"),
    ];
    for (sql, what) in steps {
        session.batch("SAVEPOINT public_schema")?;
        match session.batch(&sql) {
            Err(error) if error.is_connection_lost() => return Err(error),
            Err(error) => {
                session.batch("ROLLBACK TO SAVEPOINT public_schema")?;
                warnings.push(format!(
                    "the {what} of schema public cannot be set back: {}",
                    error.message()
                ));
            }
            Ok(()) => {}
        }
    }
    Ok(warnings)
}
