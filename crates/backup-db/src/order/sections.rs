//! Before or after the data.

use super::Unorderable;
use super::cycles::{is_generated, stand_in};
use super::graph::{Graph, NodeId};
use super::item::Item;
use crate::model::RelationKind;
use crate::script::Section;

/// Moves behind the data whatever needs something that comes there (a view that groups by a primary key, say).
///
/// What has rows cannot move: then the default, check or view that drags it along is made separately.
pub(crate) fn assign(graph: &mut Graph<'_>) -> Result<(), Unorderable> {
    loop {
        let late = late(graph);
        let anchored: Vec<NodeId> = late
            .iter()
            .copied()
            .filter(|id| is_anchored(graph, *id))
            .collect();
        if anchored.is_empty() {
            for id in late {
                graph.node_mut(id).section = Section::PostData;
            }
            return Ok(());
        }
        if !separate(graph, &late) {
            return Err(Unorderable {
                objects: anchored
                    .iter()
                    .map(|id| graph.node(*id).item.describe())
                    .collect(),
            });
        }
    }
}

/// Steps that are behind the data by nature, and all that need one.
fn late(graph: &Graph<'_>) -> Vec<NodeId> {
    let mut needed_by: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
    for id in graph.ids() {
        for needed in &graph.node(id).needs {
            needed_by[needed.0].push(id);
        }
    }
    let mut pending: Vec<NodeId> = graph
        .ids()
        .filter(|id| graph.node(*id).item.home_section() == Section::PostData)
        .collect();
    let mut late = vec![false; graph.nodes.len()];
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut late[id.0], true) {
            pending.extend(&needed_by[id.0]);
        }
    }
    graph.ids().filter(|id| late[id.0]).collect()
}

fn is_anchored(graph: &Graph<'_>, id: NodeId) -> bool {
    matches!(
        graph.node(id).item,
        Item::Table(_) | Item::PartitionAttach(_) | Item::Sequence(_)
    )
}

fn separate(graph: &mut Graph<'_>, late: &[NodeId]) -> bool {
    let parts: Vec<NodeId> = late
        .iter()
        .copied()
        .filter(|id| graph.node(*id).folded_into.is_some() && !is_generated(graph, *id))
        .collect();
    let views: Vec<NodeId> = late
        .iter()
        .copied()
        .filter(|id| matches!(graph.node(*id).item, Item::View(x) if x.kind == RelationKind::View))
        .filter(|id| !graph.node(*id).needs.iter().any(|needed| matches!(graph.node(*needed).item, Item::DummyView(x) if x.head.oid == graph.node(*id).item.id().oid)))
        .collect();
    let separated = !parts.is_empty() || !views.is_empty();
    parts.into_iter().for_each(|id| graph.unfold(id));
    views.into_iter().for_each(|id| stand_in(graph, id));
    separated
}
