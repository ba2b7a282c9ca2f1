//! What each step needs.

use std::collections::HashMap;

use super::graph::{Graph, NodeId};
use super::item::Item;
use crate::model::*;

/// Adds the edges of `pg_depend` and the ones that it does not record.
pub(crate) fn connect(graph: &mut Graph<'_>, model: &Model) {
    recorded(graph, model);
    shell_types(graph);
    let mut connector = Connector {
        by_schema: schemas(graph),
        graph,
        model,
    };
    connector.heads();
    connector.attaches();
    connector.folds();
    connector.table_parts();
    connector.refreshes();
    connector.foreign_keys();
}

fn recorded(graph: &mut Graph<'_>, model: &Model) {
    for dependency in &model.dependencies {
        if !matches!(dependency.kind, 'n' | 'a' | 'i' | 'x')
            || graph.member_of.contains_key(&dependency.object())
        {
            continue;
        }
        let (Some(from), Some(to)) = (
            graph.resolve(dependency.object()),
            graph.resolve(dependency.needs()),
        ) else {
            continue;
        };
        if dependency.kind == 'x' {
            graph.node_mut(from).depends_on_extensions.insert(to);
        }
        // A partition is made alone; attaching it is a step of its own.
        let attaches = matches!((graph.node(from).item, graph.node(to).item),
            (Item::Table(child), Item::Table(_)) if child.partition && dependency.kind == 'a' && dependency.sub == 0 && dependency.needs_sub == 0);
        if !attaches {
            graph.need(from, to);
        }
    }
}

/// A type and its input and output functions name each other: the functions are made with a shell of the type.
fn shell_types(graph: &mut Graph<'_>) {
    let types: Vec<NodeId> = graph
        .ids()
        .filter(|id| matches!(graph.node(*id).item, Item::Type(x) if x.defined))
        .collect();
    for type_node in types {
        let functions: Vec<NodeId> = graph
            .node(type_node)
            .needs
            .iter()
            .copied()
            .filter(|id| {
                matches!(graph.node(*id).item, Item::Function(_))
                    && graph.node(*id).needs.contains(&type_node)
            })
            .collect();
        let Item::Type(definition) = graph.node(type_node).item else {
            continue;
        };
        if functions.is_empty() || !matches!(definition.kind, TypeKind::Base | TypeKind::Range) {
            continue;
        }
        let shell = graph.add(Item::ShellType(definition));
        graph.need(type_node, shell);
        for function in functions {
            graph.node_mut(function).needs.remove(&type_node);
            graph.need(function, shell);
        }
    }
}

fn schemas(graph: &Graph<'_>) -> HashMap<String, NodeId> {
    graph
        .ids()
        .filter_map(|id| match graph.node(id).item {
            Item::Schema(schema) => Some((schema.head.name.clone(), id)),
            _ => None,
        })
        .collect()
}

struct Connector<'g, 'a, 'm> {
    graph: &'g mut Graph<'a>,
    model: &'m Model,
    by_schema: HashMap<String, NodeId>,
}

impl Connector<'_, '_, '_> {
    /// Every object needs its schema; every step about an object needs the object.
    fn heads(&mut self) {
        for id in self.graph.ids() {
            let item = self.graph.node(id).item;
            if let Some(schema) = item
                .head()
                .and_then(|head| head.schema.as_deref())
                .and_then(|name| self.by_schema.get(name))
            {
                self.graph.need(id, *schema);
            }
            if !item.is_main()
                && !matches!(item, Item::ShellType(_))
                && let Some(main) = self.graph.resolve(item.id())
            {
                self.graph.need(id, main);
            }
            if let Item::Extension(extension) = item
                && let Some(schema) = self.by_schema.get(&extension.target_schema)
            {
                self.graph.need(id, *schema);
            }
        }
    }

    /// Partitions and their indexes are attached when both sides are there.
    fn attaches(&mut self) {
        for id in self.graph.ids() {
            match self.graph.node(id).item {
                Item::PartitionAttach(child) => {
                    for parent in &child.parents {
                        if let Some(parent) = self.graph.relation(*parent) {
                            self.graph.need(id, parent);
                        }
                    }
                }
                Item::KeyConstraint(constraint, child) if constraint.kind == 'x' => {
                    if let Some(parent) = self
                        .graph
                        .resolve(ObjectId::new(Catalog::Relation, child.parent))
                    {
                        self.graph.need(id, parent);
                    }
                }
                Item::IndexAttach(child) => {
                    if let Some(parent) = self
                        .graph
                        .resolve(ObjectId::new(Catalog::Relation, child.parent))
                    {
                        self.graph.need(id, parent);
                    }
                }
                _ => {}
            }
        }
    }

    /// Defaults and checks are written inside their table's or domain's `CREATE` where that is possible.
    fn folds(&mut self) {
        for id in self.graph.ids() {
            match self.graph.node(id).item {
                Item::Default(default) => {
                    let Some(table) = self.graph.relation(default.relation) else {
                        continue;
                    };
                    self.graph.need(id, table);
                    if let Item::Table(relation) = self.graph.node(table).item
                        && relation.prints_column(default.number)
                    {
                        self.graph.fold(id, table);
                    }
                }
                Item::DropDefault(relation, _) => {
                    if let Some(table) = self.graph.relation(relation.head.oid) {
                        self.graph.need(id, table);
                    }
                }
                Item::Check(check) => {
                    let Some(table) = self.graph.relation(check.relation) else {
                        continue;
                    };
                    self.graph.need(id, table);
                    if check.valid {
                        self.graph.fold(id, table);
                    }
                }
                Item::DomainConstraint(check) => {
                    let Some(domain) = self
                        .graph
                        .by_id
                        .get(&ObjectId::new(Catalog::Type, check.domain))
                        .copied()
                    else {
                        continue;
                    };
                    self.graph.need(id, domain);
                    if check.valid {
                        self.graph.fold(id, domain);
                    }
                }
                _ => {}
            }
        }
    }

    fn table_parts(&mut self) {
        for id in self.graph.ids() {
            let relation = match self.graph.node(id).item {
                Item::Index(x) => x.table,
                Item::KeyConstraint(x, _) | Item::ForeignKey(x) => x.relation,
                Item::Rule(x) => x.relation,
                Item::Trigger(x) => x.relation,
                Item::Policy(x) => x.relation,
                Item::Statistics(x) => x.relation,
                Item::NotNull(x) => x.relation,
                _ => continue,
            };
            if let Some(table) = self
                .graph
                .resolve(ObjectId::new(Catalog::Relation, relation))
            {
                self.graph.need(id, table);
            }
        }
    }

    /// A materialized view is filled after the ones that it reads, directly or through views.
    fn refreshes(&mut self) {
        let refreshes: HashMap<NodeId, NodeId> = self
            .graph
            .ids()
            .filter(|id| matches!(self.graph.node(*id).item, Item::Refresh(_)))
            .filter_map(|id| Some((self.graph.resolve(self.graph.node(id).item.id())?, id)))
            .collect();
        for (view, refresh) in &refreshes {
            let mut seen = vec![*view];
            let mut pending = vec![*view];
            while let Some(next) = pending.pop() {
                for needed in self.graph.node(next).needs.clone() {
                    if let Some(other) = refreshes.get(&needed) {
                        self.graph.need(*refresh, *other);
                    } else if matches!(self.graph.node(needed).item, Item::View(_))
                        && !seen.contains(&needed)
                    {
                        seen.push(needed);
                        pending.push(needed);
                    }
                }
            }
        }
    }

    /// A key of a partitioned table serves a foreign key only when every partition's index is attached to it.
    fn foreign_keys(&mut self) {
        let attaches: Vec<(Oid, NodeId)> = self
            .graph
            .ids()
            .filter_map(|id| match self.graph.node(id).item {
                Item::IndexAttach(index) => Some((index.parent, id)),
                _ => None,
            })
            .collect();
        let child_of: HashMap<NodeId, Oid> = attaches
            .iter()
            .map(|(_, id)| (*id, self.graph.node(*id).item.id().oid))
            .collect();
        let keys: Vec<(NodeId, Oid)> = self
            .model
            .constraints
            .iter()
            .filter(|x| x.kind == 'f')
            .filter_map(|x| {
                let node = self
                    .graph
                    .by_id
                    .get(&ObjectId::new(Catalog::Constraint, x.oid))?;
                Some((*node, x.index))
            })
            .collect();
        for (key, index) in keys {
            let mut pending = vec![index];
            while let Some(parent) = pending.pop() {
                for (_, attach) in attaches.iter().filter(|(of, _)| *of == parent) {
                    self.graph.need(key, *attach);
                    pending.push(child_of[attach]);
                }
            }
        }
    }
}
