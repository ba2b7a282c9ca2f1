//! Steps and what each of them needs.

use std::collections::{BTreeSet, HashMap};

use super::item::Item;
use crate::model::{ObjectId, Oid};
use crate::script::Section;

/// Index of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) usize);

/// One step.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) item: Item<'a>,
    /// Steps that come first.
    pub(crate) needs: BTreeSet<NodeId>,
    /// The table or domain whose `CREATE` contains it.
    pub(crate) folded_into: Option<NodeId>,
    /// The object exists in the target anyway (of the system, or of an extension): only its privileges and policies are set.
    pub(crate) privileges_only: bool,
    pub(crate) section: Section,
    /// Extensions that it was declared to depend on.
    pub(crate) depends_on_extensions: BTreeSet<NodeId>,
}

/// All steps.
#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// The main step of each object.
    pub(crate) by_id: HashMap<ObjectId, NodeId>,
    /// Objects that come with another one.
    pub(crate) part_of: HashMap<ObjectId, ObjectId>,
    /// The extension that each member belongs to.
    pub(crate) member_of: HashMap<ObjectId, Oid>,
    /// Objects that are left out on purpose: inherited constraints, copies of triggers, invalid indexes.
    pub(crate) implied: BTreeSet<ObjectId>,
}

impl<'a> Graph<'a> {
    pub(crate) fn add(&mut self, item: Item<'a>) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node {
            item,
            needs: BTreeSet::new(),
            folded_into: None,
            privileges_only: false,
            section: item.home_section(),
            depends_on_extensions: BTreeSet::new(),
        });
        if item.is_main() {
            self.by_id.insert(item.id(), id);
        }
        id
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.0]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node<'a> {
        &mut self.nodes[id.0]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// `node` comes after `needed`.
    pub(crate) fn need(&mut self, node: NodeId, needed: NodeId) {
        if node != needed {
            self.nodes[node.0].needs.insert(needed);
        }
    }

    /// Makes `part` a piece of the `CREATE` of `whole`: what it needs comes before the whole.
    pub(crate) fn fold(&mut self, part: NodeId, whole: NodeId) {
        self.nodes[part.0].needs.remove(&whole);
        self.nodes[part.0].folded_into = Some(whole);
        self.need(whole, part);
    }

    /// Takes a piece out again: it becomes a step after the whole.
    pub(crate) fn unfold(&mut self, part: NodeId) {
        if let Some(whole) = self.nodes[part.0].folded_into.take() {
            self.nodes[whole.0].needs.remove(&part);
            self.need(part, whole);
        }
    }

    /// The step that makes an object, or the whole that it is a part of, or its extension.
    pub(crate) fn resolve(&self, id: ObjectId) -> Option<NodeId> {
        const DEEPEST: usize = 8;
        let mut id = id;
        for _ in 0..DEEPEST {
            if let Some(extension) = self.member_of.get(&id) {
                return self
                    .by_id
                    .get(&ObjectId::new(crate::model::Catalog::Extension, *extension))
                    .copied();
            }
            if let Some(node) = self.by_id.get(&id) {
                return Some(*node);
            }
            id = *self.part_of.get(&id)?;
        }
        None
    }

    /// The relation that an oid of `pg_class` names, if a step makes it.
    pub(crate) fn relation(&self, oid: Oid) -> Option<NodeId> {
        self.by_id
            .get(&ObjectId::new(crate::model::Catalog::Relation, oid))
            .copied()
            .filter(|id| !self.node(*id).privileges_only)
    }
}
