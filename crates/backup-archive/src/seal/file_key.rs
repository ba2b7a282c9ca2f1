//! The secret that every recipient of one file gets, and the keys that come of it.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::payload::PayloadKey;
use crate::random;

/// Length of a [`FileKey`], in bytes.
pub(super) const FILE_KEY_LEN: usize = 16;
/// Length of a wrapped [`FileKey`], in bytes.
pub(super) const WRAPPED_LEN: usize = FILE_KEY_LEN + 16;

/// The secret of one file.
pub(super) struct FileKey(Zeroizing<[u8; FILE_KEY_LEN]>);

impl FileKey {
    pub(super) fn generate() -> Result<Self, Unspecified> {
        random::secret().map(Self)
    }

    /// The code that shows that whoever wrote `header` knew this key.
    pub(super) fn header_mac(&self, header: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.header_key(), header);
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }

    pub(super) fn is_header_mac(&self, header: &[u8], mac: &[u8; 32]) -> bool {
        hmac::verify(&self.header_key(), header, mac).is_ok()
    }

    pub(super) fn payload_key(&self, nonce: &[u8; 16]) -> PayloadKey {
        PayloadKey::new(&derive(&*self.0, nonce, b"payload"))
    }

    /// Wraps the key with another that was made for nothing else.
    pub(super) fn wrap(&self, wrapping_key: &[u8; 32]) -> [u8; WRAPPED_LEN] {
        let mut wrapped = [0; WRAPPED_LEN];
        let (body, tag) = wrapped.split_at_mut(FILE_KEY_LEN);
        body.copy_from_slice(&*self.0);
        let computed = aead_key(wrapping_key)
            .seal_in_place_separate_tag(zero_nonce(), Aad::empty(), body)
            .expect("16 bytes are not too many");
        tag.copy_from_slice(computed.as_ref());
        wrapped
    }

    /// `None`: wrapped with another key, or damaged.
    pub(super) fn unwrap(wrapping_key: &[u8; 32], wrapped: &[u8; WRAPPED_LEN]) -> Option<Self> {
        let mut opened = Zeroizing::new(*wrapped);
        let key = aead_key(wrapping_key)
            .open_in_place(zero_nonce(), Aad::empty(), &mut *opened)
            .ok()?;
        let mut file_key = Zeroizing::new([0; FILE_KEY_LEN]);
        file_key.copy_from_slice(key);
        Some(Self(file_key))
    }

    fn header_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*derive(&*self.0, b"", b"header"))
    }
}

/// HKDF-SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(&mut *key))
        .expect("32 bytes are one block of output");
    key
}

fn aead_key(key: &[u8; 32]) -> LessSafeKey {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes");
    LessSafeKey::new(key)
}

/// Right only because every wrapping key is used once.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
