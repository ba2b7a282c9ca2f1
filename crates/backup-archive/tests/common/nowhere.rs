use std::ops::ControlFlow;

use backup_archive::{Damage, Entry, EntryReceiver};

/// Takes every entry and keeps nothing. Panics at the first damage.
pub struct Nowhere;

impl EntryReceiver for Nowhere {
    type Output = ();

    fn begin(&self, _: &Entry) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn piece(&self, _: &Entry, (): &(), _: u64, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn end(&self, _: &Entry, _: Option<()>, outcome: Result<(), Damage>) -> ControlFlow<()> {
        outcome.expect("an intact entry");
        ControlFlow::Continue(())
    }
}
