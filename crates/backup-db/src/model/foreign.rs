//! Foreign data.

use serde::Deserialize;

use super::{Head, Oid};

/// One option of a foreign object.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// A foreign data wrapper.
#[derive(Debug, Deserialize)]
pub(crate) struct ForeignDataWrapper {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) handler: Option<String>,
    pub(crate) validator: Option<String>,
    pub(crate) options: Vec<Setting>,
}

/// A foreign server.
#[derive(Debug, Deserialize)]
pub(crate) struct ForeignServer {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) wrapper: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) options: Vec<Setting>,
}

/// A user mapping; `name` is the local user.
#[derive(Debug, Deserialize)]
pub(crate) struct UserMapping {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) public: bool,
    /// The connected role may not see the options.
    pub(crate) hidden: bool,
    pub(crate) options: Vec<Setting>,
}
