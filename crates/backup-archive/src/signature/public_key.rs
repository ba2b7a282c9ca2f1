//! The public half of a signing key.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;

use super::lines::{ED25519, MAX_FILE_LEN, UNTRUSTED_PREFIX, after_comment, decode, encode, take};
use super::{KeyId, Prehash, Signature, SignatureError};
use crate::{FileAccess, private_file};

/// A key that signatures are checked with. Not a secret, but whoever can replace it decides what is trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) id: KeyId,
    pub(super) key: VerifyingKey,
}

impl PublicKey {
    const LEN: usize = 2 + 8 + 32;

    /// From a file as minisign writes it.
    ///
    /// # Errors
    /// [`SignatureError::File`], [`SignatureError::NotAPublicKey`].
    pub fn read(path: &Path) -> Result<Self, SignatureError> {
        private_file::read_text(path, FileAccess::Anyone, MAX_FILE_LEN)?.parse()
    }

    /// What the key is called.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The text of a file as minisign writes it.
    pub fn to_file_text(&self) -> String {
        format!(
            "{UNTRUSTED_PREFIX}minisign public key {}\n{self}\n",
            self.id
        )
    }

    /// Checks that `signature` was made by this key over that content. Gives the trusted comment, which is as trustworthy as the content.
    ///
    /// # Errors
    /// [`SignatureError::OtherKey`], [`SignatureError::WrongContent`], [`SignatureError::WrongComment`].
    pub fn verify<'a>(
        &self,
        content: &Prehash,
        signature: &'a Signature,
    ) -> Result<&'a str, SignatureError> {
        if signature.key_id() != self.id {
            return Err(SignatureError::OtherKey {
                found: signature.key_id(),
                trusted: self.id,
            });
        }
        self.key
            .verify_strict(content.as_bytes(), &signature.content)
            .map_err(|_| SignatureError::WrongContent)?;
        self.key
            .verify_strict(&signature.covered_by_second(), &signature.second)
            .map_err(|_| SignatureError::WrongComment)?;
        Ok(signature.trusted_comment())
    }
}

/// Takes the text of a file, or only its second line.
impl FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let line = after_comment(text).unwrap_or(text.trim());
        let bytes = decode::<{ Self::LEN }>(line).ok_or(SignatureError::NotAPublicKey)?;
        let mut rest = &bytes[..];
        if take(&mut rest) != ED25519 {
            return Err(SignatureError::NotAPublicKey);
        }
        let id = KeyId(take(&mut rest));
        let key = VerifyingKey::from_bytes(&take(&mut rest))
            .map_err(|_| SignatureError::NotAPublicKey)?;
        Ok(Self { id, key })
    }
}

/// The line that minisign takes with `-P`.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&ED25519[..], &self.id.0, self.key.as_bytes()].concat();
        f.write_str(&encode(&bytes))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
