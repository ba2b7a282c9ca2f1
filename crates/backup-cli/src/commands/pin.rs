//! `pin` and `unpin`: legal hold.

use backup_core::request::{Held, PinRequest, UnpinRequest};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct PinCommand {
    /// Id of the backup, or an unambiguous beginning of it
    id: String,
    /// Why it is kept
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Unpin {
    /// Id of the backup, or an unambiguous beginning of it
    id: String,
}

impl PinCommand {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = PinRequest {
            id: self.id,
            reason: self.reason,
        };
        report(context, &request.run(&context.site()?)?)
    }
}

impl Unpin {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = UnpinRequest { id: self.id };
        report(context, &request.run(&context.site()?)?)
    }
}

fn report(context: &Context, held: &Held) -> Result<Exit, CommandError> {
    if context.json() {
        output::json(held)?;
    } else if !context.quiet() {
        let state = if held.pinned { "pinned" } else { "not pinned" };
        output::text(&format!("{} is {state}\n", held.id))?;
    }
    Ok(Exit::Complete)
}
