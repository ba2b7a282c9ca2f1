//! Everything that can be known before a restore touches anything.

mod look;
mod problem;
mod sessions;
mod space;

pub(crate) use look::is_shared;
pub use problem::Problem;
pub(crate) use sessions::Fate;

use look::Look;

use super::contents::Before;
use super::error::RestoreError;
use super::options::{Parts, RestoreOptions, RestoreStats};
use super::plan::Plan;
use super::source::DumpSource;
use super::target;
use crate::{ConnectError, ConnectOptions, Session};

/// The outcome of looking before touching.
#[derive(Debug, Clone, Default)]
pub struct Preflight {
    /// What stands in the way; when there is anything, a restore refuses.
    pub problems: Vec<Problem>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Whether the database is there; otherwise the restore creates it.
    pub exists: bool,
    /// Bytes of COPY text and of large objects that would be loaded.
    pub bytes: u64,
    pub(crate) before: Before,
    /// Schemas that are there already, with an extension in them.
    pub(crate) schemas: Vec<String>,
}

impl Preflight {
    /// The beginnings of a restore into the database of `connect`, unless something stands in the way.
    pub(crate) fn into_stats(
        mut self,
        connect: &ConnectOptions,
    ) -> Result<RestoreStats, RestoreError> {
        self.take_stats(connect)
    }

    /// As [`Preflight::into_stats`], for those who need the rest of the report.
    pub(crate) fn take_stats(
        &mut self,
        connect: &ConnectOptions,
    ) -> Result<RestoreStats, RestoreError> {
        if !self.problems.is_empty() {
            return Err(RestoreError::Preflight {
                problems: std::mem::take(&mut self.problems),
            });
        }
        Ok(RestoreStats {
            database: connect.database().to_owned(),
            warnings: std::mem::take(&mut self.warnings),
            ..RestoreStats::default()
        })
    }
}

/// Looks whether a dump can be restored into a fresh database, and changes nothing.
///
/// # Errors
/// When the server cannot be asked. That something stands in the way is no error here, but in [`Preflight::problems`].
pub fn preflight(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let plan = Plan::new(source, options)?;
    check(connect, source, &plan, options)
}

/// Looks at a database that has to be empty, or is not there.
pub(crate) fn check(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut report = look_at_fresh(connect, source, plan, options)?;
    if options.parts == Parts::Data {
        report.problems.push(Problem::RowsAlone);
    }
    Ok(report)
}

fn look_at_fresh(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    match Session::connect(connect) {
        Ok(session) => {
            let mut look = Look::new(session, source, plan, options)?;
            look.report.exists = true;
            look.database()?;
            look.emptiness()?;
            look.rest()
        }
        Err(ConnectError::NoSuchDatabase { .. }) => {
            let mut look = Look::new(target::maintenance(connect)?, source, plan, options)?;
            look.here.extensions.clear();
            if !look.role.may_create_databases {
                let (database, role) = (connect.database().to_owned(), look.role.name.clone());
                look.report
                    .problems
                    .push(Problem::CannotCreateDatabase { database, role });
            }
            look.rest()
        }
        Err(error) => Err(error.into()),
    }
}

/// Looks at a database of which a part will be replaced.
pub(crate) fn check_part(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut look = Look::new(Session::connect(connect)?, source, plan, options)?;
    look.report.exists = true;
    // Rows alone make nothing.
    if options.parts != Parts::Data {
        look.database()?;
    }
    look.rest()
}

/// Looks at a database whose content will be replaced.
pub(crate) fn check_in_place(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    plan: &Plan<'_>,
    options: &RestoreOptions,
) -> Result<Preflight, RestoreError> {
    let mut look = Look::new(Session::connect(connect)?, source, plan, options)?;
    look.report.exists = true;
    look.database()?;
    look.homes()?;
    look.ownership()?;
    if options.parts == Parts::Schema {
        look.report.problems.push(Problem::PartInsteadOfWhole);
    }
    look.rest()
}
