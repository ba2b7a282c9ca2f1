//! Public keys that files are sealed for.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use x25519_dalek::PublicKey;
use zeroize::Zeroizing;

use super::KeyError;
use crate::{FileAccess, private_file};

/// Longest file of keys, in bytes.
pub(super) const MAX_KEYS_LEN: usize = 1 << 20;

/// The public half of a key pair: an X25519 recipient, `age1…`. Not a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient(PublicKey);

impl Recipient {
    const HRP: Hrp = Hrp::parse_unchecked("age");

    /// A list of recipients as `age -R` takes it: one per line; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`KeyError::Line`] for the first line that is no recipient, [`KeyError::NoKeys`] for a list without any.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, KeyError> {
        parse_lines(text)
    }

    /// A list of recipients from a file: see [`Recipient::parse_list`].
    ///
    /// # Errors
    /// The file cannot be read, or as for [`Recipient::parse_list`].
    pub fn read_list(path: &Path) -> Result<Vec<Self>, KeyError> {
        let text = private_file::read_text(path, FileAccess::Anyone, MAX_KEYS_LEN)?;
        Self::parse_list(&text).map_err(|source| KeyError::InFile {
            path: path.into(),
            source: Box::new(source),
        })
    }

    pub(super) fn new(key: PublicKey) -> Self {
        Self(key)
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if let Some(kind) = unsupported_kind(text) {
            return Err(KeyError::UnsupportedRecipient { kind });
        }
        if text.starts_with("AGE-SECRET-KEY-") {
            return Err(KeyError::SecretAsRecipient);
        }
        if !text.starts_with("age1") {
            return Err(KeyError::NotARecipient);
        }
        let key = decode_key(Self::HRP, text).ok_or(KeyError::NotARecipient)?;
        Ok(Self(PublicKey::from(*key)))
    }
}

fn unsupported_kind(text: &str) -> Option<&'static str> {
    if text.starts_with("ssh-") {
        return Some("SSH");
    }
    // A plugin's recipient is age1NAME1…: the last `1` separates the name from the data, which has none.
    let rest = text.strip_prefix("age1")?;
    rest.contains('1').then_some("plugin")
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, Self::HRP, self.0.as_bytes())
            .map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

/// The 32 bytes of a key in Bech32, if the text is exactly that.
pub(super) fn decode_key(hrp: Hrp, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    checked.validate_segwit_padding().ok()?;
    if checked.hrp() != hrp || checked.byte_iter().len() != 32 {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    for (to, from) in key.iter_mut().zip(checked.byte_iter()) {
        *to = from;
    }
    Some(key)
}

/// Keys, one per line, with comments and empty lines.
pub(super) fn parse_lines<T: FromStr<Err = KeyError>>(text: &str) -> Result<Vec<T>, KeyError> {
    let keys = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            line.parse().map_err(|source| KeyError::Line {
                number,
                source: Box::new(source),
            })
        })
        .collect::<Result<Vec<T>, _>>()?;
    if keys.is_empty() {
        return Err(KeyError::NoKeys);
    }
    Ok(keys)
}
