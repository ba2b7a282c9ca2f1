//! The content: chunks, each encrypted by itself, so that any of them can be opened alone and several at once.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};

/// Content of a chunk, in bytes; the last may have less.
pub(super) const CHUNK_LEN: usize = 64 * 1024;
/// What sealing adds to each chunk, in bytes.
pub(super) const TAG_LEN: usize = 16;
/// Length of a full chunk in the file, in bytes.
pub(super) const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
/// Length of the nonce between header and chunks, in bytes.
pub(super) const PAYLOAD_NONCE_LEN: usize = 16;

/// Whether a chunk is the last of its file. It is part of what is authenticated: nobody can cut a file, or add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Inner,
    Last,
}

/// The key of all chunks of one file, and of nothing else.
pub(super) struct PayloadKey(LessSafeKey);

impl PayloadKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts `chunk` where it is and gives its tag. A key must never seal two chunks at the same index.
    pub(super) fn seal(&self, index: u64, position: Position, chunk: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce(index, position), Aad::empty(), chunk)
            .expect("a chunk is not too long");
        let mut bytes = [0; TAG_LEN];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Decrypts `sealed` where it is. `None`: damaged, or not the chunk of that index and position; then its bytes are lost.
    pub(super) fn open<'a>(
        &self,
        index: u64,
        position: Position,
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let (chunk, tag) = sealed.split_last_chunk_mut::<TAG_LEN>()?;
        let nonce = nonce(index, position);
        self.0
            .open_in_place_separate_tag(nonce, Aad::empty(), Tag::from(*tag), chunk, 0..)
            .ok()
            .map(|chunk| &*chunk)
    }
}

/// The STREAM construction: a counter in 11 bytes, most significant first, and a byte that tells the last chunk.
fn nonce(index: u64, position: Position) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[3..11].copy_from_slice(&index.to_be_bytes());
    bytes[11] = u8::from(position == Position::Last);
    Nonce::assume_unique_for_key(bytes)
}
