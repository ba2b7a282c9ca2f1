//! The hash of a file, which is what is signed.

use std::io::{self, Read};

use blake2::{Blake2b512, Digest};

/// BLAKE2b-512 of the content of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Prehash([u8; 64]);

/// Read in such pieces.
const PIECE_LEN: usize = 256 * 1024;

impl Prehash {
    /// Reads `content` to its end, in pieces.
    ///
    /// # Errors
    /// As reading gives them.
    pub fn of(mut content: impl Read) -> io::Result<Self> {
        let mut hasher = Blake2b512::new();
        let mut piece = vec![0; PIECE_LEN];
        loop {
            match content.read(&mut piece) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(len) => hasher.update(&piece[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
