//! What is in a database besides what every new one has: to see that it is empty, and to make it so again.

use std::collections::{HashMap, HashSet};

use super::default_privileges;
use crate::{QueryError, Session};

/// Catalogues whose rows are objects of their own, in the order in which they are best dropped.
const CATALOGUES: &[&str] = &[
    "pg_event_trigger",
    "pg_publication",
    "pg_class",
    "pg_foreign_server",
    "pg_foreign_data_wrapper",
    "pg_cast",
    "pg_transform",
    "pg_opclass",
    "pg_opfamily",
    "pg_operator",
    "pg_conversion",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_ts_template",
    "pg_ts_parser",
    "pg_statistic_ext",
    "pg_proc",
    "pg_type",
    "pg_collation",
    "pg_am",
    "pg_language",
    "pg_extension",
    "pg_namespace",
    "pg_default_acl",
];

/// First number of objects that initdb did not make.
const FIRST_USER_OID: u32 = 16_384;

/// An object: catalogue, its number there, and how many columns deep (always 0).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Found {
    catalogue: u32,
    oid: u32,
    /// In the server's words: `table public.t`.
    pub(crate) description: String,
    /// Type and identity as `DROP` takes them; none for what cannot be dropped like that.
    drop: Option<String>,
}

impl Found {
    /// Catalogue and number.
    pub(crate) fn id(&self) -> (u32, u32) {
        (self.catalogue, self.oid)
    }
}

/// Stands for the catalogue of large objects, of which there is at most one item for all.
const LARGE_OBJECTS: u32 = 0;

/// Objects that were there before a restore began, which are not its business.
pub(crate) type Before = HashSet<(u32, u32)>;

/// Everything that somebody made in this database.
///
/// Left out: members of extensions (the extension is listed), what other objects consist of, temporary objects of live sessions, and the
/// schema `public` even when it was made anew.
pub(crate) fn list(session: &mut Session) -> Result<Vec<Found>, QueryError> {
    let parts: Vec<String> = CATALOGUES
        .iter()
        .enumerate()
        .map(|(rank, catalogue)| {
            let condition = match *catalogue {
                "pg_class" => " AND o.relkind NOT IN ('i', 'I', 't') AND o.relpersistence <> 't'",
                "pg_namespace" => " AND o.nspname !~ '^pg_(toast_)?temp_' AND o.nspname <> 'public'",
                _ => "",
            };
            format!(
                "SELECT {rank} AS rank, 'pg_catalog.{catalogue}'::pg_catalog.regclass::oid AS classid, o.oid AS objid
                   FROM pg_catalog.{catalogue} o WHERE o.oid >= {FIRST_USER_OID}{condition}"
            )
        })
        .collect();
    let sql = format!(
        "SELECT o.classid, o.objid, coalesce(pg_catalog.pg_describe_object(o.classid, o.objid, 0), ''), i.type, i.identity
           FROM ({}) o
           LEFT JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i ON true
          WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
            AND coalesce(i.schema, '') !~ '^pg_(toast_)?temp_'
          ORDER BY o.rank, o.objid",
        parts.join(" UNION ALL ")
    );
    let rows = session.query(&sql, &[])?;
    let mut found: Vec<Found> = rows
        .iter()
        .map(|row| Found {
            catalogue: row.get(0),
            oid: row.get(1),
            description: row.get(2),
            drop: drop_target(row.get(3), row.get(4)),
        })
        .collect();
    let large_objects: i64 = session
        .query_one(
            "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata",
            &[],
        )?
        .get(0);
    if large_objects > 0 {
        found.push(Found {
            catalogue: LARGE_OBJECTS,
            oid: u32::try_from(large_objects).unwrap_or(u32::MAX),
            description: format!("{large_objects} large objects"),
            drop: None,
        });
    }
    Ok(found)
}

/// The objects of `list`, as a set to compare later ones with.
pub(crate) fn before(found: &[Found]) -> Before {
    found.iter().map(Found::id).collect()
}

/// The extensions among `found`, by name, and whatever else there is.
pub(crate) fn is_extension(found: &Found) -> Option<&str> {
    found.drop.as_deref()?.strip_prefix("extension ")
}

/// Name of the schema that `found` is.
pub(crate) fn is_schema(found: &Found) -> Option<&str> {
    found.drop.as_deref()?.strip_prefix("schema ")
}

/// An object that could not be dropped.
#[derive(Debug)]
pub(crate) struct Resisting {
    /// In the server's words.
    pub(crate) description: String,
    /// Why not, when it was tried.
    pub(crate) error: Option<QueryError>,
}

/// Drops every object but those that are to `keep`, in transactions of their own, and returns what resisted.
pub(crate) fn remove(
    session: &mut Session,
    keep: impl Fn(&Found) -> bool,
) -> Result<Vec<Resisting>, QueryError> {
    remove_by(session, keep, |session, sql| session.batch(sql))
}

/// As [`remove`], all in the session's transaction.
pub(crate) fn remove_in_transaction(
    session: &mut Session,
    keep: impl Fn(&Found) -> bool,
) -> Result<Vec<Resisting>, QueryError> {
    remove_by(session, keep, |session, sql| {
        session.batch("SAVEPOINT removal")?;
        match session.batch(sql) {
            Err(error) if !error.is_connection_lost() => {
                session.batch("ROLLBACK TO SAVEPOINT removal")?;
                Err(error)
            }
            outcome => outcome,
        }
    })
}

fn remove_by(
    session: &mut Session,
    keep: impl Fn(&Found) -> bool,
    run: impl Fn(&mut Session, &str) -> Result<(), QueryError>,
) -> Result<Vec<Resisting>, QueryError> {
    let mut errors: HashMap<(u32, u32), QueryError> = HashMap::new();
    let mut left = usize::MAX;
    loop {
        let objects: Vec<Found> = list(session)?
            .into_iter()
            .filter(|object| !keep(object))
            .collect();
        // Every round must get somewhere: what one object's dependents keep alive goes in a later one.
        if objects.is_empty() || objects.len() >= left {
            let resisting = |object: Found| Resisting {
                error: errors.remove(&object.id()),
                description: object.description,
            };
            return Ok(objects.into_iter().map(resisting).collect());
        }
        left = objects.len();
        for object in &objects {
            let sql = match &object.drop {
                Some(target) => format!("DROP {target} CASCADE"),
                None if object.catalogue == LARGE_OBJECTS => UNLINK_LARGE_OBJECTS.to_owned(),
                None => default_privileges::reset(session, object.oid)?,
            };
            match run(session, &sql) {
                Err(error) if error.is_connection_lost() => return Err(error),
                // It may be gone with another one already; if not, the next round sees it.
                Err(error) => drop(errors.insert(object.id(), error)),
                Ok(()) => {}
            }
        }
    }
}

/// In bunches, as each object takes a lock until the end of its transaction; the next round takes the next bunch.
const UNLINK_LARGE_OBJECTS: &str = "SELECT pg_catalog.lo_unlink(oid) FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata LIMIT 5000) l";

/// The server names some types differently from what `DROP` calls them.
fn drop_target(kind: Option<String>, identity: Option<String>) -> Option<String> {
    let (kind, identity) = (kind?, identity?);
    let kind = match kind.as_str() {
        "default acl" => return None,
        "foreign-data wrapper" => "foreign data wrapper",
        "statistics object" => "statistics",
        "composite type" => "type",
        kind => kind,
    };
    Some(match kind {
        // Its identity says what for.
        "transform" => format!("transform {identity}"),
        kind => format!("{kind} {identity}"),
    })
}
