//! A large entry while several threads decode its parts.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use blake3::hazmat::ChainingValue;

use super::cursor::Part;
use crate::subtree::SegmentHashes;
use crate::{Damage, Entry};

/// What the threads that work on one entry share. `O` is what the receiver keeps of it.
pub(super) struct LargeRun<O> {
    pub(super) entry: Entry,
    state: Mutex<State<O>>,
    begun: Condvar,
}

struct State<O> {
    output: Output<O>,
    hashes: SegmentHashes,
    /// Hashes of parts that came before those in front of them.
    early: BTreeMap<u64, ChainingValue>,
    next_hash: u64,
    parts_done: u64,
    /// Known once the last part was handed out.
    part_count: Option<u64>,
    damage: Option<Damage>,
}

enum Output<O> {
    /// The first part is not decoded yet.
    Awaited,
    Open(Arc<O>),
    /// The entry was found damaged before it began.
    Nothing,
}

/// The last part is done: what the receiver kept, and how it went.
pub(super) type Ended<O> = (Option<O>, Result<(), Damage>);

impl<O> LargeRun<O> {
    pub(super) fn new(entry: Entry) -> Self {
        let state = State {
            output: Output::Awaited,
            hashes: SegmentHashes::default(),
            early: BTreeMap::new(),
            next_hash: 0,
            parts_done: 0,
            part_count: None,
            damage: None,
        };
        Self {
            entry,
            state: Mutex::new(state),
            begun: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever has the first part must come here, whatever happened to it: the others wait.
    pub(super) fn begin(&self, output: Option<O>) {
        let mut state = self.state();
        if matches!(state.output, Output::Awaited) {
            state.output = output.map_or(Output::Nothing, |output| Output::Open(Arc::new(output)));
            self.begun.notify_all();
        }
    }

    /// What the receiver keeps of the entry, as soon as it has begun.
    pub(super) fn output(&self) -> Option<Arc<O>> {
        let mut state = self.state();
        loop {
            match &state.output {
                Output::Open(output) => return Some(Arc::clone(output)),
                Output::Nothing => return None,
                Output::Awaited => {
                    state = self
                        .begun
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// The entry is damaged; the first finding is the one that is told.
    pub(super) fn fail(&self, damage: Damage) {
        self.state().damage.get_or_insert(damage);
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.state().damage.is_some()
    }

    pub(super) fn add_hash(&self, part: Part, hash: ChainingValue) {
        let mut state = self.state();
        state.early.insert(part.index, hash);
        while let Some(hash) = {
            let next = state.next_hash;
            state.early.remove(&next)
        } {
            state.hashes.push(hash);
            state.next_hash += 1;
        }
    }

    /// Counts a part as done. The caller has let go of the output.
    pub(super) fn finish_part(&self, part: Part) -> Option<Ended<O>> {
        let mut state = self.state();
        state.parts_done += 1;
        if part.is_last {
            state.part_count = Some(part.index + 1);
        }
        if state.part_count != Some(state.parts_done) {
            return None;
        }
        let output = match std::mem::replace(&mut state.output, Output::Nothing) {
            Output::Open(output) => Arc::into_inner(output),
            Output::Awaited | Output::Nothing => None,
        };
        let hashes = std::mem::take(&mut state.hashes);
        let outcome = match (state.damage.take(), self.entry.digest) {
            (Some(damage), _) => Err(damage),
            (None, Some(digest)) if hashes.finish() != Some(digest) => Err(Damage::Content),
            (None, _) => Ok(()),
        };
        Some((output, outcome))
    }
}
