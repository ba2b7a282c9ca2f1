//! What a server and a database are: version, encoding, collation, extensions.

use serde::{Deserialize, Serialize};

use crate::{QueryError, Session};

/// A server and one of its databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// As `server_version_num`: 150018 is 15.18.
    pub version_num: u32,
    /// As the server writes it.
    pub version: String,
    /// Name of the database.
    pub database: String,
    /// Owner of the database.
    pub owner: String,
    /// Encoding: `UTF8`, `LATIN1`, `SQL_ASCII`, …
    pub encoding: String,
    /// `LC_COLLATE` of the database.
    pub collate: String,
    /// `LC_CTYPE` of the database.
    pub ctype: String,
    /// Who collates: `libc`, `icu` or `builtin`.
    pub provider: String,
    /// Locale of the `icu` or `builtin` provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Version of the collation that the database was made with, where the provider has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation_version: Option<String>,
    /// Identity of the cluster; `None` when this role may not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_identifier: Option<String>,
    /// Bytes that the database takes on the server's disk, indexes included; 0 when a dump does not say.
    #[serde(default)]
    pub size_bytes: u64,
    /// Whether it is a standby.
    pub in_recovery: bool,
    /// Installed extensions.
    #[serde(default)]
    pub extensions: Vec<ExtensionInfo>,
}

/// An installed extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionInfo {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// The schema that holds its objects.
    #[serde(default)]
    pub schema: String,
}

impl ServerInfo {
    /// Major version.
    pub fn major(&self) -> u32 {
        self.version_num / 10_000
    }

    /// Asks the server of a session.
    ///
    /// # Errors
    /// When a query fails.
    pub fn read(session: &mut Session) -> Result<Self, QueryError> {
        let version: i32 = session
            .query_one(
                "SELECT pg_catalog.current_setting('server_version_num')::int4",
                &[],
            )?
            .get(0);
        let version_num = version.unsigned_abs();
        let (provider, locale, collation_version) = match version_num / 10_000 {
            ..15 => ("'c'", "NULL::text", "NULL::text"),
            15 | 16 => ("datlocprovider", "daticulocale", "datcollversion"),
            _ => ("datlocprovider", "datlocale", "datcollversion"),
        };
        let row = session.query_one(
            &format!(
                "SELECT pg_catalog.current_setting('server_version'), datname::text, pg_catalog.pg_get_userbyid(datdba)::text,
                        pg_catalog.pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text,
                        CASE {provider} WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                        {locale}::text, {collation_version}::text, pg_catalog.pg_is_in_recovery(), pg_catalog.pg_database_size(oid)
                   FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
            ),
            &[],
        )?;
        let extensions = session
            .query(
                "SELECT e.extname::text, e.extversion, n.nspname::text
                   FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY 1",
                &[],
            )?
            .iter()
            .map(|row| ExtensionInfo {
                name: row.get(0),
                version: row.get(1),
                schema: row.get(2),
            })
            .collect();
        let system_identifier = session.query_one(
            "SELECT CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
                         THEN (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) END",
            &[],
        );
        Ok(Self {
            version_num,
            version: row.get(0),
            database: row.get(1),
            owner: row.get(2),
            encoding: row.get(3),
            collate: row.get(4),
            ctype: row.get(5),
            provider: row.get(6),
            locale: row.get(7),
            collation_version: row.get(8),
            size_bytes: u64::try_from(row.get::<_, i64>(10)).unwrap_or(0),
            in_recovery: row.get(9),
            system_identifier: system_identifier?.get(0),
            extensions,
        })
    }
}
