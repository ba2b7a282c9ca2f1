//! Sealing: archives in the [`age`](https://age-encryption.org/v1) format, for recipients or with a passphrase, that can still be read at
//! any place. What is sealed here, `age -d` opens; what `age` sealed, this opens. See `docs/sealing.md`.
//!
//! ```
//! use std::sync::Arc;
//! use backup_archive::seal::{Identity, Keyring, SealFor, SealedSource, SealingOptions, SealingSink};
//! use backup_archive::{FileSink, Sink, Source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = Identity::generate()?;
//! let seal_for = SealFor::Recipients(vec![identity.recipient().clone()]);
//! let file = tempfile::tempfile()?;
//! let options = SealingOptions { jobs: 1.try_into()?, spill_dir: std::env::temp_dir() };
//! let mut sink = SealingSink::new(FileSink::new(file.try_clone()?, false)?, &seal_for, options)?;
//! sink.write(vec!["nobody else reads this".into()])?;
//! sink.finish()?;
//!
//! let keys = Keyring { identities: vec![identity], ..Keyring::default() };
//! let source = SealedSource::open(Arc::new(file), &keys, Default::default())?;
//! let mut word = [0; 4];
//! source.read_at(&mut word, 7)?;
//! assert_eq!(&word, b"else");
//! # Ok(())
//! # }
//! ```

mod chunk_cache;
mod error;
mod file_key;
mod header;
mod hold;
mod identity;
mod layout;
mod passphrase;
mod payload;
mod recipient;
mod sealers;
mod sink;
mod source;
mod stanza;

pub use error::{KeyError, SealError, UnsealError};
pub use identity::Identity;
pub use passphrase::Passphrase;
pub use recipient::Recipient;
pub use sink::{SealFor, SealingMark, SealingOptions, SealingSink};
pub use source::{Keyring, SealedSource, UnsealLimits, is_sealed};
