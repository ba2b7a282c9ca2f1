//! Everything that can be known before a restore touches anything.

use std::collections::BTreeSet;

use super::contents::{self, Before};
use super::error::RestoreError;
use super::options::RestoreOptions;
use super::plan::Plan;
use super::source::DumpSource;
use super::target;
use crate::{ConnectError, ConnectOptions, ObjectKind, ServerInfo, Session};

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

pub(crate) fn check(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut report = Preflight {
        warnings: plan.warnings.clone(),
        ..Preflight::default()
    };
    let mut session = match Session::connect(connect) {
        Ok(session) => {
            report.exists = true;
            session
        }
        Err(ConnectError::NoSuchDatabase { .. }) => target::maintenance(connect)?,
        Err(error) => return Err(error.into()),
    };
    let here = ServerInfo::read(&mut session).map_err(RestoreError::of_query)?;
    let role = Role::read(&mut session).map_err(RestoreError::of_query)?;
    check_version(source.server(), &here, options, &mut report);
    if report.exists {
        check_database(&mut session, source.server(), &here, &role, &mut report)?;
    } else if !role.may_create_databases {
        let database = connect.database().to_owned();
        report.problems.push(Problem::CannotCreateDatabase {
            database,
            role: role.name.clone(),
        });
    }
    let installed = if report.exists {
        here.extensions.as_slice()
    } else {
        &[]
    };
    check_extensions(&mut session, plan, &role, installed, &mut report.problems)?;
    check_roles(
        &mut session,
        source,
        plan,
        options,
        &role,
        &mut report.problems,
    )?;
    Ok(report)
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

fn check_version(
    dumped: &ServerInfo,
    here: &ServerInfo,
    options: &RestoreOptions,
    report: &mut Preflight,
) {
    let (source_major, target_major) = (dumped.major(), here.major());
    if target_major < source_major {
        if options.allow_downgrade {
            report.warnings.push(format!(
                "the backup is from PostgreSQL {source_major}, the server is only {target_major}"
            ));
        } else {
            report.problems.push(Problem::OlderServer {
                source_major,
                target_major,
            });
        }
    }
}

fn check_database(
    session: &mut Session,
    dumped: &ServerInfo,
    here: &ServerInfo,
    role: &Role,
    report: &mut Preflight,
) -> Result<(), RestoreError> {
    let found = contents::list(session).map_err(RestoreError::of_query)?;
    report.before = contents::before(&found);
    // An extension that a superuser put there for us is welcome, and so is a schema for it; a dump's other objects find their place taken.
    let known: BTreeSet<&str> = dumped
        .extensions
        .iter()
        .map(|extension| extension.name.as_str())
        .collect();
    let homes = session
        .query(EXTENSION_SCHEMAS, &[])
        .map_err(RestoreError::of_query)?;
    report.schemas = homes.iter().map(|row| row.get(1)).collect();
    let unwelcome = found.iter().filter(|object| {
        match (contents::is_extension(object), contents::is_schema(object)) {
            (Some(name), _) => !known.contains(name.trim_matches('"')),
            (_, Some(name)) => !homes.iter().any(|row| row.get::<_, &str>(0) == name),
            _ => true,
        }
    });
    let examples: Vec<String> = unwelcome
        .map(|object| object.description.clone())
        .take(EXAMPLES)
        .collect();
    if !examples.is_empty() {
        report.problems.push(Problem::NotEmpty {
            database: here.database.clone(),
            examples,
        });
    }
    let may_create: bool = session
        .query_one(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
            &[],
        )
        .map_err(RestoreError::of_query)?
        .get(0);
    if !may_create {
        report.problems.push(Problem::CannotCreateObjects {
            database: here.database.clone(),
            role: role.name.clone(),
        });
    }
    // UTF8 holds every character; other pairs only when they are the same.
    if dumped.encoding != here.encoding && here.encoding != "UTF8"
        || dumped.encoding == "SQL_ASCII" && here.encoding != "SQL_ASCII"
    {
        let (source_encoding, target_encoding) = (dumped.encoding.clone(), here.encoding.clone());
        report.problems.push(Problem::Encoding {
            source_encoding,
            target_encoding,
        });
    }
    let collation = |server: &ServerInfo| {
        let locale = server
            .locale
            .clone()
            .unwrap_or_else(|| server.collate.clone());
        (server.provider.clone(), locale, server.ctype.clone())
    };
    if collation(dumped) != collation(here) {
        report.warnings.push(format!(
            "the database sorts by {} ({}), the backup's by {} ({})",
            here.locale.as_ref().unwrap_or(&here.collate),
            here.provider,
            dumped.locale.as_ref().unwrap_or(&dumped.collate),
            dumped.provider
        ));
    }
    Ok(())
}

fn check_extensions(
    session: &mut Session,
    plan: &Plan<'_>,
    role: &Role,
    installed: &[crate::ExtensionInfo],
    problems: &mut Vec<Problem>,
) -> Result<(), RestoreError> {
    let rows = session
        .query("SELECT name::text, bool_or(trusted OR NOT superuser) FROM pg_catalog.pg_available_extension_versions GROUP BY 1", &[])
        .map_err(RestoreError::of_query)?;
    let wanted = plan
        .pre_data
        .iter()
        .filter(|step| step.record.kind == ObjectKind::Extension);
    for name in wanted.map(|step| &step.record.name) {
        if installed.iter().any(|extension| extension.name == *name) {
            continue;
        }
        match rows.iter().find(|row| row.get::<_, &str>(0) == name) {
            None => problems.push(Problem::ExtensionMissing { name: name.clone() }),
            Some(row) if !role.superuser && !row.get::<_, bool>(1) => {
                problems.push(Problem::ExtensionNotTrusted { name: name.clone() });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_roles(
    session: &mut Session,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
    role: &Role,
    problems: &mut Vec<Problem>,
) -> Result<(), RestoreError> {
    let known: BTreeSet<String> = session
        .query("SELECT rolname::text FROM pg_catalog.pg_roles", &[])
        .map_err(RestoreError::of_query)?
        .iter()
        .map(|row| row.get(0))
        .collect();
    for name in plan.roles(source, options) {
        if !known.contains(&name) {
            problems.push(Problem::RoleMissing { name });
        }
    }
    if role.superuser {
        return Ok(());
    }
    let owners: BTreeSet<String> = plan
        .pre_data
        .iter()
        .chain(&plan.post_data)
        .filter(|step| step.record.kind == ObjectKind::Owner)
        .flat_map(|step| source.script().roles(step.record))
        .map(|owner| options.role(&owner))
        .filter(|owner| known.contains(owner))
        .collect();
    for owner in owners {
        let member: bool = session
            .query_one(
                "SELECT pg_catalog.pg_has_role($1::text::name, 'MEMBER')",
                &[&owner],
            )
            .map_err(RestoreError::of_query)?
            .get(0);
        if !member {
            problems.push(Problem::NotMemberOfOwner {
                role: role.name.clone(),
                owner,
            });
        }
    }
    Ok(())
}
