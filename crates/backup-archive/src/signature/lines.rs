//! The files of minisign: lines of comments and of base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(super) const UNTRUSTED_PREFIX: &str = "untrusted comment: ";
pub(super) const TRUSTED_PREFIX: &str = "trusted comment: ";
/// Ed25519: of keys, and of signatures over the content itself.
pub(super) const ED25519: [u8; 2] = *b"Ed";
/// Ed25519 over the hash of the content.
pub(super) const PREHASHED: [u8; 2] = *b"ED";
/// Longest file, in bytes: minisign allows comments of 1 and 8 KiB.
pub(super) const MAX_FILE_LEN: usize = 16 * 1024;

/// `N` bytes in base64, all of the line. They may be a secret.
pub(super) fn decode<const N: usize>(line: &str) -> Option<Zeroizing<[u8; N]>> {
    // The decoder wants room for what the padding stands for, too.
    let mut room = Zeroizing::new(vec![0; N + 3]);
    let len = STANDARD.decode_slice(line, &mut room).ok()?;
    let mut bytes = Zeroizing::new([0; N]);
    bytes.copy_from_slice(room.get(..len).filter(|bytes| bytes.len() == N)?);
    Some(bytes)
}

pub(super) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// The line after an untrusted comment, if the text is only those two lines.
pub(super) fn after_comment(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    lines.next()?.strip_prefix(UNTRUSTED_PREFIX)?;
    let line = lines.next()?;
    lines.all(str::is_empty).then_some(line)
}

/// Takes `N` bytes from the front of `bytes`, which are as long as the callers know.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (first, rest) = bytes
        .split_first_chunk()
        .expect("lengths of fields add up to that of the record");
    *bytes = rest;
    *first
}
