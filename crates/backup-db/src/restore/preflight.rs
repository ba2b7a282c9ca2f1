//! Everything that can be known before a restore touches anything.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::{self, Before};
use super::error::RestoreError;
use super::options::RestoreOptions;
use super::plan::Plan;
use super::source::DumpSource;
use super::target;
use crate::quote::quote;
use crate::{ConnectError, ConnectOptions, ExtensionInfo, ObjectKind, ServerInfo, Session};

/// What stands in the way of a restore.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The database has objects already.
    #[error("database \"{database}\" is not empty: it has {}", examples.join(", "))]
    NotEmpty {
        /// The database.
        database: String,
        /// Some of what is in it.
        examples: Vec<String>,
    },
    /// The database is not there and the role may not make it.
    #[error("there is no database \"{database}\", and role \"{role}\" may not create one")]
    CannotCreateDatabase {
        /// The database.
        database: String,
        /// The role.
        role: String,
    },
    /// The role may not rename the live database.
    #[error("database \"{database}\" belongs to \"{owner}\", so this role cannot exchange it")]
    NotDatabaseOwner {
        /// The database.
        database: String,
        /// Its owner.
        owner: String,
    },
    /// Objects to be replaced belong to others.
    #[error("role \"{role}\" may not drop {}", objects.join(", "))]
    NotObjectOwner {
        /// The restoring role.
        role: String,
        /// Some of the objects.
        objects: Vec<String>,
    },
    /// The role may not create schemas in the database.
    #[error("role \"{role}\" may not create objects in database \"{database}\"")]
    CannotCreateObjects {
        /// The database.
        database: String,
        /// The role.
        role: String,
    },
    /// The server is older than the one that the dump is from.
    #[error("the backup is from PostgreSQL {source_major}, the server is {target_major}")]
    OlderServer {
        /// Major version of the dump.
        source_major: u32,
        /// Major version of the server.
        target_major: u32,
    },
    /// The database has another encoding, which may lack characters.
    #[error("the backup's encoding is {source_encoding}, the database's {target_encoding}")]
    Encoding {
        /// Encoding of the dump.
        source_encoding: String,
        /// Encoding of the database.
        target_encoding: String,
    },
    /// The server lacks an extension.
    #[error("extension \"{name}\" is not installed on the server")]
    ExtensionMissing {
        /// The extension.
        name: String,
    },
    /// The role may not create an extension.
    #[error("only a superuser can create extension \"{name}\"")]
    ExtensionNotTrusted {
        /// The extension.
        name: String,
    },
    /// A role is missing.
    #[error("there is no role \"{name}\"")]
    RoleMissing {
        /// The role.
        name: String,
    },
    /// An object's owner is a role that the restoring one cannot act for.
    #[error("role \"{role}\" is not a member of \"{owner}\", which owns objects")]
    NotMemberOfOwner {
        /// The restoring role.
        role: String,
        /// The owner.
        owner: String,
    },
}

impl Problem {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotEmpty { .. } => {
                "restore into a new database, or replace this one with --into swap or --into replace"
            }
            Self::CannotCreateDatabase { .. } => {
                "create an empty database first, or ALTER ROLE … CREATEDB"
            }
            Self::NotObjectOwner { .. } => "restore as the owner of the objects or as a superuser",
            Self::NotDatabaseOwner { .. } => "restore as the owner, or use --into replace",
            Self::CannotCreateObjects { .. } => {
                "GRANT CREATE ON DATABASE … TO the role, or make it the owner"
            }
            Self::OlderServer { .. } => "restore into the same or a newer version of PostgreSQL",
            Self::Encoding { .. } => {
                "create the database with the backup's encoding: CREATE DATABASE … TEMPLATE template0 ENCODING …"
            }
            Self::ExtensionMissing { .. } => "install the extension's package on the server",
            Self::ExtensionNotTrusted { .. } => {
                "let a superuser create the extension in the empty database first"
            }
            Self::RoleMissing { .. } | Self::NotMemberOfOwner { .. } => {
                "create or grant the roles, map them (--role-map OLD=NEW), or leave owners and privileges out (--no-owner --no-privileges)"
            }
        })
    }
}

/// The outcome of looking before touching.
#[derive(Debug, Clone, Default)]
pub struct Preflight {
    /// What stands in the way; when there is anything, a restore refuses.
    pub problems: Vec<Problem>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Whether the database is there; otherwise the restore creates it.
    pub exists: bool,
    pub(crate) before: Before,
    /// Schemas that are there already, with an extension in them.
    pub(crate) schemas: Vec<String>,
}

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

/// Looks whether a dump can be restored into a fresh database, and changes nothing.
///
/// # Errors
/// When the server cannot be asked. That something stands in the way is no error here, but in [`Preflight::problems`].
pub fn preflight(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let plan = Plan::new(source, options)?;
    check(connect, source, &plan, options)
}

/// Looks at a database that has to be empty, or is not there.
pub(crate) fn check(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    match Session::connect(connect) {
        Ok(session) => {
            let mut look = Look::new(session, source, plan, options)?;
            look.report.exists = true;
            look.database()?;
            look.emptiness()?;
            look.rest()
        }
        Err(ConnectError::NoSuchDatabase { .. }) => {
            let mut look = Look::new(target::maintenance(connect)?, source, plan, options)?;
            look.here.extensions.clear();
            if !look.role.may_create_databases {
                let (database, role) = (connect.database().to_owned(), look.role.name.clone());
                look.report
                    .problems
                    .push(Problem::CannotCreateDatabase { database, role });
            }
            look.rest()
        }
        Err(error) => Err(error.into()),
    }
}

/// Looks at a database whose content will be replaced.
pub(crate) fn check_in_place(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut look = Look::new(Session::connect(connect)?, source, plan, options)?;
    look.report.exists = true;
    look.database()?;
    look.homes()?;
    look.ownership()?;
    look.rest()
}

/// The restoring role.
struct Role {
    name: String,
    superuser: bool,
    may_create_databases: bool,
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
struct Look<'a> {
    session: Session,
    source: &'a dyn DumpSource,
    plan: &'a Plan<'a>,
    options: &'a RestoreOptions,
    here: ServerInfo,
    role: Role,
    report: Preflight,
}

impl<'a> Look<'a> {
    fn new(
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
    fn rest(mut self) -> Result<Preflight, RestoreError> {
        self.version();
        self.extensions()?;
        self.tablespaces()?;
        self.roles()?;
        Ok(self.report)
    }

    fn query(&mut self, sql: &str) -> Result<Vec<tokio_postgres::Row>, RestoreError> {
        self.session.query(sql, &[]).map_err(RestoreError::of_query)
    }

    fn version(&mut self) {
        let (source_major, target_major) = (self.source.server().major(), self.here.major());
        if target_major >= source_major {
            return;
        }
        if self.options.allow_downgrade {
            let warning = format!(
                "the backup is from PostgreSQL {source_major}, the server is only {target_major}"
            );
            self.report.warnings.push(warning);
        } else {
            self.report.problems.push(Problem::OlderServer {
                source_major,
                target_major,
            });
        }
    }

    /// Whether the database can hold the dump: privileges, encoding, collation.
    fn database(&mut self) -> Result<(), RestoreError> {
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
        }
        Ok(())
    }

    /// Schemas that extensions live in, which therefore are there already. Gives their names as SQL.
    fn homes(&mut self) -> Result<BTreeSet<String>, RestoreError> {
        let homes = self.query(EXTENSION_SCHEMAS)?;
        self.report.schemas = homes.iter().map(|row| row.get(1)).collect();
        Ok(homes.iter().map(|row| row.get(0)).collect())
    }

    /// An extension that a superuser put there for us is welcome, and so is a schema for it; a dump's other objects find their place taken.
    fn emptiness(&mut self) -> Result<(), RestoreError> {
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
    fn ownership(&mut self) -> Result<(), RestoreError> {
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
