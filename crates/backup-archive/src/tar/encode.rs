//! Writes the headers of an entry: a ustar header, preceded by a pax extended header only where ustar cannot say it.

use std::ops::Range;

use unicode_normalization::is_nfc;

use super::{BLOCK, OCTAL_SIZE_LIMIT, field, padding, pax};
use crate::{ArchivePath, EntryKind, Metadata, Timestamp};

/// The longest headers an entry may have, in bytes: a bound for its extended attributes, and for what readers must hold in memory.
pub(crate) const MAX_HEADER_LEN: usize = 1 << 20;

/// Numbers above do not fit the seven octal digits of a user or group.
const OCTAL_OWNER_LIMIT: u32 = 1 << 21;
/// Numbers above do not fit the eleven octal digits of a time.
const OCTAL_TIME_LIMIT: i64 = 1 << 33;

/// Appends the headers of an entry to `out`: whole blocks, ready for the content. The same arguments give the same bytes.
pub(crate) fn encode_headers(
    out: &mut Vec<u8>,
    path: &ArchivePath,
    kind: &EntryKind,
    size: u64,
    metadata: &Metadata,
) {
    let mut name = path.as_bytes().to_vec();
    if kind.is_directory() {
        name.push(b'/');
    }
    let link: &[u8] = match kind {
        EntryKind::Symlink { target } => target,
        EntryKind::HardLink { target } => target.as_bytes(),
        EntryKind::File | EntryKind::Directory => b"",
    };
    let records = pax_records(&name, link, size, metadata);
    if !records.is_empty() {
        push_extended_header(out, &records);
    }
    let type_flag = match kind {
        EntryKind::File => b'0',
        EntryKind::HardLink { .. } => b'1',
        EntryKind::Symlink { .. } => b'2',
        EntryKind::Directory => b'5',
    };
    out.extend_from_slice(&ustar_header(&name, link, type_flag, size, metadata));
}

fn pax_records(name: &[u8], link: &[u8], size: u64, metadata: &Metadata) -> Vec<u8> {
    let Metadata {
        uid,
        gid,
        user,
        group,
        mtime,
        xattrs,
        ..
    } = metadata;
    let mut records = Vec::new();
    let user_len = field::USER.len() - 1; // a NUL must follow
    for (key, value, fits) in [
        (&b"path"[..], name, split_name(name).is_some()),
        (b"linkpath", link, link.len() <= field::LINK.len()),
        (b"uname", user, user.len() <= user_len),
        (b"gname", group, group.len() <= user_len),
    ] {
        if !fits || needs_its_encoding_told(value) {
            pax::push_record(&mut records, key, value);
        }
    }
    if size >= OCTAL_SIZE_LIMIT {
        pax::push_record(&mut records, b"size", size.to_string().as_bytes());
    }
    for (key, id) in [(b"uid", *uid), (b"gid", *gid)] {
        if id >= OCTAL_OWNER_LIMIT {
            pax::push_record(&mut records, key, id.to_string().as_bytes());
        }
    }
    if mtime.nanoseconds != 0 || !(0..OCTAL_TIME_LIMIT).contains(&mtime.seconds) {
        pax::push_record(&mut records, b"mtime", decimal_time(*mtime).as_bytes());
    }
    for (name, value) in xattrs {
        pax::push_record(&mut records, &pax::xattr_key(name), value);
    }
    records
}

/// Extended headers are UTF-8. Of other encodings nobody knows which; such names go into the header proper, byte for byte, where
/// no reader converts them. (The record that declares them binary makes GNU tar warn.) So do names with decomposed letters: bsdtar
/// composes what it finds in an extended header, and would make a file of another name.
fn needs_its_encoding_told(value: &[u8]) -> bool {
    !value.is_ascii() && std::str::from_utf8(value).is_ok_and(is_nfc)
}

/// Seconds with as many decimals as needed, as pax writes times: -1.5 is half a second before -1.
fn decimal_time(time: Timestamp) -> String {
    let nanoseconds = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, fraction) = (
        nanoseconds.unsigned_abs() / 1_000_000_000,
        nanoseconds.unsigned_abs() % 1_000_000_000,
    );
    let text = format!("{sign}{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn push_extended_header(out: &mut Vec<u8>, records: &[u8]) {
    let metadata = Metadata {
        mode: 0o644,
        ..Metadata::default()
    };
    out.extend_from_slice(&ustar_header(
        b"././@PaxHeader",
        b"",
        b'x',
        records.len() as u64,
        &metadata,
    ));
    out.extend_from_slice(records);
    out.resize(out.len() + padding(records.len() as u64), 0);
}

fn ustar_header(
    name: &[u8],
    link: &[u8],
    type_flag: u8,
    size: u64,
    metadata: &Metadata,
) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    // A name that does not fit is in the extended header; here goes what fits of it, for readers that know no extended headers.
    let (prefix, name) = split_name(name).unwrap_or((b"", name));
    put_bytes(&mut header, field::PREFIX, prefix);
    put_bytes(&mut header, field::NAME, name);
    put_octal(&mut header, field::MODE, u64::from(metadata.mode & 0o7777));
    put_number(&mut header, field::UID, u64::from(metadata.uid));
    put_number(&mut header, field::GID, u64::from(metadata.gid));
    put_number(&mut header, field::SIZE, size);
    put_octal(
        &mut header,
        field::MTIME,
        metadata.mtime.seconds.clamp(0, OCTAL_TIME_LIMIT - 1) as u64,
    );
    header[field::TYPE] = type_flag;
    put_bytes(&mut header, field::LINK, link);
    header[field::MAGIC].copy_from_slice(b"ustar\x0000");
    // Both names must end with a NUL inside their fields.
    put_bytes(
        &mut header,
        field::USER.start..field::USER.end - 1,
        &metadata.user,
    );
    put_bytes(
        &mut header,
        field::GROUP.start..field::GROUP.end - 1,
        &metadata.group,
    );
    put_octal(&mut header, field::DEVICE_MAJOR, 0);
    put_octal(&mut header, field::DEVICE_MINOR, 0);
    let checksum = format!("{:06o}\0 ", field::checksum(&header));
    header[field::CHECKSUM].copy_from_slice(checksum.as_bytes());
    header
}

/// Splits a name at a `/` into the prefix and name fields of ustar; `None` if no split fits.
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= field::NAME.len() {
        return Some((b"", name));
    }
    let longest_prefix = field::PREFIX.len().min(name.len() - 2);
    let slash = name[..=longest_prefix]
        .iter()
        .rposition(|&byte| byte == b'/')?;
    let (prefix, rest) = (&name[..slash], &name[slash + 1..]);
    (rest.len() <= field::NAME.len()).then_some((prefix, rest))
}

fn put_bytes(header: &mut [u8; BLOCK], range: Range<usize>, value: &[u8]) {
    let len = value.len().min(range.len());
    header[range][..len].copy_from_slice(&value[..len]);
}

fn put_octal(header: &mut [u8; BLOCK], range: Range<usize>, value: u64) {
    let text = format!("{value:0width$o}\0", width = range.len() - 1);
    header[range].copy_from_slice(text.as_bytes());
}

/// Octal where it fits, otherwise base-256 (a GNU extension that all readers know).
fn put_number(header: &mut [u8; BLOCK], range: Range<usize>, value: u64) {
    let octal_bits = 3 * (range.len() - 1);
    if value >> octal_bits == 0 {
        return put_octal(header, range, value);
    }
    let number = &mut header[range];
    let (high, low) = number.split_at_mut(number.len().saturating_sub(8));
    low.copy_from_slice(&value.to_be_bytes()[8 - low.len()..]);
    high.fill(0);
    number[0] |= 0x80;
}
