//! The head of a sealed file: for whom it is sealed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::file_key::FileKey;
use super::stanza::Stanza;
use super::{Keyring, UnsealError, UnsealLimits};

/// Every sealed file begins so.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/";
/// Every sealed file of the other form, as text, begins so.
pub(super) const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Longest header that is read, in bytes: more than 600 recipients.
pub(super) const MAX_HEADER_LEN: usize = 64 * 1024;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1";
const STANZA_PREFIX: &[u8] = b"-> ";
const END_PREFIX: &[u8] = b"---";
const BODY_LINE_LEN: usize = 64;
const BODY_BYTES_PER_LINE: usize = BODY_LINE_LEN / 4 * 3;

/// A header as read, not yet authenticated.
pub(super) struct Header {
    stanzas: Vec<Stanza>,
    /// What the code covers.
    covered: Vec<u8>,
    mac: [u8; 32],
    len: usize,
}

/// Renders a header.
pub(super) fn render(stanzas: &[Stanza], file_key: &FileKey) -> Vec<u8> {
    let mut header = VERSION_LINE.to_vec();
    header.push(b'\n');
    for stanza in stanzas {
        render_stanza(&mut header, stanza);
    }
    header.extend(END_PREFIX);
    let mac = file_key.header_mac(&header);
    header.push(b' ');
    header.extend(STANDARD_NO_PAD.encode(mac).as_bytes());
    header.push(b'\n');
    header
}

fn render_stanza(header: &mut Vec<u8>, stanza: &Stanza) {
    header.extend(STANZA_PREFIX);
    header.extend(stanza.kind.as_bytes());
    for argument in &stanza.arguments {
        header.push(b' ');
        header.extend(argument.as_bytes());
    }
    header.push(b'\n');
    for line in stanza.body.chunks(BODY_BYTES_PER_LINE) {
        header.extend(STANDARD_NO_PAD.encode(line).as_bytes());
        header.push(b'\n');
    }
    // The last line is always a short one, if need be an empty one.
    if stanza.body.len().is_multiple_of(BODY_BYTES_PER_LINE) {
        header.push(b'\n');
    }
}

impl Header {
    /// Reads the header at the beginning of `bytes`, which are all of the file or at least [`MAX_HEADER_LEN`] bytes of it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, UnsealError> {
        if bytes.starts_with(ARMOR) {
            return Err(UnsealError::Armored);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(UnsealError::NotSealed);
        }
        let mut lines = Lines { bytes, offset: 0 };
        if lines.next()? != VERSION_LINE {
            return Err(UnsealError::UnsupportedVersion);
        }
        let mut stanzas = Vec::new();
        loop {
            let start = lines.offset;
            let line = lines.next()?;
            if let Some(first) = line.strip_prefix(STANZA_PREFIX) {
                stanzas.push(parse_stanza(first, &mut lines)?);
            } else if let Some(end) = line.strip_prefix(END_PREFIX) {
                return Ok(Self {
                    stanzas,
                    covered: bytes[..start + END_PREFIX.len()].to_vec(),
                    mac: parse_mac(end)?,
                    len: lines.offset,
                });
            } else {
                return Err(damaged("a line that belongs to nothing"));
            }
        }
    }

    /// Length in the file, in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Finds the file key with what is in `keys`, and checks the whole header with it.
    pub(super) fn unlock(
        &self,
        keys: &Keyring,
        limits: UnsealLimits,
    ) -> Result<FileKey, UnsealError> {
        let file_key = match self.stanzas.as_slice() {
            [stanza] if stanza.is_for_passphrase() => {
                unlock_with_passphrases(stanza, keys, limits)?
            }
            stanzas if stanzas.iter().any(Stanza::is_for_passphrase) => {
                // Whoever knows the passphrase could otherwise pretend to have sealed it for somebody else's key.
                return Err(damaged("a passphrase beside other recipients"));
            }
            stanzas => unlock_with_identities(stanzas, keys)?,
        };
        if !file_key.is_header_mac(&self.covered, &self.mac) {
            return Err(damaged("its authentication code does not fit"));
        }
        Ok(file_key)
    }
}

fn unlock_with_passphrases(
    stanza: &Stanza,
    keys: &Keyring,
    limits: UnsealLimits,
) -> Result<FileKey, UnsealError> {
    if keys.passphrases.is_empty() {
        return Err(UnsealError::NeedsPassphrase);
    }
    for passphrase in &keys.passphrases {
        if let Some(key) = stanza.open_with_passphrase(passphrase, limits.max_work_factor)? {
            return Ok(key);
        }
    }
    Err(UnsealError::WrongPassphrase)
}

fn unlock_with_identities(stanzas: &[Stanza], keys: &Keyring) -> Result<FileKey, UnsealError> {
    // Recipients of other kinds are for other programs.
    let ours: Vec<&Stanza> = stanzas.iter().filter(|s| s.is_for_recipient()).collect();
    if keys.identities.is_empty() {
        return Err(UnsealError::NeedsIdentity {
            recipients: ours.len(),
        });
    }
    for stanza in &ours {
        for identity in &keys.identities {
            if let Some(key) = stanza.open_with_identity(identity)? {
                return Ok(key);
            }
        }
    }
    Err(UnsealError::WrongIdentity {
        given: keys.identities.len(),
        recipients: ours.len(),
    })
}

struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Lines<'a> {
    /// The next line, without its end.
    fn next(&mut self) -> Result<&'a [u8], UnsealError> {
        let rest = &self.bytes[self.offset..];
        let Some(len) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(damaged(if self.bytes.len() < MAX_HEADER_LEN {
                "it is cut short"
            } else {
                "it does not end"
            }));
        };
        self.offset += len + 1;
        Ok(&rest[..len])
    }
}

fn parse_stanza(first: &[u8], lines: &mut Lines<'_>) -> Result<Stanza, UnsealError> {
    const MALFORMED: &str = "a malformed recipient";
    let first = std::str::from_utf8(first).map_err(|_| damaged(MALFORMED))?;
    let mut words = first.split(' ').map(|word| {
        let valid = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| word.to_owned()).ok_or(damaged(MALFORMED))
    });
    let kind = words.next().ok_or(damaged(MALFORMED))??;
    let arguments = words.collect::<Result<_, _>>()?;
    let mut body = Vec::new();
    loop {
        let line = lines.next()?;
        if line.len() > BODY_LINE_LEN {
            return Err(damaged(MALFORMED));
        }
        STANDARD_NO_PAD
            .decode_vec(line, &mut body)
            .map_err(|_| damaged(MALFORMED))?;
        if line.len() < BODY_LINE_LEN {
            return Ok(Stanza {
                kind,
                arguments,
                body,
            });
        }
    }
}

fn parse_mac(end: &[u8]) -> Result<[u8; 32], UnsealError> {
    end.strip_prefix(b" ")
        .and_then(|mac| STANDARD_NO_PAD.decode(mac).ok())
        .and_then(|mac| mac.try_into().ok())
        .ok_or(damaged("a malformed authentication code"))
}

const fn damaged(what: &'static str) -> UnsealError {
    UnsealError::DamagedHeader { what }
}
