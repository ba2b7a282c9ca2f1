//! Types and collations.

use serde::Deserialize;

use super::{Head, Oid};

/// `pg_type.typtype`, without multiranges: these come with their range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum TypeKind {
    #[serde(rename = "b")]
    Base,
    #[serde(rename = "c")]
    Composite,
    #[serde(rename = "d")]
    Domain,
    #[serde(rename = "e")]
    Enum,
    #[serde(rename = "p")]
    Pseudo,
    #[serde(rename = "r")]
    Range,
}

/// A type; only the fields of its kind mean something.
#[derive(Debug, Deserialize)]
pub(crate) struct Type {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) kind: TypeKind,
    /// False: a shell type.
    pub(crate) defined: bool,
    /// The relation that holds a composite type's columns.
    pub(crate) relation: Oid,
    pub(crate) length: i32,
    pub(crate) by_value: bool,
    pub(crate) alignment: char,
    pub(crate) storage: char,
    pub(crate) category: char,
    pub(crate) preferred: bool,
    pub(crate) delimiter: char,
    pub(crate) element: Option<String>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) receive: Option<String>,
    pub(crate) send: Option<String>,
    pub(crate) modifier_in: Option<String>,
    pub(crate) modifier_out: Option<String>,
    pub(crate) analyze: Option<String>,
    pub(crate) subscript: Option<String>,
    pub(crate) default_text: Option<String>,
    pub(crate) default_expression: Option<String>,
    pub(crate) collatable: bool,
    pub(crate) not_null: bool,
    pub(crate) base_type: Option<String>,
    pub(crate) collation: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) range: Option<Range>,
}

/// What makes a type a range.
#[derive(Debug, Deserialize)]
pub(crate) struct Range {
    pub(crate) subtype: String,
    pub(crate) operator_class: Option<String>,
    pub(crate) collation: Option<String>,
    pub(crate) canonical: Option<String>,
    pub(crate) subtype_diff: Option<String>,
    pub(crate) multirange: String,
}

/// A collation.
#[derive(Debug, Deserialize)]
pub(crate) struct Collation {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// `b`uiltin, `c` (libc), `d`efault, `i`cu.
    pub(crate) provider: char,
    pub(crate) deterministic: bool,
    pub(crate) collate: Option<String>,
    pub(crate) ctype: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) rules: Option<String>,
}
