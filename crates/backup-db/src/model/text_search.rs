//! Text search.

use serde::Deserialize;

use super::Head;

/// Which of the four kinds of text search object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TextSearchKind {
    Parser,
    Template,
    Dictionary,
    Configuration,
}

/// A text search object; only the fields of its kind are filled.
#[derive(Debug, Deserialize)]
pub(crate) struct TextSearch {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) kind: TextSearchKind,
    pub(crate) start: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) end: Option<String>,
    pub(crate) headline: Option<String>,
    pub(crate) lextypes: Option<String>,
    pub(crate) init: Option<String>,
    pub(crate) lexize: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) parser: Option<String>,
    pub(crate) mappings: Option<Vec<Mapping>>,
}

/// The dictionaries of a token type, in order.
#[derive(Debug, Deserialize)]
pub(crate) struct Mapping {
    pub(crate) token: String,
    pub(crate) dictionaries: Vec<String>,
}
