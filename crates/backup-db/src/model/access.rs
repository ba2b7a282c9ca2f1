//! The database, its schemas and extensions, and rules of who may do what.

use serde::Deserialize;

use super::{Acl, Head, Oid};

/// The database itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Database {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) connection_limit: i32,
    pub(crate) comment: Option<String>,
    pub(crate) settings: Vec<DatabaseSetting>,
}

/// `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`: texts of the form `name=value`.
#[derive(Debug, Deserialize)]
pub(crate) struct DatabaseSetting {
    pub(crate) role: Option<String>,
    pub(crate) settings: Vec<String>,
}

/// A schema.
#[derive(Debug, Deserialize)]
pub(crate) struct Schema {
    #[serde(flatten)]
    pub(crate) head: Head,
}

/// An installed extension; its members come with it.
#[derive(Debug, Deserialize)]
pub(crate) struct Extension {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) target_schema: String,
    /// The comment that it comes with.
    pub(crate) default_comment: Option<String>,
}

/// A row security policy.
#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) relation: Oid,
    pub(crate) command: char,
    pub(crate) permissive: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) public: bool,
    pub(crate) using: Option<String>,
    pub(crate) with_check: Option<String>,
}

/// An event trigger.
#[derive(Debug, Deserialize)]
pub(crate) struct EventTrigger {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) event: String,
    pub(crate) tags: Vec<String>,
    pub(crate) enabled: char,
    pub(crate) function: String,
}

/// Privileges that new objects of a role get.
#[derive(Debug, Deserialize)]
pub(crate) struct DefaultPrivileges {
    pub(crate) oid: Oid,
    pub(crate) owner: String,
    pub(crate) in_schema: Option<String>,
    pub(crate) kind: char,
    #[serde(flatten)]
    pub(crate) acl: Acl,
}

/// A large object, without its content.
#[derive(Debug, Deserialize)]
pub(crate) struct LargeObject {
    #[serde(flatten)]
    pub(crate) head: Head,
}
