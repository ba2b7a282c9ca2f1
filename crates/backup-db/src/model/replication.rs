//! Publications and subscriptions.

use serde::Deserialize;

use super::{Head, Oid};

/// A publication.
#[derive(Debug, Deserialize)]
pub(crate) struct Publication {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) all_tables: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) truncate: bool,
    pub(crate) via_root: bool,
    /// `n`one or `s`tored (18 and later).
    pub(crate) generated_columns: char,
}

/// A table, or a schema, of a publication.
#[derive(Debug, Deserialize)]
pub(crate) struct PublicationMember {
    pub(crate) oid: Oid,
    pub(crate) publication: Oid,
    pub(crate) relation: Oid,
    pub(crate) member_schema: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) columns: Option<Vec<String>>,
}

/// A subscription.
#[derive(Debug, Deserialize)]
pub(crate) struct Subscription {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) connection: String,
    pub(crate) slot: Option<String>,
    pub(crate) synchronous_commit: String,
    pub(crate) publications: Vec<String>,
    pub(crate) binary: bool,
    /// As in the catalogue: a boolean before 16, a letter since.
    pub(crate) streaming: String,
    pub(crate) two_phase: char,
    pub(crate) disable_on_error: bool,
    pub(crate) origin: String,
    pub(crate) password_required: bool,
    pub(crate) run_as_owner: bool,
    pub(crate) failover: bool,
}
