//! One look at a server: everything that the strategies have to know in common.

use std::collections::{BTreeMap, BTreeSet};

use super::Preflight;
use super::problem::Problem;
use crate::quote::quote;
use crate::restore::contents;
use crate::restore::error::RestoreError;
use crate::restore::options::RestoreOptions;
use crate::restore::plan::Plan;
use crate::restore::source::DumpSource;
use crate::{ExtensionInfo, NEWEST_MAJOR, ObjectKind, ServerInfo, Session};

/// Schemas with an extension in them, quoted and not.
const EXTENSION_SCHEMAS: &str = "
SELECT DISTINCT pg_catalog.quote_ident(n.nspname), n.nspname::text
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace";

/// Objects that only somebody else may drop: those of roles that this one is not a member of, unless they are an extension's.
const OBJECTS_OF_OTHERS: &str = "
SELECT pg_catalog.pg_describe_object(o.classid, o.objid, 0)
  FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, oid AS objid, relowner AS owner FROM pg_catalog.pg_class
         WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, proowner FROM pg_catalog.pg_proc
        UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_') o
 WHERE o.objid >= 16384 AND NOT pg_catalog.pg_has_role(o.owner, 'MEMBER')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e')
 ORDER BY 1 LIMIT 5";

/// How many objects of a database that is not empty are named.
const EXAMPLES: usize = 5;

/// The restoring role.
pub(super) struct Role {
    pub(super) name: String,
    superuser: bool,
    pub(super) may_create_databases: bool,
}

impl Role {
    fn read(session: &mut Session) -> Result<Self, crate::QueryError> {
        let row = session.query_one(
            "SELECT rolname::text, rolsuper, rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user",
            &[],
        )?;
        Ok(Self {
            name: row.get(0),
            superuser: row.get(1),
            may_create_databases: row.get(2),
        })
    }
}

/// One look at a server.
pub(crate) struct Look<'a> {
    pub(super) session: Session,
    pub(super) source: &'a dyn DumpSource,
    plan: &'a Plan<'a>,
    options: &'a RestoreOptions,
    pub(super) here: ServerInfo,
    pub(super) role: Role,
    pub(crate) report: Preflight,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        mut session: Session,
        source: &'a dyn DumpSource,
        plan: &'a Plan<'a>,
        options: &'a RestoreOptions,
    ) -> Result<Self, RestoreError> {
        let here = ServerInfo::read(&mut session).map_err(RestoreError::of_query)?;
        let role = Role::read(&mut session).map_err(RestoreError::of_query)?;
        let report = Preflight {
            warnings: plan.warnings.clone(),
            ..Preflight::default()
        };
        Ok(Self {
            session,
            source,
            plan,
            options,
            here,
            role,
            report,
        })
    }

    /// What does not depend on the database.
    pub(super) fn rest(mut self) -> Result<Preflight, RestoreError> {
        self.version();
        self.extensions()?;
        self.tablespaces()?;
        self.roles()?;
        self.space()?;
        self.report.bytes = self.rows_bytes();
        Ok(self.report)
    }

    pub(super) fn query(&mut self, sql: &str) -> Result<Vec<tokio_postgres::Row>, RestoreError> {
        self.session.query(sql, &[]).map_err(RestoreError::of_query)
    }

    fn version(&mut self) {
        let (source_major, target_major) = (self.source.server().major(), self.here.major());
        let problem = if target_major < source_major {
            Problem::OlderServer {
                source_major,
                target_major,
            }
        } else if target_major > NEWEST_MAJOR {
            Problem::UnknownServer { target_major }
        } else {
            return;
        };
        if self.options.any_version {
            self.report.warnings.push(problem.to_string());
        } else {
            self.report.problems.push(problem);
        }
    }

    /// Bytes of COPY text that would be loaded.
    pub(super) fn rows_bytes(&self) -> u64 {
        let stats = self.source.stats();
        let rows = self
            .plan
            .tables
            .iter()
            .map(|table| stats.tables[*table].bytes);
        let large_objects = if self.plan.large_objects {
            stats.large_objects.bytes
        } else {
            0
        };
        rows.sum::<u64>() + large_objects
    }

    /// Whether the database can hold the dump: privileges, encoding, collation.
    pub(super) fn database(&mut self) -> Result<(), RestoreError> {
        let rows = self.query(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
        )?;
        if !rows.iter().all(|row| row.get(0)) {
            let (database, role) = (self.here.database.clone(), self.role.name.clone());
            self.report
                .problems
                .push(Problem::CannotCreateObjects { database, role });
        }
        let (dumped, here) = (self.source.server(), &self.here);
        // UTF8 holds every character; other pairs only when they are the same.
        let fits = here.encoding == dumped.encoding
            || here.encoding == "UTF8" && dumped.encoding != "SQL_ASCII";
        if !fits {
            let (source_encoding, target_encoding) =
                (dumped.encoding.clone(), here.encoding.clone());
            self.report.problems.push(Problem::Encoding {
                source_encoding,
                target_encoding,
            });
        }
        if collation(dumped) != collation(here) || dumped.ctype != here.ctype {
            let ((ours, our_provider), (theirs, their_provider)) =
                (collation(here), collation(dumped));
            self.report.warnings.push(format!(
                "the database sorts by {ours} ({our_provider}), the backup's by {theirs} ({their_provider})"
            ));
        } else if let (Some(ours), Some(theirs)) =
            (&here.collation_version, &dumped.collation_version)
            && ours != theirs
        {
            self.report.warnings.push(format!(
                "the database's collation is version {ours}, the backup's was {theirs}: indexes are built anew, but texts may sort differently"
            ));
        }
        Ok(())
    }

    /// Schemas that extensions live in, which therefore are there already. Gives their names as SQL.
    pub(super) fn homes(&mut self) -> Result<BTreeSet<String>, RestoreError> {
        let homes = self.query(EXTENSION_SCHEMAS)?;
        self.report.schemas = homes.iter().map(|row| row.get(1)).collect();
        Ok(homes.iter().map(|row| row.get(0)).collect())
    }

    /// An extension that a superuser put there for us is welcome, and so is a schema for it; a dump's other objects find their place taken.
    pub(super) fn emptiness(&mut self) -> Result<(), RestoreError> {
        let homes = self.homes()?;
        let found = contents::list(&mut self.session).map_err(RestoreError::of_query)?;
        self.report.before = contents::before(&found);
        let (known, here) = (&self.source.server().extensions, &self.here.extensions);
        let unwelcome = found.iter().filter(|object| {
            match (contents::is_extension(object), contents::is_schema(object)) {
                (Some(name), _) => !is_shared(name, known, here),
                (_, Some(name)) => !homes.contains(name),
                _ => true,
            }
        });
        let examples: Vec<String> = unwelcome
            .map(|object| object.description.clone())
            .take(EXAMPLES)
            .collect();
        if !examples.is_empty() {
            let database = self.here.database.clone();
            self.report
                .problems
                .push(Problem::NotEmpty { database, examples });
        }
        Ok(())
    }

    /// Whether this role may drop what is there.
    pub(super) fn ownership(&mut self) -> Result<(), RestoreError> {
        let rows = self.query(OBJECTS_OF_OTHERS)?;
        if !rows.is_empty() {
            let objects = rows.iter().map(|row| row.get(0)).collect();
            self.report.problems.push(Problem::NotObjectOwner {
                role: self.role.name.clone(),
                objects,
            });
        }
        Ok(())
    }

    /// What lies in a tablespace that is not there goes to the database's own.
    fn tablespaces(&mut self) -> Result<(), RestoreError> {
        let usable: BTreeSet<String> = self
            .session
            .query(
                "SELECT spcname::text FROM pg_catalog.pg_tablespace WHERE pg_catalog.has_tablespace_privilege(oid, 'CREATE')",
                &[],
            )
            .map_err(RestoreError::of_query)?
            .iter()
            .map(|row| row.get(0))
            .collect();
        for name in self.plan.tablespaces() {
            if !usable.contains(name) {
                self.report.warnings.push(format!(
                    "there is no tablespace \"{name}\" that the role may use: what was in it goes to the database's own"
                ));
            }
        }
        Ok(())
    }

    fn extensions(&mut self) -> Result<(), RestoreError> {
        let available = self.query(
            "SELECT name::text, bool_or(trusted OR NOT superuser) FROM pg_catalog.pg_available_extension_versions GROUP BY 1",
        )?;
        let wanted = self
            .plan
            .pre_data
            .iter()
            .filter(|step| step.record.kind == ObjectKind::Extension);
        for name in wanted.map(|step| &step.record.name) {
            if self
                .here
                .extensions
                .iter()
                .any(|extension| extension.name == *name)
            {
                continue;
            }
            match available.iter().find(|row| row.get::<_, &str>(0) == name) {
                None => self
                    .report
                    .problems
                    .push(Problem::ExtensionMissing { name: name.clone() }),
                Some(row) if !self.role.superuser && !row.get::<_, bool>(1) => {
                    self.report
                        .problems
                        .push(Problem::ExtensionNotTrusted { name: name.clone() });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn roles(&mut self) -> Result<(), RestoreError> {
        let rows = self.query(
            "SELECT rolname::text, pg_catalog.pg_has_role(oid, 'MEMBER') FROM pg_catalog.pg_roles",
        )?;
        let known: BTreeMap<&str, bool> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let (source, options) = (self.source, self.options);
        for name in self.plan.roles(source, options) {
            if !known.contains_key(name.as_str()) {
                self.report.problems.push(Problem::RoleMissing { name });
            }
        }
        let owners = self
            .plan
            .steps()
            .filter(|step| step.record.kind == ObjectKind::Owner);
        let owners: BTreeSet<String> = owners
            .flat_map(|step| source.script().roles(step.record))
            .map(|owner| options.role(&owner))
            .collect();
        for owner in owners {
            if known.get(owner.as_str()) == Some(&false) {
                self.report.problems.push(Problem::NotMemberOfOwner {
                    role: self.role.name.clone(),
                    owner,
                });
            }
        }
        Ok(())
    }
}

/// Whether an extension, whose name is given as SQL, is in both lists and in the same schema.
pub(crate) fn is_shared(name: &str, dumped: &[ExtensionInfo], here: &[ExtensionInfo]) -> bool {
    let find = |list: &[ExtensionInfo]| {
        let named =
            |extension: &&ExtensionInfo| extension.name == name || quote(&extension.name) == name;
        list.iter()
            .find(named)
            .map(|extension| extension.schema.clone())
    };
    find(dumped).is_some_and(|schema| find(here) == Some(schema))
}

/// Locale and provider that a database sorts by.
fn collation(server: &ServerInfo) -> (&str, &str) {
    (
        server.locale.as_ref().unwrap_or(&server.collate),
        &server.provider,
    )
}
