//! `consolidate`: makes one full backup of a chain.

use backup_core::TaskOutcome;
use backup_core::request::ConsolidateRequest;
use clap::Args;

use super::archive::Archive;
use super::create::report;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::SealKeys;

#[derive(Debug, Args)]
pub(crate) struct Consolidate {
    /// The incremental backup: archive path or backup id
    source: String,
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    keys: SealKeys,
}

impl Consolidate {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = ConsolidateRequest {
            source: self.source,
            output: self.archive.output,
            compression: self.archive.compression.into(),
            level: self.archive.level,
            no_verify: self.archive.no_verify,
            no_sha256: self.archive.no_sha256,
        };
        let site = context.site_with(Some(&self.keys))?;
        let progress = context.progress();
        let result = request.run(&site, &progress);
        progress.finish();
        let outcome = TaskOutcome {
            record: result?,
            pruned: Vec::new(),
        };
        report(context, &outcome)
    }
}
