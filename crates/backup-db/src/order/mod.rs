//! Puts the objects of a [`Model`](crate::model::Model) into an order in which they can be made.
//!
//! The graph starts from `pg_depend`; what the catalogue does not record (a partition is made alone and attached later, a table's defaults
//! are part of its `CREATE`) is added here. Cycles are broken by making one object in two steps.

mod cycles;
mod edges;
mod graph;
mod item;
mod nodes;
mod sections;
mod sort;

pub(crate) use graph::{Graph, NodeId};
pub(crate) use item::Item;

use crate::model::Model;

/// Objects that need one another in a way that no order satisfies.
#[derive(Debug, thiserror::Error)]
#[error("no order of creation satisfies: {}", objects.join("; "))]
pub(crate) struct Unorderable {
    /// The objects of the cycle, described.
    pub(crate) objects: Vec<String>,
}

/// Builds the graph, breaks its cycles, and gives the nodes in the order in which they are made.
///
/// Nodes that are part of another one's `CREATE` ([`Node::folded_into`]) come before it.
pub(crate) fn order(model: &Model) -> Result<(Graph<'_>, Vec<NodeId>), Unorderable> {
    let mut graph = nodes::build(model);
    edges::connect(&mut graph, model);
    cycles::resolve(&mut graph)?;
    sections::assign(&mut graph)?;
    let order = sort::sort(&graph)?;
    Ok((graph, order))
}
