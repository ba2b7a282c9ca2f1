//! `undo`, `recover` and `forget`: what can be done about a restore afterwards.

use std::path::PathBuf;

use backup_core::Settled;
use backup_core::request::{ForgetRequest, RecoverRequest, UndoRequest};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// Id of the restore
    restore: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// Id of the restore
    restore: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The folder that was given to the restore as --target
    #[arg(long, value_name = "DIR")]
    target: Option<PathBuf>,
}

impl Undo {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = UndoRequest {
            restore: self.restore,
            target: self.place.target,
        };
        report(
            context,
            &[request.run(&context.site()?, &context.progress())?],
        )
    }
}

impl Forget {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = ForgetRequest {
            restore: self.restore,
            target: self.place.target,
        };
        report(
            context,
            &[request.run(&context.site()?, &context.progress())?],
        )
    }
}

impl Recover {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = RecoverRequest {
            target: self.place.target,
        };
        report(
            context,
            &request.run(&context.site()?, &context.progress())?,
        )
    }
}

fn report(context: &Context, settled: &[Settled]) -> Result<Exit, CommandError> {
    if context.json() {
        output::json(&settled)?;
        return Ok(Exit::Complete);
    }
    if context.quiet() {
        return Ok(Exit::Complete);
    }
    if settled.is_empty() {
        output::text("nothing to do\n")?;
    }
    for restore in settled {
        let state = if restore.restored {
            "as restored"
        } else {
            "as before the restore"
        };
        let mut text = format!("{}: {state}\n", restore.id);
        if restore.database {
            text += "  database\n";
        }
        for folder in &restore.folders {
            text += &format!("  files     {}\n", folder.display());
        }
        output::text(&text)?;
    }
    Ok(Exit::Complete)
}
