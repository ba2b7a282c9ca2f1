//! Signatures: proof that a file is what the owner of a key made, in a small file beside it, in the format of
//! [minisign](https://jedisct1.github.io/minisign/). `minisign -V` checks what is signed here, and this checks what minisign signed.
//!
//! ```
//! use backup_archive::signature::{Prehash, Signature, SigningKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::generate()?;
//! let public_key = key.public_key();
//! let content = &b"an archive"[..];
//! let text = key.sign(&Prehash::of(content)?, "file:backup.tar.gz")?.to_string();
//!
//! let signature: Signature = text.parse()?;
//! assert_eq!(public_key.verify(&Prehash::of(content)?, &signature)?, "file:backup.tar.gz");
//! assert!(public_key.verify(&Prehash::of(&b"another"[..])?, &signature).is_err());
//! # Ok(())
//! # }
//! ```

mod detached;
mod error;
mod key_id;
mod lines;
mod prehash;
mod public_key;
mod signing_key;

pub use detached::{Signature, signature_path};
pub use error::{SignError, SignatureError};
pub use key_id::KeyId;
pub use prehash::Prehash;
pub use public_key::PublicKey;
pub use signing_key::SigningKey;
