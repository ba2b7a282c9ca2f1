//! How `ALTER … OWNER`, `COMMENT ON`, `SECURITY LABEL ON` and `GRANT … ON` name an object.

use super::names::{ident, qualified};
use super::{Context, functions, operators};
use crate::model::{RelationKind, TextSearchKind, TypeKind};
use crate::order::Item;

/// For `COMMENT ON`, `SECURITY LABEL ON`, and mostly for `ALTER`.
pub(super) fn target(item: Item<'_>, context: &Context<'_, '_>) -> Option<String> {
    let on_table = |oid| {
        context
            .relation(oid)
            .map(|relation| qualified(&relation.head))
    };
    Some(match item {
        Item::Schema(x) => format!("SCHEMA {}", ident(&x.head.name)),
        Item::Extension(x) => format!("EXTENSION {}", ident(&x.head.name)),
        Item::Language(x) => format!("LANGUAGE {}", ident(&x.head.name)),
        Item::Type(x) if x.kind == TypeKind::Domain => format!("DOMAIN {}", qualified(&x.head)),
        Item::Type(x) => format!("TYPE {}", qualified(&x.head)),
        Item::Function(x) => {
            let kind = match x.kind {
                'a' => "AGGREGATE",
                'p' => "PROCEDURE",
                _ => "FUNCTION",
            };
            format!("{kind} {}", functions::signature(x))
        }
        Item::Cast(x) => format!("CAST ({})", x.name),
        Item::Transform(x) => format!("TRANSFORM FOR {}", x.name),
        Item::AccessMethod(x) => format!("ACCESS METHOD {}", ident(&x.name)),
        Item::Operator(x) => format!("OPERATOR {}", operators::signature(x)),
        Item::OperatorFamily(x) => format!(
            "OPERATOR FAMILY {} USING {}",
            qualified(&x.head),
            ident(&x.method)
        ),
        Item::OperatorClass(x) => format!(
            "OPERATOR CLASS {} USING {}",
            qualified(&x.head),
            ident(&x.method)
        ),
        Item::Collation(x) => format!("COLLATION {}", qualified(&x.head)),
        Item::Conversion(x) => format!("CONVERSION {}", qualified(&x.head)),
        Item::TextSearch(x) => {
            let kind = match x.kind {
                TextSearchKind::Parser => "PARSER",
                TextSearchKind::Template => "TEMPLATE",
                TextSearchKind::Dictionary => "DICTIONARY",
                TextSearchKind::Configuration => "CONFIGURATION",
            };
            format!("TEXT SEARCH {kind} {}", qualified(&x.head))
        }
        Item::ForeignDataWrapper(x) => format!("FOREIGN DATA WRAPPER {}", ident(&x.head.name)),
        Item::ForeignServer(x) => format!("SERVER {}", ident(&x.head.name)),
        Item::Table(x) | Item::View(x) | Item::Sequence(x) => {
            format!("{} {}", relation_kind(x.kind), qualified(&x.head))
        }
        Item::DomainConstraint(x) => {
            let domain = context.domain(x.domain)?;
            format!(
                "CONSTRAINT {} ON DOMAIN {}",
                ident(&x.name),
                qualified(&domain.head)
            )
        }
        Item::Check(x) | Item::ForeignKey(x) | Item::KeyConstraint(x, _) => {
            format!("CONSTRAINT {} ON {}", ident(&x.name), on_table(x.relation)?)
        }
        Item::NotNull(x) => format!("CONSTRAINT {} ON {}", ident(&x.name), on_table(x.relation)?),
        Item::LargeObject(x) => format!("LARGE OBJECT {}", x.head.oid),
        Item::Index(x) => format!("INDEX {}", qualified(&x.head)),
        Item::Statistics(x) => format!("STATISTICS {}", qualified(&x.head)),
        Item::Rule(x) => format!("RULE {} ON {}", ident(&x.name), on_table(x.relation)?),
        Item::Trigger(x) => format!("TRIGGER {} ON {}", ident(&x.name), on_table(x.relation)?),
        Item::Policy(x) => format!("POLICY {} ON {}", ident(&x.name), on_table(x.relation)?),
        Item::Publication(x) => format!("PUBLICATION {}", ident(&x.head.name)),
        Item::Subscription(x) => format!("SUBSCRIPTION {}", ident(&x.head.name)),
        Item::EventTrigger(x) => format!("EVENT TRIGGER {}", ident(&x.head.name)),
        _ => return None,
    })
}

pub(super) fn relation_kind(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::Sequence => "SEQUENCE",
        RelationKind::ForeignTable => "FOREIGN TABLE",
        RelationKind::CompositeType => "TYPE",
        RelationKind::Table | RelationKind::PartitionedTable => "TABLE",
    }
}

/// For `GRANT … ON`.
pub(super) fn grant_target(item: Item<'_>, context: &Context<'_, '_>) -> Option<String> {
    Some(match item {
        Item::Table(x) | Item::View(x) => format!("TABLE {}", qualified(&x.head)),
        Item::Type(x) => format!("TYPE {}", qualified(&x.head)),
        Item::Function(x) if x.kind == 'a' => {
            format!("FUNCTION {}({})", qualified(&x.head), x.arguments)
        }
        Item::ForeignServer(x) => format!("FOREIGN SERVER {}", ident(&x.head.name)),
        Item::Schema(_)
        | Item::Language(_)
        | Item::Function(_)
        | Item::ForeignDataWrapper(_)
        | Item::Sequence(_)
        | Item::LargeObject(_) => target(item, context)?,
        _ => return None,
    })
}
