//! Breaks cycles by making one of the objects in two steps.

use std::collections::HashMap;

use super::Unorderable;
use super::graph::{Graph, NodeId};
use super::item::Item;
use crate::model::RelationKind;

/// Breaks every cycle, or names the objects of one that cannot be broken.
pub(crate) fn resolve(graph: &mut Graph<'_>) -> Result<(), Unorderable> {
    loop {
        let components = components(graph);
        if components.is_empty() {
            return Ok(());
        }
        for component in components {
            break_one(graph, &component)?;
        }
    }
}

/// The gentlest way first: a default or a check of its own, then a view with a stand-in.
fn break_one(graph: &mut Graph<'_>, component: &[NodeId]) -> Result<(), Unorderable> {
    let separable = |graph: &Graph<'_>, id: NodeId, wanted: fn(Item<'_>) -> bool| {
        graph.node(id).folded_into.is_some() && wanted(graph.node(id).item)
    };
    for wanted in [is_default as fn(Item<'_>) -> bool, is_check] {
        let parts: Vec<NodeId> = component
            .iter()
            .copied()
            .filter(|id| separable(graph, *id, wanted) && !is_generated(graph, *id))
            .collect();
        if !parts.is_empty() {
            parts.into_iter().for_each(|id| graph.unfold(id));
            return Ok(());
        }
    }
    let view = component
        .iter()
        .copied()
        .find(|id| matches!(graph.node(*id).item, Item::View(x) if x.kind == RelationKind::View));
    match view {
        Some(view) => {
            stand_in(graph, view);
            Ok(())
        }
        None => Err(Unorderable {
            objects: component
                .iter()
                .map(|id| graph.node(*id).item.describe())
                .collect(),
        }),
    }
}

fn is_default(item: Item<'_>) -> bool {
    matches!(item, Item::Default(_))
}

fn is_check(item: Item<'_>) -> bool {
    matches!(item, Item::Check(_) | Item::DomainConstraint(_))
}

/// A generation expression cannot be added later.
pub(crate) fn is_generated(graph: &Graph<'_>, id: NodeId) -> bool {
    let Item::Default(default) = graph.node(id).item else {
        return false;
    };
    let Some(whole) = graph.node(id).folded_into else {
        return false;
    };
    match graph.node(whole).item {
        Item::Table(relation) => relation
            .columns
            .iter()
            .any(|column| column.number == default.number && !column.generated.is_empty()),
        _ => false,
    }
}

/// Gives a view a stand-in with the same columns; whatever needs the view is content with that.
pub(crate) fn stand_in(graph: &mut Graph<'_>, view: NodeId) {
    let Item::View(relation) = graph.node(view).item else {
        return;
    };
    let dummy = graph.add(Item::DummyView(relation));
    let columns: Vec<NodeId> = graph
        .node(view)
        .needs
        .iter()
        .copied()
        .filter(|id| {
            matches!(
                graph.node(*id).item,
                Item::Schema(_) | Item::Type(_) | Item::Collation(_) | Item::Extension(_)
            )
        })
        .collect();
    for id in graph.ids() {
        if id != dummy && graph.node_mut(id).needs.remove(&view) {
            graph.need(id, dummy);
        }
    }
    for column in columns {
        graph.need(dummy, column);
    }
    graph.need(view, dummy);
}

/// The strongly connected components with more than one node (Tarjan's algorithm, with its own stack: chains can be long).
fn components(graph: &Graph<'_>) -> Vec<Vec<NodeId>> {
    #[derive(Clone, Copy)]
    struct Seen {
        index: usize,
        low: usize,
        on_stack: bool,
    }
    let mut seen: HashMap<NodeId, Seen> = HashMap::new();
    let mut stack: Vec<NodeId> = Vec::new();
    let mut found = Vec::new();
    for root in graph.ids() {
        if seen.contains_key(&root) {
            continue;
        }
        let mut calls: Vec<(NodeId, Vec<NodeId>)> = Vec::new();
        let enter = |node: NodeId,
                     seen: &mut HashMap<NodeId, Seen>,
                     stack: &mut Vec<NodeId>,
                     calls: &mut Vec<(NodeId, Vec<NodeId>)>| {
            let index = seen.len();
            seen.insert(
                node,
                Seen {
                    index,
                    low: index,
                    on_stack: true,
                },
            );
            stack.push(node);
            calls.push((node, graph.node(node).needs.iter().copied().collect()));
        };
        enter(root, &mut seen, &mut stack, &mut calls);
        while let Some((node, remaining)) = calls.last_mut() {
            let node = *node;
            if let Some(next) = remaining.pop() {
                match seen.get(&next).copied() {
                    None => enter(next, &mut seen, &mut stack, &mut calls),
                    Some(other) if other.on_stack => {
                        let state = seen.get_mut(&node).expect("entered");
                        state.low = state.low.min(other.index);
                    }
                    Some(_) => {}
                }
                continue;
            }
            calls.pop();
            let state = seen[&node];
            if let Some((caller, _)) = calls.last() {
                let caller = seen.get_mut(caller).expect("entered");
                caller.low = caller.low.min(state.low);
            }
            if state.low == state.index {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    seen.get_mut(&member).expect("entered").on_stack = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                if component.len() > 1 {
                    component.sort();
                    found.push(component);
                }
            }
        }
    }
    found
}
