//! What every face asks for, in one form: the command line turns its options into requests, the C interface reads them from JSON.
//!
//! A request has the fields of the command of the same name: an option `--skip-files` is the field `skip_files`, a switch is `true`, what may be
//! repeated is an array, and `NAME=VALUE` pairs are an object. The common options stand beside them. Unknown fields are refused.
//!
//! ```
//! use backup_core::request::{Request, Surroundings};
//! use backup_core::Silent;
//! let (site, request) = Request::from_json("list", r#"{"repository": "/nonexistent"}"#)?;
//! let site = site.resolve(&Surroundings::none())?;
//! let error = request.run(&site, &Silent).unwrap_err();
//! assert_eq!(backup_core::Explain::code(&error), "no_repository");
//! # Ok::<(), backup_core::request::ServiceError>(())
//! ```

mod afterwards;
mod consolidate;
mod create;
mod diff;
mod error;
mod oversight;
mod reading;
mod removal;
mod restore;
mod schedule;
mod site;
mod slots;
mod verify;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use afterwards::{ForgetRequest, RecoverRequest, UndoRequest};
pub use consolidate::ConsolidateRequest;
pub use create::{Codec, CreateRequest};
pub use diff::{DiffRequest, ShownDifference};
pub use error::ServiceError;
pub use oversight::{AuditRequest, Audited, HealthRequest, RebuildRequest};
pub use reading::{ListRequest, Listed, ListedBackup, ShowRequest, ShownBackup, TableRequest};
pub use removal::{DeleteRequest, Held, PinRequest, PruneRequest, Pruned, UnpinRequest};
pub use restore::{RestoreRequest, Restored};
pub use schedule::{
    CreateDefaultsRequest, EnableRequest, Enabled, Ran, RunDueRequest, ScheduleListRequest,
};
pub use site::{Site, SiteRequest, Surroundings};
pub use slots::{ScheduleDefaultsRequest, ScheduleRequest, Slots, SlotsRequest};
pub use verify::VerifyRequest;

use crate::monitor::Monitor;

/// A request of any kind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Request {
    /// `create`: the result is a [`TaskOutcome`](crate::TaskOutcome).
    Create(CreateRequest),
    /// `consolidate`: the result is a [`BackupRecord`](crate::BackupRecord).
    Consolidate(ConsolidateRequest),
    /// `diff`: the result is a [`ShownDifference`].
    Diff(DiffRequest),
    /// `restore`: the result is a [`RestoreOutcome`](crate::RestoreOutcome), or a [`RestorePlan`](crate::RestorePlan) for a dry run.
    Restore(RestoreRequest),
    /// `undo`: the result is a [`Settled`](crate::Settled).
    Undo(UndoRequest),
    /// `recover`: the result is an array of [`Settled`](crate::Settled).
    Recover(RecoverRequest),
    /// `forget`: the result is a [`Settled`](crate::Settled).
    Forget(ForgetRequest),
    /// `verify`: the result is a [`VerifyOutcome`](crate::VerifyOutcome).
    Verify(VerifyRequest),
    /// `list`: the result is an array of [`ListedBackup`]s, oldest first.
    List(ListRequest),
    /// `show`: the result is a [`ShownBackup`].
    Show(ShowRequest),
    /// `prune`: the result is [`Pruned`].
    Prune(PruneRequest),
    /// `delete`: the result is [`Deleted`](crate::retention::Deleted).
    Delete(DeleteRequest),
    /// `pin`: the result is [`Held`].
    Pin(PinRequest),
    /// `unpin`: the result is [`Held`].
    Unpin(UnpinRequest),
    /// `audit`: the result is [`Audited`].
    Audit(AuditRequest),
    /// `health`: the result is a [`HealthReport`](crate::health::HealthReport).
    Health(HealthRequest),
    /// `catalogue-rebuild`: the result is [`Rebuilt`](crate::Rebuilt).
    Rebuild(RebuildRequest),
    /// `schedule-list`: the result is an array of [`ConfigurationStatus`](crate::schedule::ConfigurationStatus).
    ScheduleList(ScheduleListRequest),
    /// `schedule-run-due`: the result is [`Ran`].
    RunDue(RunDueRequest),
    /// `schedule-enable` and `schedule-disable`: the result is [`Enabled`].
    Enable(EnableRequest),
    /// `schedule-create-defaults`: the result is [`CreatedDefaults`](crate::schedule::CreatedDefaults).
    CreateDefaults(CreateDefaultsRequest),
    /// `table`: the result is a [`TableRows`](crate::TableRows).
    Table(TableRequest),
    /// `slots`: the result is an array of [`Slots`], one for each schedule.
    Slots(SlotsRequest),
    /// `schedule-defaults`: the result is an array of [`DefaultEntry`](crate::schedule::DefaultEntry)s.
    ScheduleDefaults(ScheduleDefaultsRequest),
}

/// The names of the commands.
const COMMANDS: &str = "create, consolidate, diff, restore, undo, recover, forget, verify, list, show, table, slots, prune, delete, pin, unpin, audit, health, catalogue-rebuild, \
     schedule-list, schedule-run-due, schedule-enable, schedule-disable, schedule-defaults and schedule-create-defaults";

impl Request {
    /// Reads the request of the command of this name from a JSON object.
    ///
    /// # Errors
    /// [`ServiceError::Usage`]: no such command, no JSON object, an unknown field, or a value that cannot be.
    pub fn from_json(command: &str, json: &str) -> Result<(SiteRequest, Self), ServiceError> {
        let mut fields: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| malformed(command, &format!("not a JSON object: {error}")))?;
        let mut common = Map::new();
        for name in SiteRequest::FIELDS {
            if let Some(value) = fields.remove(*name) {
                common.insert((*name).to_owned(), value);
            }
        }
        let mut site: SiteRequest = fields_of(command, common)?;
        site.face.get_or_insert_with(|| "c".to_owned());
        let request = match command {
            "create" => Self::Create(fields_of(command, fields)?),
            "consolidate" => Self::Consolidate(fields_of(command, fields)?),
            "diff" => Self::Diff(fields_of(command, fields)?),
            "restore" => Self::Restore(fields_of(command, fields)?),
            "undo" => Self::Undo(fields_of(command, fields)?),
            "recover" => Self::Recover(fields_of(command, fields)?),
            "forget" => Self::Forget(fields_of(command, fields)?),
            "verify" => Self::Verify(fields_of(command, fields)?),
            "list" => Self::List(fields_of(command, fields)?),
            "show" => Self::Show(fields_of(command, fields)?),
            "prune" => Self::Prune(fields_of(command, fields)?),
            "delete" => Self::Delete(fields_of(command, fields)?),
            "pin" => Self::Pin(fields_of(command, fields)?),
            "unpin" => Self::Unpin(fields_of(command, fields)?),
            "audit" => Self::Audit(fields_of(command, fields)?),
            "health" => Self::Health(fields_of(command, fields)?),
            "catalogue-rebuild" => Self::Rebuild(fields_of(command, fields)?),
            "schedule-list" => Self::ScheduleList(fields_of(command, fields)?),
            "schedule-run-due" => Self::RunDue(fields_of(command, fields)?),
            "schedule-enable" | "schedule-disable" => {
                fields.insert("enabled".to_owned(), (command == "schedule-enable").into());
                Self::Enable(fields_of(command, fields)?)
            }
            "schedule-create-defaults" => Self::CreateDefaults(fields_of(command, fields)?),
            "table" => Self::Table(fields_of(command, fields)?),
            "slots" => Self::Slots(fields_of(command, fields)?),
            "schedule-defaults" => Self::ScheduleDefaults(fields_of(command, fields)?),
            _ => {
                return Err(ServiceError::usage(
                    format!("there is no command {command:?}"),
                    format!("Commands are {COMMANDS}."),
                ));
            }
        };
        Ok((site, request))
    }

    /// Does what is asked for.
    ///
    /// # Errors
    /// As the service that the request is for.
    pub fn run(&self, site: &Site, monitor: &dyn Monitor) -> Result<Value, ServiceError> {
        Ok(match self {
            Self::Create(request) => value(&request.run(site, monitor)?),
            Self::Consolidate(request) => value(&request.run(site, monitor)?),
            Self::Diff(request) => value(&request.run(site)?),
            Self::Restore(request) => value(&request.run(site, monitor)?),
            Self::Undo(request) => value(&request.run(site, monitor)?),
            Self::Recover(request) => value(&request.run(site, monitor)?),
            Self::Forget(request) => value(&request.run(site, monitor)?),
            Self::Verify(request) => value(&request.run(site, monitor)?),
            Self::List(request) => value(&request.run(site)?.backups),
            Self::Show(request) => value(&request.run(site)?),
            Self::Prune(request) => value(&request.run(site)?),
            Self::Delete(request) => value(&request.run(site)?),
            Self::Pin(request) => value(&request.run(site)?),
            Self::Unpin(request) => value(&request.run(site)?),
            Self::Audit(request) => value(&request.run(site)?),
            Self::Health(request) => value(&request.run(site)),
            Self::Rebuild(request) => value(&request.run(site)?),
            Self::ScheduleList(request) => value(&request.run(site)?),
            Self::RunDue(request) => value(&request.run(site, monitor)?),
            Self::Enable(request) => value(&request.run(site)?),
            Self::CreateDefaults(request) => value(&request.run(site)?),
            Self::Table(request) => value(&request.run(site)?),
            Self::Slots(request) => value(&request.run()?),
            Self::ScheduleDefaults(request) => value(&request.run(site)),
        })
    }
}

fn fields_of<T: DeserializeOwned>(
    command: &str,
    fields: Map<String, Value>,
) -> Result<T, ServiceError> {
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| malformed(command, &error.to_string()))
}

fn malformed(command: &str, reason: &str) -> ServiceError {
    ServiceError::usage(
        format!("the request {command:?} makes no sense: {reason}"),
        "Requests have the fields of the command line's options.",
    )
}

fn value(result: &impl Serialize) -> Value {
    serde_json::to_value(result).expect("results are plain data")
}
