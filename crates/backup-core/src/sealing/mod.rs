//! Sealed archives: who can open what is made here, and what opens it again. The format is that of `age`.

mod explain;
mod generate;
mod keys;
mod open;
mod sink;

pub use backup_archive::seal::{Identity, KeyError, Keyring, SealFor, UnsealError};
pub use generate::{GeneratedKey, generate_key};
pub use keys::EncryptionSection;
pub(crate) use open::open_source;
pub(crate) use sink::{ArchiveSink, ArchiveSinkError};
