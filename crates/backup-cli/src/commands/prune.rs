//! `prune`: removes what the retention rules drop.

use backup_core::request::{PruneRequest, Pruned};
use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Print each backup with the rule that keeps or drops it, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply the rules of this configuration only, in its own repository if it has one
    #[arg(long, value_name = "NAME")]
    configuration: Option<String>,
}

impl Prune {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = PruneRequest {
            dry_run: self.dry_run,
            configuration: self.configuration,
        };
        let pruned = request.run(&context.site()?)?;
        if context.json() {
            output::json(&pruned)?;
        } else if !context.quiet() {
            let (Pruned::Plan(plan)
            | Pruned::Done(backup_core::retention::PruneOutcome { plan, .. })) = &pruned;
            output::text(&format!("{plan}\n"))?;
        }
        Ok(Exit::Complete)
    }
}
