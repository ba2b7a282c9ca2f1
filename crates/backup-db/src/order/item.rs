//! What is made in one step.

use crate::model::*;
use crate::script::{ObjectKind, Section};

/// One step of making a database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    Schema(&'a Schema),
    Extension(&'a Extension),
    Language(&'a Language),
    /// A type's name, for the functions that its definition needs.
    ShellType(&'a Type),
    Type(&'a Type),
    DomainConstraint(&'a Constraint),
    Function(&'a Function),
    Cast(&'a Cast),
    Transform(&'a Transform),
    AccessMethod(&'a AccessMethod),
    Operator(&'a Operator),
    OperatorFamily(&'a OperatorFamily),
    OperatorClass(&'a OperatorClass),
    /// An operator or function that was added to a family of the system or of an extension.
    FamilyMember(&'a FamilyMember),
    Collation(&'a Collation),
    Conversion(&'a Conversion),
    TextSearch(&'a TextSearch),
    ForeignDataWrapper(&'a ForeignDataWrapper),
    ForeignServer(&'a ForeignServer),
    UserMapping(&'a UserMapping),
    Table(&'a Relation),
    /// A view with the right columns and no query yet.
    DummyView(&'a Relation),
    View(&'a Relation),
    Sequence(&'a Relation),
    /// `ATTACH PARTITION`.
    PartitionAttach(&'a Relation),
    Default(&'a ColumnDefault),
    /// A child's column without the default that its parent has.
    DropDefault(&'a Relation, &'a Column),
    Check(&'a Constraint),
    NotNull(&'a NotNull),
    LargeObject(&'a LargeObject),
    SequenceValue(&'a SequenceValue),
    /// A primary key, unique or exclusion constraint, with its index.
    KeyConstraint(&'a Constraint, &'a Index),
    Index(&'a Index),
    IndexAttach(&'a Index),
    Statistics(&'a ExtendedStatistics),
    Rule(&'a Rule),
    Trigger(&'a Trigger),
    ForeignKey(&'a Constraint),
    /// `ENABLE ROW LEVEL SECURITY`.
    RowSecurity(&'a Relation),
    Policy(&'a Policy),
    Publication(&'a Publication),
    PublicationMember(&'a PublicationMember),
    Subscription(&'a Subscription),
    DefaultPrivileges(&'a DefaultPrivileges),
    Database(&'a Database),
    EventTrigger(&'a EventTrigger),
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh(&'a Relation),
}

impl<'a> Item<'a> {
    /// The object that it makes, or is a part of.
    pub(crate) fn id(self) -> ObjectId {
        use Catalog as C;
        let (class, oid) = match self {
            Item::Schema(x) => (C::Schema, x.head.oid),
            Item::Extension(x) => (C::Extension, x.head.oid),
            Item::Language(x) => (C::Language, x.head.oid),
            Item::ShellType(x) | Item::Type(x) => (C::Type, x.head.oid),
            Item::DomainConstraint(x)
            | Item::Check(x)
            | Item::KeyConstraint(x, _)
            | Item::ForeignKey(x) => (C::Constraint, x.oid),
            Item::NotNull(x) => (C::Constraint, x.oid),
            Item::Function(x) => (C::Function, x.head.oid),
            Item::Cast(x) => (C::Cast, x.oid),
            Item::Transform(x) => (C::Transform, x.oid),
            Item::AccessMethod(x) => (C::AccessMethod, x.oid),
            Item::Operator(x) => (C::Operator, x.head.oid),
            Item::OperatorFamily(x) => (C::OperatorFamily, x.head.oid),
            Item::OperatorClass(x) => (C::OperatorClass, x.head.oid),
            Item::FamilyMember(x) => (x.catalogue, x.oid),
            Item::Collation(x) => (C::Collation, x.head.oid),
            Item::Conversion(x) => (C::Conversion, x.head.oid),
            Item::TextSearch(x) => (text_search_class(x.kind), x.head.oid),
            Item::ForeignDataWrapper(x) => (C::ForeignDataWrapper, x.head.oid),
            Item::ForeignServer(x) => (C::ForeignServer, x.head.oid),
            Item::UserMapping(x) => (C::UserMapping, x.oid),
            Item::Table(x)
            | Item::DummyView(x)
            | Item::View(x)
            | Item::Sequence(x)
            | Item::PartitionAttach(x)
            | Item::DropDefault(x, _)
            | Item::RowSecurity(x)
            | Item::Refresh(x) => (C::Relation, x.head.oid),
            Item::Default(x) => (C::Default, x.oid),
            Item::LargeObject(x) => (C::LargeObject, x.head.oid),
            Item::SequenceValue(x) => (C::Relation, x.oid),
            Item::Index(x) | Item::IndexAttach(x) => (C::Relation, x.head.oid),
            Item::Statistics(x) => (C::Statistics, x.head.oid),
            Item::Rule(x) => (C::Rule, x.oid),
            Item::Trigger(x) => (C::Trigger, x.oid),
            Item::Policy(x) => (C::Policy, x.oid),
            Item::Publication(x) => (C::Publication, x.head.oid),
            Item::PublicationMember(x) if x.member_schema.is_some() => {
                (C::PublicationSchema, x.oid)
            }
            Item::PublicationMember(x) => (C::PublicationRelation, x.oid),
            Item::Subscription(x) => (C::Subscription, x.head.oid),
            Item::DefaultPrivileges(x) => (C::DefaultAcl, x.oid),
            Item::Database(x) => (C::Database, x.head.oid),
            Item::EventTrigger(x) => (C::EventTrigger, x.head.oid),
        };
        ObjectId::new(class, oid)
    }

    /// Is this the step that other objects wait for when they need the object?
    pub(crate) fn is_main(self) -> bool {
        !matches!(
            self,
            Item::ShellType(_)
                | Item::DummyView(_)
                | Item::PartitionAttach(_)
                | Item::DropDefault(..)
                | Item::SequenceValue(_)
                | Item::IndexAttach(_)
                | Item::RowSecurity(_)
                | Item::Refresh(_)
        )
    }

    /// Name, schema, owner and privileges, for the objects that have them.
    pub(crate) fn head(self) -> Option<&'a Head> {
        Some(match self {
            Item::Schema(x) => &x.head,
            Item::Extension(x) => &x.head,
            Item::Language(x) => &x.head,
            Item::ShellType(x) | Item::Type(x) => &x.head,
            Item::Function(x) => &x.head,
            Item::Operator(x) => &x.head,
            Item::OperatorFamily(x) => &x.head,
            Item::OperatorClass(x) => &x.head,
            Item::Collation(x) => &x.head,
            Item::Conversion(x) => &x.head,
            Item::TextSearch(x) => &x.head,
            Item::ForeignDataWrapper(x) => &x.head,
            Item::ForeignServer(x) => &x.head,
            Item::Table(x)
            | Item::DummyView(x)
            | Item::View(x)
            | Item::Sequence(x)
            | Item::PartitionAttach(x)
            | Item::DropDefault(x, _)
            | Item::RowSecurity(x)
            | Item::Refresh(x) => &x.head,
            Item::LargeObject(x) => &x.head,
            Item::KeyConstraint(_, x) | Item::Index(x) | Item::IndexAttach(x) => &x.head,
            Item::Statistics(x) => &x.head,
            Item::Publication(x) => &x.head,
            Item::Subscription(x) => &x.head,
            Item::Database(x) => &x.head,
            Item::EventTrigger(x) => &x.head,
            _ => return None,
        })
    }

    /// What it is called in the script's records.
    pub(crate) fn kind(self) -> ObjectKind {
        match self {
            Item::Schema(_) => ObjectKind::Schema,
            Item::Extension(_) => ObjectKind::Extension,
            Item::Language(_) => ObjectKind::Language,
            Item::ShellType(_) => ObjectKind::ShellType,
            Item::Type(x) if x.kind == TypeKind::Domain => ObjectKind::Domain,
            Item::Type(_) => ObjectKind::Type,
            Item::DomainConstraint(_) => ObjectKind::DomainConstraint,
            Item::Function(x) => match x.kind {
                'p' => ObjectKind::Procedure,
                'a' => ObjectKind::Aggregate,
                _ => ObjectKind::Function,
            },
            Item::Cast(_) => ObjectKind::Cast,
            Item::Transform(_) => ObjectKind::Transform,
            Item::AccessMethod(_) => ObjectKind::AccessMethod,
            Item::Operator(_) => ObjectKind::Operator,
            Item::OperatorFamily(_) | Item::FamilyMember(_) => ObjectKind::OperatorFamily,
            Item::OperatorClass(_) => ObjectKind::OperatorClass,
            Item::Collation(_) => ObjectKind::Collation,
            Item::Conversion(_) => ObjectKind::Conversion,
            Item::TextSearch(x) => match x.kind {
                TextSearchKind::Parser => ObjectKind::TextSearchParser,
                TextSearchKind::Template => ObjectKind::TextSearchTemplate,
                TextSearchKind::Dictionary => ObjectKind::TextSearchDictionary,
                TextSearchKind::Configuration => ObjectKind::TextSearchConfiguration,
            },
            Item::ForeignDataWrapper(_) => ObjectKind::ForeignDataWrapper,
            Item::ForeignServer(_) => ObjectKind::ForeignServer,
            Item::UserMapping(_) => ObjectKind::UserMapping,
            Item::Table(x) if x.kind == RelationKind::ForeignTable => ObjectKind::ForeignTable,
            Item::Table(_) => ObjectKind::Table,
            Item::DummyView(_) => ObjectKind::DummyView,
            Item::View(x) if x.kind == RelationKind::MaterializedView => {
                ObjectKind::MaterializedView
            }
            Item::View(_) => ObjectKind::View,
            Item::Sequence(_) => ObjectKind::Sequence,
            Item::PartitionAttach(_) => ObjectKind::PartitionAttach,
            Item::Default(_) | Item::DropDefault(..) => ObjectKind::Default,
            Item::Check(_) => ObjectKind::CheckConstraint,
            Item::NotNull(_) => ObjectKind::NotNullConstraint,
            Item::LargeObject(_) => ObjectKind::LargeObject,
            Item::SequenceValue(_) => ObjectKind::SequenceValue,
            Item::KeyConstraint(..) => ObjectKind::KeyConstraint,
            Item::Index(_) => ObjectKind::Index,
            Item::IndexAttach(_) => ObjectKind::IndexAttach,
            Item::Statistics(_) => ObjectKind::Statistics,
            Item::Rule(_) => ObjectKind::Rule,
            Item::Trigger(_) => ObjectKind::Trigger,
            Item::ForeignKey(_) => ObjectKind::ForeignKey,
            Item::RowSecurity(_) => ObjectKind::RowSecurity,
            Item::Policy(_) => ObjectKind::Policy,
            Item::Publication(_) => ObjectKind::Publication,
            Item::PublicationMember(_) => ObjectKind::PublicationMember,
            Item::Subscription(_) => ObjectKind::Subscription,
            Item::DefaultPrivileges(_) => ObjectKind::DefaultPrivileges,
            Item::Database(_) => ObjectKind::Database,
            Item::EventTrigger(_) => ObjectKind::EventTrigger,
            Item::Refresh(_) => ObjectKind::Refresh,
        }
    }

    /// Where it goes unless something that it needs comes later.
    pub(crate) fn home_section(self) -> Section {
        match self {
            // Data that violates a constraint that was never validated has to be loaded first.
            Item::Check(x) | Item::DomainConstraint(x) if !x.valid => Section::PostData,
            Item::NotNull(_) => Section::PostData,
            _ if self.rank() >= RANK_POST_DATA => Section::PostData,
            _ => Section::PreData,
        }
    }

    /// Order among steps of which none needs another.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Item::Schema(_) => 1,
            Item::Language(_) => 2,
            Item::Collation(_) => 3,
            Item::Transform(_) => 4,
            Item::Extension(_) => 5,
            Item::ShellType(_) => 6,
            Item::Type(_) => 7,
            Item::DomainConstraint(_) => 8,
            Item::Cast(_) => 9,
            Item::Function(x) if x.kind == 'a' => 11,
            Item::Function(_) => 10,
            Item::AccessMethod(_) => 12,
            Item::Operator(_) => 13,
            Item::OperatorFamily(_) => 14,
            Item::OperatorClass(_) | Item::FamilyMember(_) => 15,
            Item::Conversion(_) => 16,
            Item::TextSearch(x) => match x.kind {
                TextSearchKind::Parser => 17,
                TextSearchKind::Template => 18,
                TextSearchKind::Dictionary => 19,
                TextSearchKind::Configuration => 20,
            },
            Item::ForeignDataWrapper(_) => 21,
            Item::ForeignServer(_) => 22,
            Item::UserMapping(_) => 23,
            Item::Table(_) | Item::View(_) | Item::DummyView(_) | Item::Sequence(_) => 24,
            Item::PartitionAttach(_) => 25,
            Item::Default(_) => 26,
            Item::DropDefault(..) => 27,
            Item::Check(_) => 28,
            Item::LargeObject(_) => 29,
            Item::SequenceValue(_) => RANK_POST_DATA,
            Item::NotNull(_) => 31,
            Item::KeyConstraint(..) => 32,
            Item::Index(_) => 33,
            Item::IndexAttach(_) => 34,
            Item::Statistics(_) => 35,
            Item::Rule(_) => 36,
            Item::Trigger(_) => 37,
            Item::ForeignKey(_) => 38,
            Item::RowSecurity(_) => 39,
            Item::Policy(_) => 40,
            Item::Publication(_) => 41,
            Item::PublicationMember(_) => 42,
            Item::Subscription(_) => 43,
            Item::DefaultPrivileges(_) => RANK_AFTER_PRIVILEGES - 1,
            Item::Database(_) => RANK_AFTER_PRIVILEGES,
            Item::Refresh(_) => RANK_AFTER_PRIVILEGES + 1,
            Item::EventTrigger(_) => RANK_AFTER_PRIVILEGES + 2,
        }
    }

    /// Steps that come after every privilege is set: what they run must be allowed as it was, and must not disturb the restore.
    pub(crate) fn is_last(self) -> bool {
        self.rank() >= RANK_AFTER_PRIVILEGES - 1
    }

    /// For messages.
    pub(crate) fn describe(self) -> String {
        let kind = self.kind().label();
        match (self.head(), self) {
            (Some(head), _) => match &head.schema {
                Some(schema) => format!("{kind} {schema}.{}", head.name),
                None => format!("{kind} {}", head.name),
            },
            (None, Item::Check(x) | Item::ForeignKey(x) | Item::DomainConstraint(x)) => {
                format!("{kind} {}", x.name)
            }
            (None, Item::Rule(x)) => format!("{kind} {}", x.name),
            (None, Item::Trigger(x)) => format!("{kind} {}", x.name),
            (None, Item::Policy(x)) => format!("{kind} {}", x.name),
            (None, Item::Cast(x)) => format!("{kind} {}", x.name),
            (None, other) => format!("{kind} {}", other.id().oid),
        }
    }
}

const RANK_POST_DATA: u8 = 30;
const RANK_AFTER_PRIVILEGES: u8 = 51;

fn text_search_class(kind: TextSearchKind) -> Catalog {
    match kind {
        TextSearchKind::Parser => Catalog::TextSearchParser,
        TextSearchKind::Template => Catalog::TextSearchTemplate,
        TextSearchKind::Dictionary => Catalog::TextSearchDictionary,
        TextSearchKind::Configuration => Catalog::TextSearchConfiguration,
    }
}
