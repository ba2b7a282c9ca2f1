//! A signature, in a file of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::lines::{
    ED25519, MAX_FILE_LEN, PREHASHED, TRUSTED_PREFIX, UNTRUSTED_PREFIX, decode, encode, take,
};
use super::{KeyId, SignatureError};
use crate::{FileAccess, private_file};

/// Longest trusted comment, in bytes.
pub(super) const MAX_COMMENT_LEN: usize = 8000;
const LEN: usize = 2 + 8 + 64;

/// Where the signature of a file is expected: `.minisig` after the whole name.
pub fn signature_path(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".minisig");
    path.into()
}

/// A signature as minisign writes it. As text, the content of a `.minisig` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    key_id: KeyId,
    pub(super) content: ed25519_dalek::Signature,
    trusted_comment: String,
    /// Over the first one and the trusted comment.
    pub(super) second: ed25519_dalek::Signature,
}

impl Signature {
    /// From a `.minisig` file.
    ///
    /// # Errors
    /// [`SignatureError::File`], [`SignatureError::NotASignature`], [`SignatureError::Legacy`].
    pub fn read(path: &Path) -> Result<Self, SignatureError> {
        private_file::read_text(path, FileAccess::Anyone, MAX_FILE_LEN)?.parse()
    }

    /// Which key it claims to be of.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The trusted comment: to be trusted only once [`PublicKey::verify`](super::PublicKey::verify) has given it.
    pub fn trusted_comment(&self) -> &str {
        &self.trusted_comment
    }

    pub(super) fn new(
        key_id: KeyId,
        content: ed25519_dalek::Signature,
        trusted_comment: String,
        sign: impl FnOnce(&[u8]) -> ed25519_dalek::Signature,
    ) -> Self {
        Self {
            second: sign(&covered_by_second(&content, &trusted_comment)),
            key_id,
            content,
            trusted_comment,
        }
    }

    pub(super) fn covered_by_second(&self) -> Vec<u8> {
        covered_by_second(&self.content, &self.trusted_comment)
    }
}

fn covered_by_second(content: &ed25519_dalek::Signature, trusted_comment: &str) -> Vec<u8> {
    [&content.to_bytes()[..], trusted_comment.as_bytes()].concat()
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        parse(text).ok_or(SignatureError::NotASignature)?
    }
}

fn parse(text: &str) -> Option<Result<Signature, SignatureError>> {
    let mut lines = text.lines();
    lines.next()?.strip_prefix(UNTRUSTED_PREFIX)?;
    let signature = decode::<LEN>(lines.next()?)?;
    let trusted_comment = lines.next()?.strip_prefix(TRUSTED_PREFIX)?;
    let second = decode::<64>(lines.next()?)?;
    if !lines.all(str::is_empty) {
        return None;
    }
    let mut rest = &signature[..];
    match take(&mut rest) {
        PREHASHED => {}
        ED25519 => return Some(Err(SignatureError::Legacy)),
        _ => return None,
    }
    Some(Ok(Signature {
        key_id: KeyId(take(&mut rest)),
        content: ed25519_dalek::Signature::from_bytes(&take(&mut rest)),
        trusted_comment: trusted_comment.to_owned(),
        second: ed25519_dalek::Signature::from_bytes(&second),
    }))
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = [&PREHASHED[..], &self.key_id.0, &self.content.to_bytes()].concat();
        writeln!(f, "{UNTRUSTED_PREFIX}signature from edms-backup")?;
        writeln!(f, "{}", encode(&first).as_str())?;
        writeln!(f, "{TRUSTED_PREFIX}{}", self.trusted_comment)?;
        writeln!(f, "{}", encode(&self.second.to_bytes()).as_str())
    }
}
