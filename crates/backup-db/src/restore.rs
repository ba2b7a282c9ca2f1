//! A dump into a database.

mod carry;
mod contents;
mod databases;
mod default_privileges;
mod error;
mod estimate;
mod fill;
mod in_place;
mod load;
mod options;
mod plan;
mod post_data;
mod preflight;
mod public_schema;
mod replace;
mod scratch;
mod selection;
mod source;
mod strategy;
mod swap;
mod target;
mod verify;

pub use databases::SwapState;
pub use error::RestoreError;
pub use estimate::Estimate;
use fill::Filling;
pub use options::{Parts, RestoreOptions, RestoreProgress, RestoreStats, RestoreStep};
use plan::Plan;
pub use preflight::{Preflight, Problem, preflight};
pub use replace::{preflight_replace, restore_replace};
pub use scratch::Scratch;
pub use source::{BoxError, DumpSource, LargeObjectSource, MemoryDump};
pub use strategy::{Strategy, choose_strategy};
pub use swap::{
    Swapped, abandon_swap, commit_swap, discard_swap, list_swaps, preflight_swap, prepare_swap,
    swap_state, undo_swap,
};
use target::Target;

use crate::ConnectOptions;

/// Restores a dump into a database that is empty, or that is not there yet and is created.
///
/// Rows are loaded, indexes built and constraints checked on several connections. When anything fails, the database is dropped if it was
/// created, or emptied again.
///
/// # Errors
/// [`RestoreError::Preflight`] before anything is touched. [`RestoreError::LeftBehind`] when the database could not be cleaned up.
pub fn restore_fresh(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
    progress: &dyn RestoreProgress,
) -> Result<RestoreStats, RestoreError> {
    let plan = Plan::new(source, options)?;
    let mut report = preflight::check(connect, source, &plan, options)?;
    let mut stats = report.take_stats(connect)?;
    let target = if report.exists {
        Target::existing(connect, report.before)
    } else {
        let (target, warnings) = Target::create(connect, source.server())?;
        stats.warnings.extend(warnings);
        target
    };
    stats.created = target.is_created();
    let filling = Filling {
        connect,
        source,
        plan: &plan,
        options,
        progress,
        schemas: &report.schemas,
        in_transaction: false,
    };
    let outcome = filling.fill(&mut stats).and_then(|()| {
        if options.verify {
            verify::verify(&filling)?;
            stats.verified = true;
        }
        filling.settle()
    });
    match outcome {
        Ok(()) => Ok(stats),
        Err(error) => Err(target.abandon(error)),
    }
}
