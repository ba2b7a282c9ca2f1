//! A line as it is stored: the entry and its hash.

use backup_archive::Digest;

use super::entry::AuditEntry;
use super::head::AuditHead;

/// Lines are no longer than this, so that a reader needs no more memory.
pub(super) const MAX_LINE: usize = 128 * 1024;

/// What stands between the entry and the hash.
const HASH_KEY: &[u8] = br#","hash":""#;
const HASH_DIGITS: usize = 64;
const END: &[u8] = br#""}"#;

/// Writes an entry as a line, line feed included.
pub(super) fn write(entry: &AuditEntry) -> (Vec<u8>, AuditHead) {
    let mut line = serde_json::to_vec(entry).expect("plain fields");
    let hash = Digest::of(&line).to_string();
    line.pop();
    line.extend_from_slice(HASH_KEY);
    line.extend_from_slice(hash.as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    let seq = entry.seq;
    (line, AuditHead { seq, hash })
}

/// Why a line is not one.
pub(super) enum BadLine {
    /// It is not of the form that is written.
    Malformed,
    /// It is, but its hash is another's.
    WrongHash,
}

/// Reads a line without its line feed, and checks its hash.
pub(super) fn read(line: &[u8]) -> Result<(AuditEntry, AuditHead), BadLine> {
    let hash_at = line
        .len()
        .checked_sub(END.len() + HASH_DIGITS)
        .ok_or(BadLine::Malformed)?;
    let (front, hash) = line.split_at(hash_at);
    let hash = hash.strip_suffix(END).ok_or(BadLine::Malformed)?;
    let front = front.strip_suffix(HASH_KEY).ok_or(BadLine::Malformed)?;
    let body = [front, b"}"].concat();
    let expected = Digest::of(&body).to_string();
    if expected.as_bytes() != hash {
        return Err(BadLine::WrongHash);
    }
    let entry: AuditEntry = serde_json::from_slice(&body).map_err(|_| BadLine::Malformed)?;
    let head = AuditHead {
        seq: entry.seq,
        hash: expected,
    };
    Ok((entry, head))
}
