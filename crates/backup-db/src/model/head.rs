//! What most objects have in common.

use serde::Deserialize;

use super::Oid;

/// Number, name, schema, owner and privileges.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Head {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) schema: Option<String>,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// It comes with every database: at most its privileges are ours to keep.
    #[serde(default)]
    pub(crate) system: bool,
    #[serde(flatten)]
    pub(crate) acl: Acl,
}

/// Privileges, as the texts of access control items.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Acl {
    /// As they are; none: never changed.
    #[serde(default)]
    pub(crate) acl: Option<Vec<String>>,
    /// What an object of this kind and owner has when nobody changed it.
    #[serde(default)]
    pub(crate) acl_default: Option<Vec<String>>,
    /// What initdb or the object's extension gave it.
    #[serde(default)]
    pub(crate) acl_initial: Option<Vec<String>>,
}
