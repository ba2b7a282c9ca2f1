//! Backups that build on others.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use crate::id::BackupId;
use crate::kind::Status;

/// Who builds on whom.
pub(crate) struct Chains<'a> {
    by_id: HashMap<&'a BackupId, &'a Candidate>,
}

impl<'a> Chains<'a> {
    pub(crate) fn new(candidates: &'a [Candidate]) -> Self {
        Self {
            by_id: candidates.iter().map(|one| (&one.id, one)).collect(),
        }
    }

    /// The backups that `candidate` builds on, nearest first; ends early where one is missing.
    pub(crate) fn bases(&self, candidate: &'a Candidate) -> impl Iterator<Item = &'a Candidate> {
        let base_of = |one: &'a Candidate| self.by_id.get(one.base.as_ref()?).copied();
        // No chain is longer than there are backups, unless damaged records close a ring.
        std::iter::successors(base_of(candidate), move |one| base_of(one)).take(self.by_id.len())
    }

    /// Whether `candidate` and everything that it builds on are there and complete.
    pub(crate) fn is_good(&self, candidate: &'a Candidate) -> bool {
        let mut last = candidate;
        candidate.status == Status::Complete
            && self.bases(candidate).all(|base| {
                last = base;
                base.status == Status::Complete
            })
            && last.base.is_none()
    }

    /// The backup nearest in the chain of `candidate` that is not there.
    pub(super) fn missing_base(&self, candidate: &'a Candidate) -> Option<&'a BackupId> {
        let last = self.bases(candidate).last().unwrap_or(candidate);
        last.base.as_ref().filter(|id| !self.by_id.contains_key(id))
    }
}

/// The backups that cannot be restored without `id`: those that build on it, directly or not. In the order of `candidates`.
pub fn dependents<'a>(candidates: &'a [Candidate], id: &BackupId) -> Vec<&'a BackupId> {
    let chains = Chains::new(candidates);
    candidates
        .iter()
        .filter(|one| one.id != *id && chains.bases(one).any(|base| base.id == *id))
        .map(|one| &one.id)
        .collect()
}

/// Orders `dropped` so that nothing comes before what builds on it; newest first otherwise.
pub(super) fn deletion_order<'a>(dropped: &[&'a Candidate]) -> Vec<&'a BackupId> {
    let mut waiting: HashMap<&BackupId, usize> = HashMap::new();
    for base in dropped.iter().filter_map(|one| one.base.as_ref()) {
        *waiting.entry(base).or_default() += 1;
    }
    let by_id: HashMap<&BackupId, &'a Candidate> =
        dropped.iter().map(|one| (&one.id, *one)).collect();
    let mut order = Vec::with_capacity(dropped.len());
    let mut done = HashSet::new();
    for start in dropped {
        // A deleted increment may set its base free, that one its own, and so on.
        let mut next = Some(*start);
        while let Some(one) = next {
            if waiting.get(&one.id).is_some_and(|count| *count > 0) || !done.insert(&one.id) {
                break;
            }
            order.push(&one.id);
            next = one.base.as_ref().and_then(|base| {
                *waiting.get_mut(base).expect("counted above") -= 1;
                by_id.get(base).copied()
            });
        }
    }
    // What is left builds on itself in a ring; any order will do.
    order.extend(
        dropped
            .iter()
            .map(|one| &one.id)
            .filter(|id| !done.contains(id)),
    );
    order
}
