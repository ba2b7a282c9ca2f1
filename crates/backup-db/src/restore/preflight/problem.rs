//! What can stand in the way of a restore.

use crate::NEWEST_MAJOR;

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
    /// The server is newer than any that this program knows.
    #[error("PostgreSQL {target_major} is newer than this program knows (up to {NEWEST_MAJOR})")]
    UnknownServer {
        /// Major version of the server.
        target_major: u32,
    },
    /// The disk of the server has no room.
    #[error("the restored database takes about {} MB, and only {} MB are free on the server", needed_bytes / 1_000_000, free_bytes / 1_000_000)]
    NoSpace {
        /// Estimated from the size of the database that was dumped.
        needed_bytes: u64,
        /// Free where the server keeps its data.
        free_bytes: u64,
    },
    /// Prepared transactions keep the live database from being renamed.
    #[error("database \"{database}\" has prepared transactions: {}", transactions.join(", "))]
    PreparedTransactions {
        /// The live database.
        database: String,
        /// Their ids.
        transactions: Vec<String>,
    },
    /// Rows alone are to be restored, into a database that may hold no tables.
    #[error("rows alone need tables that are there")]
    RowsAlone,
    /// Tables that are to get rows are not there.
    #[error("there is no table {}", tables.join(", "))]
    TablesMissing {
        /// `"schema"."table"`.
        tables: Vec<String>,
    },
    /// A table that is to get rows has not all columns.
    #[error("{table} has no column {}", columns.join(", "))]
    ColumnsMissing {
        /// `"schema"."table"`.
        table: String,
        /// Columns of the dump.
        columns: Vec<String>,
    },
    /// A part of the dump would take the place of the whole database.
    #[error("a part of the backup cannot take the place of the whole database")]
    PartInsteadOfWhole,
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
                "restore into a new database, or replace this one: --into swap, --into replace, or --force for whichever the role may do"
            }
            Self::CannotCreateDatabase { .. } => {
                "create an empty database first, or ALTER ROLE … CREATEDB"
            }
            Self::NotObjectOwner { .. } => "restore as the owner of the objects or as a superuser",
            Self::NotDatabaseOwner { .. } => "restore as the owner, or use --into replace",
            Self::CannotCreateObjects { .. } => {
                "GRANT CREATE ON DATABASE … TO the role, or make it the owner"
            }
            Self::OlderServer { .. } => {
                "restore into the same or a newer version of PostgreSQL, or try with --any-version"
            }
            Self::UnknownServer { .. } => {
                "use a version of this program that knows the server's, or try with --any-version"
            }
            Self::RowsAlone => {
                "use --into replace, which puts them into the tables of a database in use"
            }
            Self::TablesMissing { .. } => {
                "restore them with their definitions: leave --data-only out"
            }
            Self::ColumnsMissing { .. } => {
                "the table was changed since the backup: drop or rename it, and restore it with its definition"
            }
            Self::PartInsteadOfWhole => {
                "restore it into a new database; with --table or --schema, --into replace puts it into this one and leaves everything else"
            }
            Self::NoSpace { .. } => "free space on the server, or restore some tables only",
            Self::PreparedTransactions { .. } => "COMMIT PREPARED or ROLLBACK PREPARED them",
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
