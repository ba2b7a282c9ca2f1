//! The guard against silent loss: every object in the database is in the script, or comes with one that is.

use crate::catalogue::UserObject;
use crate::model::ObjectId;
use crate::order::Graph;

/// The objects that neither the script nor an extension nor another object brings.
pub(crate) fn leftovers(objects: &[UserObject], graph: &Graph<'_>) -> Vec<ObjectId> {
    objects
        .iter()
        .map(|object| ObjectId::new(object.class, object.oid))
        .filter(|id| !is_covered(*id, graph))
        .collect()
}

fn is_covered(id: ObjectId, graph: &Graph<'_>) -> bool {
    // A part of a part of a part: a column's array of rows. Longer chains do not exist.
    const DEEPEST: usize = 8;
    let mut id = id;
    for _ in 0..DEEPEST {
        if graph.member_of.contains_key(&id) || graph.implied.contains(&id) {
            return true;
        }
        if let Some(node) = graph.by_id.get(&id) {
            return !graph.node(*node).privileges_only;
        }
        match graph.part_of.get(&id) {
            Some(whole) => id = *whole,
            None => return false,
        }
    }
    false
}
