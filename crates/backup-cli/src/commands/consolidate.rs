//! `consolidate`: makes one full backup of a chain.

use std::path::PathBuf;

use backup_core::TaskOutcome;
use backup_core::request::ConsolidateRequest;
use clap::Args;

use super::create::{Codec, report};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::keys::SealKeys;

#[derive(Debug, Args)]
pub(crate) struct Consolidate {
    /// The incremental backup: archive path or backup id
    source: String,
    /// Write the archive to this new file or into this folder instead of the repository
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// How the archive is compressed
    #[arg(long, value_enum, default_value_t = Codec::Gzip)]
    compression: Codec,
    /// Compression level: gzip 1 to 12, zstd 1 to 19 [default: 1]
    #[arg(long, value_name = "N")]
    level: Option<u8>,
    /// Do not read the archive back after writing it
    #[arg(long)]
    no_verify: bool,
    /// Do not write a .sha256 file
    #[arg(long)]
    no_sha256: bool,
    #[command(flatten)]
    keys: SealKeys,
}

impl Consolidate {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = ConsolidateRequest {
            source: self.source,
            output: self.output,
            compression: self.compression.into(),
            level: self.level,
            no_verify: self.no_verify,
            no_sha256: self.no_sha256,
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
