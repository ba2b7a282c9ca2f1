//! A database's objects as its catalogues describe them, before any SQL is rendered.
//!
//! Field names are the column names of the queries in `sql/`. What the server renders best itself (index definitions, view texts,
//! function bodies, expressions) is kept as the text that it gave.

mod access;
mod code;
mod foreign;
mod head;
mod id;
mod operator;
mod relation;
mod replication;
mod text_search;
mod types;

pub(crate) use access::{
    Database, DefaultPrivileges, EventTrigger, Extension, LargeObject, Policy, Schema,
};
pub(crate) use code::{AccessMethod, Aggregate, Cast, Conversion, Function, Language, Transform};
pub(crate) use foreign::{ForeignDataWrapper, ForeignServer, Setting, UserMapping};
pub(crate) use head::{Acl, Head};
pub(crate) use id::{Catalog, ObjectId, Oid};
pub(crate) use operator::{FamilyMember, Operator, OperatorClass, OperatorFamily};
pub(crate) use relation::{
    Column, ColumnDefault, Constraint, ExtendedStatistics, Index, NotNull, Relation, RelationKind,
    Rule, Trigger,
};
pub(crate) use replication::{Publication, PublicationMember, Subscription};
pub(crate) use text_search::{TextSearch, TextSearchKind};
pub(crate) use types::{Collation, Range, Type, TypeKind};

use serde::Deserialize;

/// Everything read from the catalogues of one database.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) database: Option<Database>,
    pub(crate) schemas: Vec<Schema>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) languages: Vec<Language>,
    pub(crate) types: Vec<Type>,
    pub(crate) functions: Vec<Function>,
    pub(crate) casts: Vec<Cast>,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) access_methods: Vec<AccessMethod>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) operator_families: Vec<OperatorFamily>,
    pub(crate) operator_classes: Vec<OperatorClass>,
    pub(crate) family_members: Vec<FamilyMember>,
    pub(crate) collations: Vec<Collation>,
    pub(crate) conversions: Vec<Conversion>,
    pub(crate) text_search: Vec<TextSearch>,
    pub(crate) foreign_data_wrappers: Vec<ForeignDataWrapper>,
    pub(crate) foreign_servers: Vec<ForeignServer>,
    pub(crate) user_mappings: Vec<UserMapping>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) defaults: Vec<ColumnDefault>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) statistics: Vec<ExtendedStatistics>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) publication_members: Vec<PublicationMember>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) event_triggers: Vec<EventTrigger>,
    pub(crate) default_privileges: Vec<DefaultPrivileges>,
    pub(crate) large_objects: Vec<LargeObject>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) security_labels: Vec<SecurityLabel>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) sequence_values: Vec<SequenceValue>,
}

/// A comment on an object, or on a part of it (`sub`: a column's number).
#[derive(Debug, Deserialize)]
pub(crate) struct Comment {
    pub(crate) class: Catalog,
    pub(crate) oid: Oid,
    pub(crate) sub: i32,
    pub(crate) text: String,
}

/// A security label on an object, or on a part of it.
#[derive(Debug, Deserialize)]
pub(crate) struct SecurityLabel {
    pub(crate) class: Catalog,
    pub(crate) oid: Oid,
    pub(crate) sub: i32,
    pub(crate) provider: String,
    pub(crate) text: String,
}

/// One row of `pg_depend`.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) class: Catalog,
    pub(crate) oid: Oid,
    pub(crate) sub: i32,
    pub(crate) needs_class: Catalog,
    pub(crate) needs_oid: Oid,
    pub(crate) needs_sub: i32,
    pub(crate) kind: char,
}

impl Dependency {
    pub(crate) fn object(&self) -> ObjectId {
        ObjectId::new(self.class, self.oid)
    }

    pub(crate) fn needs(&self) -> ObjectId {
        ObjectId::new(self.needs_class, self.needs_oid)
    }
}

/// Where a sequence stands.
#[derive(Debug, Deserialize)]
pub(crate) struct SequenceValue {
    pub(crate) oid: Oid,
    /// In decimal digits.
    pub(crate) last_value: String,
    pub(crate) is_called: bool,
}
