//! Reads the headers of entries strictly: what two tar readers could understand differently is refused.

use std::io::{self, Read};
use std::ops::Range;

use super::{BLOCK, OCTAL_SIZE_LIMIT, Refusal, field, padding, pax};
use crate::{ArchivePath, EntryKind, Metadata, Timestamp};

/// What stands at an offset of a tar stream where headers are.
#[derive(Debug)]
pub(crate) enum Item {
    /// An entry; its content follows.
    Entry(Box<TarEntry>),
    /// A header that says nothing about any entry, such as a comment for the whole archive, or `./`.
    Nothing {
        /// Length of the header in bytes.
        header_len: u64,
    },
    /// A block of zeros: the end of the archive.
    End,
}

/// An entry as its headers describe it.
#[derive(Debug)]
pub(crate) struct TarEntry {
    pub(crate) path: ArchivePath,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    pub(crate) metadata: Metadata,
    pub(crate) header_len: u64,
}

/// A header that cannot be accepted, with the name that it gives, as far as it is known.
#[derive(Debug)]
pub(crate) enum TarError {
    Io(io::Error),
    Refused { name: Vec<u8>, reason: Refusal },
}

/// Reads the headers of the next entry from `stream`, not its content. Extended headers may have `max_pax` bytes.
pub(crate) fn read_item(stream: &mut dyn Read, max_pax: u64) -> Result<Item, TarError> {
    let mut extended = Extended::default();
    let mut header_len = 0;
    loop {
        let mut block = [0; BLOCK];
        let refused = |reason| TarError::Refused {
            name: extended.name().to_vec(),
            reason,
        };
        if !read_block(stream, &mut block)? {
            return Err(refused(Refusal::Truncated));
        }
        header_len += BLOCK as u64;
        if block == [0; BLOCK] {
            return if header_len == BLOCK as u64 {
                Ok(Item::End)
            } else {
                Err(refused(Refusal::NoHeader))
            };
        }
        let header = Ustar(&block);
        header.check().map_err(refused)?;
        let result = match header.type_flag() {
            flag @ (b'x' | b'g' | b'L' | b'K') => {
                let size = header.size().map_err(refused)?;
                if size > max_pax {
                    return Err(refused(Refusal::PaxTooLarge {
                        len: size,
                        max: max_pax,
                    }));
                }
                let body = read_body(stream, size)?.ok_or_else(|| refused(Refusal::Truncated))?;
                header_len += super::padded(size);
                extended.add(flag, body).map(|()| None)
            }
            _ => header.entry(&extended, header_len).map(Some),
        };
        match result {
            Ok(Some(item)) => return Ok(item),
            Ok(None) if extended.is_only_global() => return Ok(Item::Nothing { header_len }),
            Ok(None) => {}
            Err(reason) => {
                let name = if extended.name().is_empty() {
                    header.full_name()
                } else {
                    extended.name().to_vec()
                };
                return Err(TarError::Refused { name, reason });
            }
        }
    }
}

/// Fills the block; `false` if the stream ends first.
fn read_block(stream: &mut dyn Read, block: &mut [u8]) -> Result<bool, TarError> {
    match stream.read_exact(block) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(TarError::Io(error)),
    }
}

/// Reads `size` bytes, which the caller has held against a limit, and their padding.
fn read_body(stream: &mut dyn Read, size: u64) -> Result<Option<Vec<u8>>, TarError> {
    let mut body = vec![0; size as usize + padding(size)];
    if !read_block(stream, &mut body)? {
        return Ok(None);
    }
    body.truncate(size as usize);
    Ok(Some(body))
}

/// What the headers before the header proper say.
#[derive(Default)]
struct Extended {
    records: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    user: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
    mtime: Option<Timestamp>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    global: bool,
}

impl Extended {
    fn name(&self) -> &[u8] {
        self.path.as_deref().unwrap_or_default()
    }

    fn is_only_global(&self) -> bool {
        self.global && self.records.is_none() && self.path.is_none() && self.link.is_none()
    }

    fn add(&mut self, flag: u8, body: Vec<u8>) -> Result<(), Refusal> {
        match flag {
            b'x' if self.records.is_some() => {
                Err(Refusal::PaxConflict("an extended header".into()))
            }
            b'x' => {
                let result = self.add_records(&body);
                self.records = Some(body);
                result
            }
            b'g' => {
                self.global = true;
                check_global(&body)
            }
            b'L' => set_once(&mut self.path, "path", without_nul(body)),
            _ => set_once(&mut self.link, "linkpath", without_nul(body)),
        }
    }

    fn add_records(&mut self, body: &[u8]) -> Result<(), Refusal> {
        for record in pax::Records(body) {
            let (key, value) = record?;
            match key {
                b"path" => set_once(&mut self.path, "path", value.to_vec())?,
                b"linkpath" => set_once(&mut self.link, "linkpath", value.to_vec())?,
                b"size" => set_once(&mut self.size, "size", decimal(value, "size")?)?,
                b"uid" => set_once(&mut self.uid, "uid", decimal(value, "uid")?)?,
                b"gid" => set_once(&mut self.gid, "gid", decimal(value, "gid")?)?,
                b"uname" => set_once(&mut self.user, "uname", value.to_vec())?,
                b"gname" => set_once(&mut self.group, "gname", value.to_vec())?,
                b"mtime" => set_once(&mut self.mtime, "mtime", parse_time(value)?)?,
                _ if key.starts_with(b"GNU.sparse.")
                    || key == b"SCHILY.realsize"
                    || key == b"SUN.holesdata" =>
                {
                    return Err(Refusal::Sparse);
                }
                _ => self.add_xattr(key, value)?,
            }
        }
        Ok(())
    }

    fn add_xattr(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let Some(name) = pax::xattr_name(key) else {
            return Ok(());
        };
        if name.is_empty() || name.contains(&0) {
            return Err(Refusal::PaxMalformed);
        }
        if self.xattrs.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::PaxConflict(
                String::from_utf8_lossy(key).into_owned(),
            ));
        }
        self.xattrs.push((name, value.to_vec()));
        Ok(())
    }
}

fn set_once<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), Refusal> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refusal::PaxConflict(key.into())),
    }
}

/// A global header may carry a comment; anything else would change what later entries mean.
fn check_global(body: &[u8]) -> Result<(), Refusal> {
    for record in pax::Records(body) {
        let (key, _) = record?;
        if key != b"comment" {
            return Err(Refusal::PaxGlobal(
                String::from_utf8_lossy(key).into_owned(),
            ));
        }
    }
    Ok(())
}

fn without_nul(mut body: Vec<u8>) -> Vec<u8> {
    if body.last() == Some(&0) {
        body.pop();
    }
    body
}

fn decimal<T: std::str::FromStr>(value: &[u8], field: &'static str) -> Result<T, Refusal> {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok())
        .ok_or(Refusal::Number(field))
}

fn parse_time(value: &[u8]) -> Result<Timestamp, Refusal> {
    let malformed = Refusal::Number("mtime");
    let text = std::str::from_utf8(value).map_err(|_| malformed.clone())?;
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || !(whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit())
    {
        return Err(malformed);
    }
    let seconds: i64 = whole.parse().map_err(|_| malformed.clone())?;
    // Digits beyond nanoseconds cannot be kept by any file system here.
    let nanoseconds = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = nanoseconds.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Ok(match (negative, nanoseconds) {
        (false, _) => Timestamp {
            seconds,
            nanoseconds,
        },
        (true, 0) => Timestamp {
            seconds: -seconds,
            nanoseconds,
        },
        (true, _) => Timestamp {
            seconds: -seconds - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        },
    })
}

struct Ustar<'a>(&'a [u8; BLOCK]);

impl Ustar<'_> {
    fn type_flag(&self) -> u8 {
        self.0[field::TYPE]
    }

    fn is_gnu(&self) -> bool {
        self.0[field::MAGIC] == *b"ustar  \0"
    }

    fn check(&self) -> Result<(), Refusal> {
        if !self.is_gnu() && self.0[field::MAGIC] != *b"ustar\x0000" {
            return Err(Refusal::NoHeader);
        }
        let stored = octal(&self.0[field::CHECKSUM]).ok_or(Refusal::Checksum)?;
        if stored == u64::from(field::checksum(self.0)) {
            Ok(())
        } else {
            Err(Refusal::Checksum)
        }
    }

    fn text(&self, range: Range<usize>) -> &[u8] {
        let bytes = &self.0[range];
        let len = bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(bytes.len());
        &bytes[..len]
    }

    fn number(&self, range: Range<usize>, name: &'static str) -> Result<u64, Refusal> {
        let bytes = &self.0[range];
        let number = if bytes[0] & 0x80 != 0 {
            base256(bytes)
        } else {
            octal(bytes)
        };
        number.ok_or(Refusal::Number(name))
    }

    fn size(&self) -> Result<u64, Refusal> {
        self.number(field::SIZE, "size")
    }

    fn owner(&self, range: Range<usize>, name: &'static str) -> Result<u32, Refusal> {
        u32::try_from(self.number(range, name)?).map_err(|_| Refusal::Number(name))
    }

    /// The name as the header alone gives it. The prefix field is one in ustar headers only; GNU keeps times there.
    fn full_name(&self) -> Vec<u8> {
        let (prefix, name) = (self.text(field::PREFIX), self.text(field::NAME));
        if prefix.is_empty() || self.is_gnu() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    fn entry(&self, extended: &Extended, header_len: u64) -> Result<Item, Refusal> {
        let name = extended.path.clone().unwrap_or_else(|| self.full_name());
        let Some(name) = extractable_name(&name, self.type_flag() == b'5') else {
            return Ok(Item::Nothing { header_len });
        };
        let path = ArchivePath::new(name)?;
        let kind = self.kind(extended)?;
        let size = self.entry_size(extended)?;
        if size > 0 && !kind.is_file() {
            return Err(Refusal::UnexpectedContent);
        }
        let metadata = self.metadata(extended)?;
        Ok(Item::Entry(Box::new(TarEntry {
            path,
            kind,
            size,
            metadata,
            header_len,
        })))
    }

    fn kind(&self, extended: &Extended) -> Result<EntryKind, Refusal> {
        let link = extended
            .link
            .clone()
            .unwrap_or_else(|| self.text(field::LINK).to_vec());
        match self.type_flag() {
            b'0' | 0 => Ok(EntryKind::File),
            b'1' => {
                let target = link.strip_prefix(b"./").unwrap_or(&link);
                let target = ArchivePath::new(target).map_err(|_| Refusal::LinkEscapes)?;
                Ok(EntryKind::HardLink { target })
            }
            b'2' if link.is_empty() || link.contains(&0) => Err(Refusal::LinkTarget),
            b'2' => Ok(EntryKind::Symlink { target: link }),
            b'5' => Ok(EntryKind::Directory),
            b'3' | b'4' | b'6' => Err(Refusal::Device),
            b'S' => Err(Refusal::Sparse),
            other => Err(Refusal::Type(char::from(other))),
        }
    }

    fn entry_size(&self, extended: &Extended) -> Result<u64, Refusal> {
        let in_header = self.size()?;
        match extended.size {
            None => Ok(in_header),
            Some(size) if size == in_header => Ok(size),
            // Writers without base-256 leave zero in a field that is too short.
            Some(size) if in_header == 0 && size >= OCTAL_SIZE_LIMIT => Ok(size),
            Some(_) => Err(Refusal::SizeConflict),
        }
    }

    fn metadata(&self, extended: &Extended) -> Result<Metadata, Refusal> {
        let uid = extended
            .uid
            .map_or_else(|| self.owner(field::UID, "uid"), Ok)?;
        let gid = extended
            .gid
            .map_or_else(|| self.owner(field::GID, "gid"), Ok)?;
        let mtime = match extended.mtime {
            Some(mtime) => mtime,
            None => self.mtime()?,
        };
        Ok(Metadata {
            mode: (self.number(field::MODE, "mode")? & 0o7777) as u32,
            uid,
            gid,
            user: extended
                .user
                .clone()
                .unwrap_or_else(|| self.text(field::USER).to_vec()),
            group: extended
                .group
                .clone()
                .unwrap_or_else(|| self.text(field::GROUP).to_vec()),
            mtime,
            xattrs: extended.xattrs.clone(),
            sparse: false,
            origin: None,
        })
    }

    /// The one number that may be negative: two's complement after a leading 0xff.
    fn mtime(&self) -> Result<Timestamp, Refusal> {
        let bytes = &self.0[field::MTIME];
        let seconds = if bytes[..4] == [0xff; 4] {
            let low: [u8; 8] = bytes[4..]
                .try_into()
                .map_err(|_| Refusal::Number("mtime"))?;
            Some(i64::from_be_bytes(low)).filter(|seconds| *seconds < 0)
        } else {
            i64::try_from(self.number(field::MTIME, "mtime")?).ok()
        };
        Ok(Timestamp {
            seconds: seconds.ok_or(Refusal::Number("mtime"))?,
            nanoseconds: 0,
        })
    }
}

/// The name without a leading `./` and, of a folder, without the closing `/`; `None` for the top itself.
fn extractable_name(name: &[u8], directory: bool) -> Option<&[u8]> {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    let name = if directory {
        name.strip_suffix(b"/").unwrap_or(name)
    } else {
        name
    };
    let is_top = directory && (name.is_empty() || name == b".");
    (!is_top).then_some(name)
}

fn octal(bytes: &[u8]) -> Option<u64> {
    let is_fill = |byte: &u8| matches!(byte, b' ' | 0);
    let start = bytes.iter().position(|&byte| byte != b' ')?;
    let digits = &bytes[start..];
    let len = digits.iter().position(is_fill).unwrap_or(digits.len());
    if !digits[len..].iter().all(is_fill) {
        return None;
    }
    digits[..len]
        .iter()
        .try_fold(0_u64, |value, &digit| match digit {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
            _ => None,
        })
}

fn base256(bytes: &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    if *first != 0x80 {
        return None;
    }
    rest.iter().try_fold(0_u64, |value, &byte| {
        Some(value.checked_mul(256)? + u64::from(byte))
    })
}
