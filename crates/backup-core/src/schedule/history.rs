//! Which slots had their run.

use serde::{Deserialize, Serialize};

use super::slot::{Schedule, Slot};

/// Stretches that are kept; past that the oldest two become one. Each outage, and each jump of the clock, begins a new one.
const MAX_STRETCHES: usize = 1000;

/// Which slots had their run, as stretches of slots that follow each other without a miss.
///
/// Remembering more than the last slot is what makes jumps of the clock harmless: when it was far ahead and is set back, the slots in
/// between were not run and become due in their time; when it is set back over slots that were run, they are not run again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlotHistory {
    /// First and last slot of each, in order, apart from each other.
    stretches: Vec<(Slot, Slot)>,
}

impl SlotHistory {
    /// Whether `slot` had its run.
    pub fn contains(&self, slot: Slot) -> bool {
        let after = self.stretches.partition_point(|(first, _)| *first <= slot);
        after > 0 && slot <= self.stretches[after - 1].1
    }

    /// The newest slot that had its run.
    pub fn newest(&self) -> Option<Slot> {
        self.stretches.last().map(|(_, last)| *last)
    }

    /// Notes that `slot`, which is one of `schedule`, had its run.
    pub fn record(&mut self, slot: Slot, schedule: &Schedule) {
        if self.contains(slot) {
            return;
        }
        let follows =
            |earlier: Slot, later: Slot| schedule.next_slot(earlier.time()) == Some(later);
        let at = self.stretches.partition_point(|(first, _)| *first < slot);
        let joins_next = self
            .stretches
            .get(at)
            .is_some_and(|(first, _)| follows(slot, *first));
        if at > 0 && follows(self.stretches[at - 1].1, slot) {
            self.stretches[at - 1].1 = slot;
            if joins_next {
                self.stretches[at - 1].1 = self.stretches.remove(at).1;
            }
        } else if joins_next {
            self.stretches[at].0 = slot;
        } else {
            self.stretches.insert(at, (slot, slot));
        }
        if self.stretches.len() > MAX_STRETCHES {
            let (_, last) = self.stretches.remove(1);
            self.stretches[0].1 = last;
        }
    }
}
