//! Privileges of objects to come, set back to what every database has.

use crate::quote::quote;
use crate::{QueryError, Session};

/// The statements after which an entry of `pg_default_acl` is gone; nothing when it is gone already.
pub(crate) fn reset(session: &mut Session, oid: u32) -> Result<String, QueryError> {
    let rows = session.query(
        "SELECT pg_catalog.pg_get_userbyid(d.defaclrole)::text, n.nspname::text, d.defaclobjtype::text,
                CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
           FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
           LEFT JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a ON true
          WHERE d.oid = $1",
        &[&oid],
    )?;
    let Some(first) = rows.first() else {
        return Ok(String::new());
    };
    let (role, schema, kind): (&str, Option<&str>, &str) =
        (first.get(0), first.get(1), first.get(2));
    let objects = match kind {
        "S" => "SEQUENCES",
        "f" => "FUNCTIONS",
        "T" => "TYPES",
        "n" => "SCHEMAS",
        "L" => "LARGE OBJECTS",
        _ => "TABLES",
    };
    let place = schema
        .map(|schema| format!(" IN SCHEMA {}", quote(schema)))
        .unwrap_or_default();
    let alter = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{place}", quote(role));
    let mut sql = String::new();
    for grantee in rows.iter().filter_map(|row| row.get::<_, Option<&str>>(3)) {
        sql.push_str(&format!("{alter} REVOKE ALL ON {objects} FROM {grantee};"));
    }
    // An entry of one schema adds to what there is; one of all schemas replaces it, so that has to be granted again.
    if schema.is_none() {
        sql.push_str(&format!(
            "{alter} GRANT ALL ON {objects} TO {};",
            quote(role)
        ));
        match kind {
            "f" => sql.push_str(&format!("{alter} GRANT EXECUTE ON FUNCTIONS TO PUBLIC;")),
            "T" => sql.push_str(&format!("{alter} GRANT USAGE ON TYPES TO PUBLIC;")),
            _ => {}
        }
    }
    Ok(sql)
}
