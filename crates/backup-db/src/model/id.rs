//! How the catalogues name an object: the catalogue it is in, and its number there.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A catalogue's number for an object; zero is none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Oid(pub(crate) u32);

impl Oid {
    pub(crate) fn is_some(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `row_to_json` quotes an oid; arrays of them are cast to numbers in the queries.
impl<'de> Deserialize<'de> for Oid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Number(u32),
            Digits(String),
            None(()),
        }
        match Text::deserialize(deserializer)? {
            Text::Number(number) => Ok(Oid(number)),
            Text::Digits(digits) => digits.parse().map(Oid).map_err(serde::de::Error::custom),
            Text::None(()) => Ok(Oid(0)),
        }
    }
}

/// An object's identity: catalogue and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) class: Catalog,
    pub(crate) oid: Oid,
}

impl ObjectId {
    pub(crate) fn new(class: Catalog, oid: Oid) -> Self {
        Self { class, oid }
    }
}

macro_rules! classes {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The catalogues whose rows other rows refer to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        pub(crate) enum Catalog {
            $(#[serde(rename = $name)] $variant,)*
            /// A catalogue of a server newer than this program.
            #[serde(other)]
            Unknown,
        }

        impl Catalog {
            /// The catalogue's name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Catalog::$variant => $name,)*
                    Catalog::Unknown => "?",
                }
            }
        }
    };
}

classes! {
    AccessMethod = "pg_am",
    AccessOperator = "pg_amop",
    AccessProcedure = "pg_amproc",
    Cast = "pg_cast",
    Collation = "pg_collation",
    Constraint = "pg_constraint",
    Conversion = "pg_conversion",
    Database = "pg_database",
    Default = "pg_attrdef",
    DefaultAcl = "pg_default_acl",
    EventTrigger = "pg_event_trigger",
    Extension = "pg_extension",
    ForeignDataWrapper = "pg_foreign_data_wrapper",
    ForeignServer = "pg_foreign_server",
    Function = "pg_proc",
    Language = "pg_language",
    LargeObject = "pg_largeobject",
    Operator = "pg_operator",
    OperatorClass = "pg_opclass",
    OperatorFamily = "pg_opfamily",
    Policy = "pg_policy",
    Publication = "pg_publication",
    PublicationRelation = "pg_publication_rel",
    PublicationSchema = "pg_publication_namespace",
    Relation = "pg_class",
    Rule = "pg_rewrite",
    Schema = "pg_namespace",
    Statistics = "pg_statistic_ext",
    Subscription = "pg_subscription",
    TextSearchConfiguration = "pg_ts_config",
    TextSearchDictionary = "pg_ts_dict",
    TextSearchParser = "pg_ts_parser",
    TextSearchTemplate = "pg_ts_template",
    Transform = "pg_transform",
    Trigger = "pg_trigger",
    Type = "pg_type",
    UserMapping = "pg_user_mapping",
}
