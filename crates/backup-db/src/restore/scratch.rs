//! A database for a trial: it may be filled and is dropped in any case.

use super::databases::Names;
use super::error::RestoreError;
use super::swap::lock;
use super::target::{drop_database, maintenance};
use crate::{ConnectOptions, Session};

/// The name and the right to a database that is not there yet, beside another one. Whatever a trial that is killed leaves is found by
/// [`list_swaps`](crate::list_swaps) and removed by [`abandon_swap`](crate::abandon_swap), as a swap that was never committed.
pub struct Scratch {
    connect: ConnectOptions,
    // Others see by its lock that the trial still runs.
    _guard: Session,
}

impl Scratch {
    /// Reserves a name beside the database that `connect` names; `id` as for [`prepare_swap`](crate::prepare_swap).
    ///
    /// # Errors
    /// When the server cannot be reached, or another process works with this id.
    pub fn reserve(connect: &ConnectOptions, id: &str) -> Result<Self, RestoreError> {
        let names = Names::new(connect.database(), id)?;
        let mut guard = maintenance(connect)?;
        if !lock(&mut guard, &names).map_err(RestoreError::of_query)? {
            return Err(RestoreError::Busy { id: id.to_owned() });
        }
        Ok(Self {
            connect: connect.with_database(&names.new),
            _guard: guard,
        })
    }

    /// How to connect to it.
    pub fn connect(&self) -> &ConnectOptions {
        &self.connect
    }

    /// Drops the database, if it is there.
    ///
    /// # Errors
    /// When the server does not.
    pub fn discard(self) -> Result<(), RestoreError> {
        drop_database(&self.connect)
    }
}
