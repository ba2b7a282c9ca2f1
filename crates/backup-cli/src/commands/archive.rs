//! Options of every command that writes an archive.

use std::path::PathBuf;

use backup_core::request::Codec as CoreCodec;
use clap::{Args, ValueEnum};

/// Where an archive goes, and how it is written.
#[derive(Debug, Args)]
pub(super) struct Archive {
    /// Write the archive to this new file or into this folder instead of the repository
    #[arg(long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// How the archive is compressed
    #[arg(long, value_enum, default_value_t = Codec::Gzip)]
    pub(super) compression: Codec,
    /// Compression level: gzip 1 to 12, zstd 1 to 19 [default: 1]
    #[arg(long, value_name = "N")]
    pub(super) level: Option<u8>,
    /// Do not read the archive back after writing it
    #[arg(long)]
    pub(super) no_verify: bool,
    /// Do not write a .sha256 file
    #[arg(long)]
    pub(super) no_sha256: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Codec {
    Gzip,
    Zstd,
    None,
}

impl From<Codec> for CoreCodec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Gzip => Self::Gzip,
            Codec::Zstd => Self::Zstd,
            Codec::None => Self::None,
        }
    }
}
