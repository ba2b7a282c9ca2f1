//! Which way a dump gets into a database when nobody says.

use super::error::RestoreError;
use super::options::{Parts, RestoreOptions};
use super::preflight::{Problem, preflight};
use super::source::DumpSource;
use super::swap::preflight_swap;
use crate::ConnectOptions;

/// A way to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Into an empty database, or a new one: [`restore_fresh`](crate::restore_fresh).
    Fresh,
    /// Beside a live database, then exchanged with it: [`prepare_swap`](crate::prepare_swap).
    Swap,
    /// In place of what is in a live database, in one transaction: [`restore_replace`](crate::restore_replace).
    Replace,
}

/// Fresh when the database is empty or not there. A part of a dump, and rows alone, then replace what is there of them; a whole dump is swapped when this role
/// may create databases and exchange this one, and replaces otherwise.
///
/// Other problems do not count: the strategy's own preflight tells them.
///
/// # Errors
/// When the server cannot be asked.
pub fn choose_strategy(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
) -> Result<Strategy, RestoreError> {
    if options.parts == Parts::Data {
        return Ok(Strategy::Replace);
    }
    let fresh = preflight(connect, source, options)?;
    if !fresh
        .problems
        .iter()
        .any(|problem| matches!(problem, Problem::NotEmpty { .. }))
    {
        return Ok(Strategy::Fresh);
    }
    if options.is_selective() {
        return Ok(Strategy::Replace);
    }
    if options.parts == Parts::Schema {
        // Empty tables instead of full ones: nobody means that. The preflight refuses it.
        return Ok(Strategy::Fresh);
    }
    let swap = preflight_swap(connect, source, options, "choose")?;
    // An extension that a superuser made is in the live database, but will not be in a new one.
    let prevents = |problem: &Problem| {
        matches!(
            problem,
            Problem::CannotCreateDatabase { .. }
                | Problem::NotDatabaseOwner { .. }
                | Problem::ExtensionNotTrusted { .. }
        )
    };
    Ok(if swap.problems.iter().any(prevents) {
        Strategy::Replace
    } else {
        Strategy::Swap
    })
}
