//! Why a file cannot be signed, and why a signature does not hold.

use super::KeyId;
use crate::KeyFileError;

/// Why a signing key is refused, or cannot sign. No message repeats the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The file of the key cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Not a secret key as minisign writes it.
    #[error("this is not a secret key of minisign")]
    NotAKey,
    /// Protected with a password.
    #[error(
        "the secret key is protected with a password, which nobody can type for a backup at night: `minisign -C -W` removes it"
    )]
    Protected,
    /// Its checksum does not fit.
    #[error("the secret key is damaged")]
    Damaged,
    /// A trusted comment that is no line of text, or too long for a line.
    #[error("a trusted comment is one line of at most {max} bytes")]
    Comment {
        /// Most bytes.
        max: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness,
}

/// Why a signature does not hold, or cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The file of the public key, or of the signature, cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Not a public key as minisign writes it.
    #[error("this is not a public key of minisign")]
    NotAPublicKey,
    /// Not a signature as minisign writes it.
    #[error("this is not a signature of minisign")]
    NotASignature,
    /// Made with `minisign -l`: over the content itself, which would have to be in memory.
    #[error("the signature is of the legacy kind: sign the file again, without `-l`")]
    Legacy,
    /// Made with another key than the one that is trusted.
    #[error("the signature is of key {found}, not of {trusted}")]
    OtherKey {
        /// Who signed.
        found: KeyId,
        /// Who should have.
        trusted: KeyId,
    },
    /// The file is not what was signed, or the signature is forged.
    #[error("the signature does not fit the file")]
    WrongContent,
    /// The trusted comment is not what was signed.
    #[error("the signature does not fit its trusted comment")]
    WrongComment,
}
