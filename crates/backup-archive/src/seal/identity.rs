//! Secret keys that open what was sealed for their recipients.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use bech32::{Bech32, Hrp};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::recipient::{MAX_KEYS_LEN, decode_key, parse_lines};
use super::{KeyError, Recipient};
use crate::{FileAccess, private_file, random};

/// The secret half of a key pair: an X25519 identity, `AGE-SECRET-KEY-1…`. Wiped when dropped; `Debug` shows the recipient only.
#[derive(Clone)]
pub struct Identity {
    secret: StaticSecret,
    recipient: Recipient,
}

impl Identity {
    const HRP: Hrp = Hrp::parse_unchecked("age-secret-key-");

    /// A new key pair.
    ///
    /// # Errors
    /// [`KeyError::Randomness`]
    pub fn generate() -> Result<Self, KeyError> {
        let secret = random::secret::<32>().map_err(|_| KeyError::Randomness)?;
        Ok(Self::from_secret(&secret))
    }

    /// A list of identities as `age -i` takes it: one per line; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`KeyError::Line`] for the first line that is no identity, [`KeyError::NoKeys`] for a list without any.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, KeyError> {
        if text.starts_with("age-encryption.org/") || text.starts_with("-----BEGIN AGE") {
            return Err(KeyError::UnsupportedIdentity {
                kind: "sealed with a passphrase",
            });
        }
        parse_lines(text)
    }

    /// A list of identities from a file, such as `age-keygen` makes: see [`Identity::parse_list`].
    ///
    /// # Errors
    /// The file cannot be read, others could read it too, or as for [`Identity::parse_list`].
    pub fn read_list(path: &Path, access: FileAccess) -> Result<Vec<Self>, KeyError> {
        let text = private_file::read_text(path, access, MAX_KEYS_LEN)?;
        Self::parse_list(&text).map_err(|source| KeyError::InFile {
            path: path.into(),
            source: Box::new(source),
        })
    }

    /// Writes it into a new file that only its owner can read, in the form of `age-keygen`. `created` is a time for people, such as
    /// `2026-01-31T02:00:00Z`.
    ///
    /// # Errors
    /// [`KeyError::File`]: also when there is a file already.
    pub fn create_file(&self, path: &Path, created: &str) -> Result<(), KeyError> {
        let content = Zeroizing::new(format!(
            "# created: {created}\n# public key: {}\n{}\n",
            self.recipient,
            self.to_secret_text().as_str()
        ));
        Ok(private_file::create(path, &content)?)
    }

    /// The recipient to seal for, so that this identity opens it.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The identity itself, `AGE-SECRET-KEY-1…`: whoever has this text opens everything sealed for its recipient.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(80)); // never grows: it takes 74
        bech32::encode_upper_to_fmt::<Bech32, _>(&mut *text, Self::HRP, self.secret.as_bytes())
            .expect("32 bytes fit into a Bech32 text");
        text
    }

    pub(super) fn secret(&self) -> &StaticSecret {
        &self.secret
    }

    fn from_secret(secret: &[u8; 32]) -> Self {
        let secret = StaticSecret::from(*secret);
        let recipient = Recipient::new(PublicKey::from(&secret));
        Self { secret, recipient }
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.starts_with("AGE-PLUGIN-") {
            return Err(KeyError::UnsupportedIdentity { kind: "plugin" });
        }
        if !text.starts_with("AGE-SECRET-KEY-1") {
            return Err(KeyError::NotAnIdentity);
        }
        let secret = decode_key(Self::HRP, text).ok_or(KeyError::NotAnIdentity)?;
        Ok(Self::from_secret(&secret))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(of {})", self.recipient)
    }
}
