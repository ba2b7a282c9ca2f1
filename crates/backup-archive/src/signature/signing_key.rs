//! The secret key that signs.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use ed25519_dalek::{SECRET_KEY_LENGTH, Signer};
use zeroize::Zeroizing;

use super::detached::MAX_COMMENT_LEN;
use super::lines::{ED25519, MAX_FILE_LEN, UNTRUSTED_PREFIX, after_comment, decode, encode, take};
use super::{KeyId, Prehash, PublicKey, SignError, Signature};
use crate::{FileAccess, private_file, random};

/// A key to sign with. Wiped when dropped; `Debug` shows its id only.
pub struct SigningKey {
    id: KeyId,
    key: ed25519_dalek::SigningKey,
}

/// Keys that are protected with a password have an algorithm here.
const NO_PROTECTION: [u8; 2] = [0, 0];
/// What minisign writes beside a key without protection. That the halves of the pair fit each other is checked in any case.
const NO_CHECKSUM: [u8; 32] = [0; 32];
const BLAKE2: [u8; 2] = *b"B2";
/// What protection would need: salt and two limits.
const PROTECTION_LEN: usize = 32 + 8 + 8;
/// Algorithms, protection, id, key pair, checksum.
const LEN: usize = 3 * 2 + PROTECTION_LEN + 8 + 64 + 32;

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SignError::Randomness`]
    pub fn generate() -> Result<Self, SignError> {
        let secret = random::secret::<SECRET_KEY_LENGTH>().map_err(|_| SignError::Randomness)?;
        Ok(Self {
            id: KeyId(random::bytes().map_err(|_| SignError::Randomness)?),
            key: ed25519_dalek::SigningKey::from_bytes(&secret),
        })
    }

    /// From a file as `minisign -G -W` writes it.
    ///
    /// # Errors
    /// The file cannot be read, others could read it too, or it holds no usable key.
    pub fn read(path: &Path, access: FileAccess) -> Result<Self, SignError> {
        private_file::read_text(path, access, MAX_FILE_LEN)?.parse()
    }

    /// Writes it into a new file that only its owner can read, without a password: it is to sign at night.
    ///
    /// # Errors
    /// [`SignError::File`]: also when there is a file already.
    pub fn create_file(&self, path: &Path) -> Result<(), SignError> {
        let pair = Zeroizing::new(self.key.to_keypair_bytes());
        let checksum = checksum(self.id, &pair);
        let fields: [&[u8]; 7] = [
            &ED25519,
            &NO_PROTECTION,
            &BLAKE2,
            &[0; PROTECTION_LEN],
            &self.id.0,
            &*pair,
            &checksum,
        ];
        let bytes = Zeroizing::new(fields.concat());
        let text = Zeroizing::new(format!(
            "{UNTRUSTED_PREFIX}minisign secret key {}\n{}\n",
            self.id,
            encode(&bytes).as_str()
        ));
        Ok(private_file::create(path, &text)?)
    }

    /// What others check signatures with.
    pub fn public_key(&self) -> PublicKey {
        PublicKey {
            id: self.id,
            key: self.key.verifying_key(),
        }
    }

    /// Signs content. `trusted_comment` is signed along: one line, such as the name of the file and a time.
    ///
    /// # Errors
    /// [`SignError::Comment`]
    pub fn sign(&self, content: &Prehash, trusted_comment: &str) -> Result<Signature, SignError> {
        if trusted_comment.len() > MAX_COMMENT_LEN || trusted_comment.contains(char::is_control) {
            return Err(SignError::Comment {
                max: MAX_COMMENT_LEN,
            });
        }
        let content = self.key.sign(content.as_bytes());
        Ok(Signature::new(
            self.id,
            content,
            trusted_comment.to_owned(),
            |covered| self.key.sign(covered),
        ))
    }
}

fn checksum(id: KeyId, pair: &[u8; 64]) -> [u8; 32] {
    Blake2b::<U32>::new()
        .chain_update(ED25519)
        .chain_update(id.0)
        .chain_update(pair)
        .finalize()
        .into()
}

impl FromStr for SigningKey {
    type Err = SignError;

    fn from_str(text: &str) -> Result<Self, SignError> {
        let line = after_comment(text).ok_or(SignError::NotAKey)?;
        let bytes = decode::<LEN>(line).ok_or(SignError::NotAKey)?;
        let mut rest = &bytes[..];
        let algorithm: [u8; 2] = take(&mut rest);
        let protection: [u8; 2] = take(&mut rest);
        let checksum_algorithm: [u8; 2] = take(&mut rest);
        if algorithm != ED25519 || checksum_algorithm != BLAKE2 {
            return Err(SignError::NotAKey);
        }
        if protection != NO_PROTECTION {
            return Err(SignError::Protected);
        }
        let _: [u8; PROTECTION_LEN] = take(&mut rest);
        let id = KeyId(take(&mut rest));
        let pair = Zeroizing::new(take::<64>(&mut rest));
        let found: [u8; 32] = take(&mut rest);
        if found != NO_CHECKSUM && found != checksum(id, &pair) {
            return Err(SignError::Damaged);
        }
        let key =
            ed25519_dalek::SigningKey::from_keypair_bytes(&pair).map_err(|_| SignError::Damaged)?;
        Ok(Self { id, key })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}
