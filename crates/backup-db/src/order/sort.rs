//! The order itself: what is needed first, otherwise by kind, schema and name, so that equal databases give equal scripts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Unorderable;
use super::graph::{Graph, NodeId};
use super::item::Item;
use crate::script::Section;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    section: Section,
    rank: u8,
    schema: String,
    name: String,
    detail: String,
    id: NodeId,
}

/// All nodes, each after what it needs.
pub(crate) fn sort(graph: &Graph<'_>) -> Result<Vec<NodeId>, Unorderable> {
    let mut missing: Vec<usize> = graph.nodes.iter().map(|node| node.needs.len()).collect();
    let mut needed_by: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
    for id in graph.ids() {
        for needed in &graph.node(id).needs {
            needed_by[needed.0].push(id);
        }
    }
    let mut ready: BinaryHeap<Reverse<Key>> = graph
        .ids()
        .filter(|id| missing[id.0] == 0)
        .map(|id| Reverse(key(graph, id)))
        .collect();
    let mut order = Vec::with_capacity(graph.nodes.len());
    while let Some(Reverse(key)) = ready.pop() {
        order.push(key.id);
        for waiting in &needed_by[key.id.0] {
            missing[waiting.0] -= 1;
            if missing[waiting.0] == 0 {
                ready.push(Reverse(self::key(graph, *waiting)));
            }
        }
    }
    if order.len() < graph.nodes.len() {
        let objects = graph
            .ids()
            .filter(|id| missing[id.0] > 0)
            .map(|id| graph.node(id).item.describe())
            .collect();
        return Err(Unorderable { objects });
    }
    Ok(order)
}

fn key(graph: &Graph<'_>, id: NodeId) -> Key {
    let node = graph.node(id);
    let relation_name = |oid| {
        graph
            .relation(oid)
            .and_then(|node| graph.node(node).item.head())
            .map(|head| (head.schema.clone().unwrap_or_default(), head.name.clone()))
    };
    let (schema, name, detail) = match node.item {
        Item::Default(x) => with_table(relation_name(x.relation), format!("{:05}", x.number)),
        Item::DropDefault(x, column) => {
            with_table(relation_name(x.head.oid), format!("{:05}", column.number))
        }
        Item::Check(x) | Item::KeyConstraint(x, _) | Item::ForeignKey(x) => {
            with_table(relation_name(x.relation), x.name.clone())
        }
        Item::NotNull(x) => with_table(relation_name(x.relation), x.name.clone()),
        Item::Rule(x) => with_table(relation_name(x.relation), x.name.clone()),
        Item::Trigger(x) => with_table(relation_name(x.relation), x.name.clone()),
        Item::Policy(x) => with_table(relation_name(x.relation), x.name.clone()),
        Item::SequenceValue(x) => with_table(relation_name(x.oid), String::new()),
        Item::PublicationMember(x) => {
            let member = x
                .member_schema
                .clone()
                .map(|schema| (schema, String::new()))
                .or_else(|| relation_name(x.relation));
            let publication = graph.resolve(crate::model::ObjectId::new(
                crate::model::Catalog::Publication,
                x.publication,
            ));
            with_table(
                member,
                publication
                    .and_then(|id| graph.node(id).item.head())
                    .map(|head| head.name.clone())
                    .unwrap_or_default(),
            )
        }
        Item::FamilyMember(x) => (String::new(), x.family_name.clone(), x.member.clone()),
        Item::Cast(x) => (String::new(), x.name.clone(), String::new()),
        Item::Transform(x) => (String::new(), x.name.clone(), String::new()),
        Item::AccessMethod(x) => (String::new(), x.name.clone(), String::new()),
        Item::DomainConstraint(x) => (String::new(), x.name.clone(), String::new()),
        Item::UserMapping(x) => (String::new(), x.server.clone(), x.name.clone()),
        Item::DefaultPrivileges(x) => (
            x.in_schema.clone().unwrap_or_default(),
            x.owner.clone(),
            x.kind.to_string(),
        ),
        item => {
            let head = item.head();
            let detail = match item {
                Item::Function(x) => x.arguments.clone(),
                Item::Operator(x) => format!("{:?} {:?}", x.left_type, x.right_type),
                Item::OperatorClass(x) => x.method.clone(),
                Item::OperatorFamily(x) => x.method.clone(),
                Item::LargeObject(x) => format!("{:010}", x.head.oid.0),
                _ => String::new(),
            };
            (
                head.and_then(|head| head.schema.clone())
                    .unwrap_or_default(),
                head.map(|head| head.name.clone()).unwrap_or_default(),
                detail,
            )
        }
    };
    Key {
        section: node.section,
        rank: node.item.rank(),
        schema,
        name,
        detail,
        id,
    }
}

fn with_table(table: Option<(String, String)>, name: String) -> (String, String, String) {
    let (schema, table) = table.unwrap_or_default();
    (schema, table, name)
}
