//! Operators, their classes and families.

use serde::Deserialize;

use super::{Catalog, Head, Oid};

/// An operator. Operators that it names are a quoted schema, a dot and the operator.
#[derive(Debug, Deserialize)]
pub(crate) struct Operator {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) left_type: Option<String>,
    pub(crate) right_type: Option<String>,
    /// None: a shell that another operator names.
    pub(crate) function: Option<String>,
    pub(crate) commutator: Option<String>,
    pub(crate) negator: Option<String>,
    pub(crate) restriction: Option<String>,
    pub(crate) join: Option<String>,
    pub(crate) merges: bool,
    pub(crate) hashes: bool,
}

/// An operator family.
#[derive(Debug, Deserialize)]
pub(crate) struct OperatorFamily {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) method: String,
}

/// An operator class.
#[derive(Debug, Deserialize)]
pub(crate) struct OperatorClass {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) method: String,
    pub(crate) input_type: String,
    pub(crate) key_type: Option<String>,
    pub(crate) is_default: bool,
    pub(crate) family_name: String,
}

/// An operator or support function of a family.
#[derive(Debug, Deserialize)]
pub(crate) struct FamilyMember {
    /// `pg_amop` or `pg_amproc`.
    pub(crate) catalogue: Catalog,
    pub(crate) oid: Oid,
    pub(crate) family: Oid,
    /// Quoted, with its access method: as after `ALTER OPERATOR FAMILY`.
    pub(crate) family_name: String,
    /// The class that it belongs to; none: loose in the family.
    pub(crate) class: Oid,
    pub(crate) number: i32,
    pub(crate) member: String,
    pub(crate) left_type: String,
    pub(crate) right_type: String,
    pub(crate) sort_family: Option<String>,
}
