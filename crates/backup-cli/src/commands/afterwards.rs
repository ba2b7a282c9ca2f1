//! `undo`, `recover` and `forget`: what can be done about a restore afterwards.

use std::path::PathBuf;

use backup_core::{RestoreTargets, Settled, forget, recover, undo};
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
        let settled = undo(&self.restore, &self.place.targets(context)?)?;
        report(context, &[settled])
    }
}

impl Forget {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let settled = forget(&self.restore, &self.place.targets(context)?)?;
        report(context, &[settled])
    }
}

impl Recover {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let settled = recover(&self.place.targets(context)?)?;
        report(context, &settled)
    }
}

impl Place {
    fn targets(&self, context: &Context) -> Result<RestoreTargets, CommandError> {
        let settings = context.settings(&[])?;
        let mut folders: Vec<PathBuf> = settings.files.into_values().collect();
        if let Some(target) = &self.target {
            for entry in std::fs::read_dir(target)? {
                folders.push(entry?.path());
            }
        }
        Ok(RestoreTargets {
            folders,
            database: settings.database,
        })
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
