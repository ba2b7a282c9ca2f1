//! A part of the header: the file key, wrapped for one recipient.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use scrypt::Params;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::file_key::{FileKey, WRAPPED_LEN, derive};
use super::{Identity, Passphrase, Recipient, SealError, UnsealError};
use crate::random;

/// The file key for one recipient: a kind, arguments and a body.
pub(super) struct Stanza {
    pub(super) kind: String,
    pub(super) arguments: Vec<String>,
    pub(super) body: Vec<u8>,
}

const X25519: &str = "X25519";
const X25519_PURPOSE: &[u8] = b"age-encryption.org/v1/X25519";
const SCRYPT: &str = "scrypt";
const SCRYPT_SALT_PREFIX: &[u8] = b"age-encryption.org/v1/scrypt";
const SCRYPT_SALT_LEN: usize = 16;
/// Largest work factor that anybody may allow: 16 GiB of memory.
const MOST_WORK: u8 = 24;

impl Stanza {
    /// Wraps `file_key` so that only the identity of `recipient` gets it.
    pub(super) fn for_recipient(
        file_key: &FileKey,
        recipient: &Recipient,
    ) -> Result<Self, SealError> {
        let ephemeral = random::secret::<32>().map_err(|_| SealError::Randomness)?;
        let ephemeral = StaticSecret::from(*ephemeral);
        let share = PublicKey::from(&ephemeral);
        let wrapping_key = x25519_wrapping_key(&ephemeral, recipient.key(), &share, recipient)
            .ok_or_else(|| SealError::WeakRecipient {
                recipient: recipient.to_string(),
            })?;
        Ok(Self {
            kind: X25519.into(),
            arguments: vec![STANDARD_NO_PAD.encode(share.as_bytes())],
            body: file_key.wrap(&wrapping_key).into(),
        })
    }

    /// Wraps `file_key` with a passphrase. Opening it again takes 2^`work_factor` KiB of memory.
    pub(super) fn for_passphrase(
        file_key: &FileKey,
        passphrase: &Passphrase,
        work_factor: u8,
    ) -> Result<Self, SealError> {
        let salt = random::bytes::<SCRYPT_SALT_LEN>().map_err(|_| SealError::Randomness)?;
        let wrapping_key = scrypt_wrapping_key(passphrase, &salt, work_factor);
        Ok(Self {
            kind: SCRYPT.into(),
            arguments: vec![STANDARD_NO_PAD.encode(salt), work_factor.to_string()],
            body: file_key.wrap(&wrapping_key).into(),
        })
    }

    pub(super) fn is_for_recipient(&self) -> bool {
        self.kind == X25519
    }

    pub(super) fn is_for_passphrase(&self) -> bool {
        self.kind == SCRYPT
    }

    /// The file key, if the identity is the one that it was wrapped for.
    pub(super) fn open_with_identity(
        &self,
        identity: &Identity,
    ) -> Result<Option<FileKey>, UnsealError> {
        const MALFORMED: UnsealError = UnsealError::DamagedHeader {
            what: "a malformed X25519 recipient",
        };
        let [share] = self.arguments.as_slice() else {
            return Err(MALFORMED);
        };
        let share: [u8; 32] = decode_argument(share).ok_or(MALFORMED)?;
        let wrapped = self.wrapped_key().ok_or(MALFORMED)?;
        let share = PublicKey::from(share);
        let wrapping_key =
            x25519_wrapping_key(identity.secret(), &share, &share, identity.recipient())
                .ok_or(MALFORMED)?;
        Ok(FileKey::unwrap(&wrapping_key, wrapped))
    }

    /// The file key, if it was wrapped with the passphrase. Work factors above `max_work_factor` are refused before any work.
    pub(super) fn open_with_passphrase(
        &self,
        passphrase: &Passphrase,
        max_work_factor: u8,
    ) -> Result<Option<FileKey>, UnsealError> {
        const MALFORMED: UnsealError = UnsealError::DamagedHeader {
            what: "a malformed passphrase part",
        };
        let [salt, work_factor] = self.arguments.as_slice() else {
            return Err(MALFORMED);
        };
        let salt: [u8; SCRYPT_SALT_LEN] = decode_argument(salt).ok_or(MALFORMED)?;
        let work_factor = parse_work_factor(work_factor).ok_or(MALFORMED)?;
        let wrapped = self.wrapped_key().ok_or(MALFORMED)?;
        let max = max_work_factor.min(MOST_WORK);
        if work_factor > max {
            return Err(UnsealError::Limit {
                what: "passphrase work factor",
                value: work_factor.into(),
                max: max.into(),
            });
        }
        let wrapping_key = scrypt_wrapping_key(passphrase, &salt, work_factor);
        Ok(FileKey::unwrap(&wrapping_key, wrapped))
    }

    fn wrapped_key(&self) -> Option<&[u8; WRAPPED_LEN]> {
        self.body.as_slice().try_into().ok()
    }
}

/// `None`: their key is one of the few with which every secret gives the same result.
fn x25519_wrapping_key(
    ours: &StaticSecret,
    theirs: &PublicKey,
    share: &PublicKey,
    recipient: &Recipient,
) -> Option<Zeroizing<[u8; 32]>> {
    let shared = ours.diffie_hellman(theirs);
    let salt = [*share.as_bytes(), *recipient.key().as_bytes()].concat();
    shared
        .was_contributory()
        .then(|| derive(shared.as_bytes(), &salt, X25519_PURPOSE))
}

fn scrypt_wrapping_key(
    passphrase: &Passphrase,
    salt: &[u8; SCRYPT_SALT_LEN],
    work_factor: u8,
) -> Zeroizing<[u8; 32]> {
    let salt = [SCRYPT_SALT_PREFIX, salt].concat();
    let params = Params::new(work_factor, 8, 1).expect("callers keep work factors in range");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.as_bytes(), &salt, &params, &mut *key)
        .expect("32 bytes are a valid length");
    key
}

fn decode_argument<const N: usize>(argument: &str) -> Option<[u8; N]> {
    STANDARD_NO_PAD.decode(argument).ok()?.try_into().ok()
}

/// Decimal, without sign and leading zeros, from 1 to 63.
fn parse_work_factor(text: &str) -> Option<u8> {
    let canonical = text.starts_with(|first: char| matches!(first, '1'..='9'));
    let factor = text.parse().ok()?;
    (canonical && (1..64).contains(&factor)).then_some(factor)
}
