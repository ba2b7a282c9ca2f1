//! Reads an archive without its table of contents, and makes one.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use super::gaps::Gaps;
use super::open::sniff;
use super::stream::{self, StreamFormat};
use super::strict::SeenPaths;
use super::table::Table;
use super::{ArchiveReader, Layout, scan_members};
use crate::format::{CONTENTS_PATH, Member};
use crate::path::write_readable;
use crate::tar::{BLOCK, Item, TarEntry, TarError, padding, read_item};
use crate::writer::TableBuilder;
use crate::{ArchivePath, Entry, Limits, Location, ReadError, Refusal, Source};

/// What a scan had to leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanDamage {
    /// Stretches of the file that could not be decoded: offset and length, in bytes.
    pub stretches: Vec<(u64, u64)>,
    /// Large entries that lie in such stretches. Small ones cannot be named: their names are lost too.
    pub entries: Vec<ArchivePath>,
    /// Whether the archive ends before its table of contents, so that more may be missing.
    pub is_cut_short: bool,
}

impl ScanDamage {
    /// Whether nothing had to be left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn scan(source: Arc<dyn Source>, limits: Limits) -> Result<ArchiveReader, ReadError> {
    let readable = Gaps(source.as_ref());
    if let Some(codec) = scan_members::find_codec(&readable)? {
        let (table, damage) = scan_members::scan(&readable, codec, &limits)?;
        return finish(
            source,
            limits,
            Layout::Members { codec, end: None },
            table,
            damage,
        );
    }
    let format = sniff(source.as_ref())?
        .ok_or(ReadError::NotAnArchive)?
        .into();
    let table = scan_stream(&source, format, &limits)?;
    finish(
        source,
        limits,
        Layout::Stream(format),
        table,
        ScanDamage::default(),
    )
}

fn finish(
    source: Arc<dyn Source>,
    limits: Limits,
    layout: Layout,
    table: TableBuilder,
    damage: ScanDamage,
) -> Result<ArchiveReader, ReadError> {
    let mut finished = table.finish(&[]).map_err(ReadError::Spill)?;
    let blocks = std::mem::take(&mut finished.blocks);
    let bytes: Bytes = finished.into_bytes().map_err(ReadError::Spill)?;
    let table = Table::new(
        Arc::new(bytes),
        crate::codec::Codec::Plain,
        blocks,
        0,
        0,
        limits.path_bytes,
    )?;
    Ok(ArchiveReader {
        source,
        layout,
        table,
        damage,
        table_damage: None,
    })
}

/// The table that a scan makes, with all that entries are held against.
pub(super) struct ScannedTable<'a> {
    builder: TableBuilder,
    seen: SeenPaths,
    limits: &'a Limits,
    file_len: u64,
    /// Links in archives of other programs are held against stricter rules: we know what we write.
    is_foreign: bool,
    entries: u64,
    content_bytes: u64,
}

impl<'a> ScannedTable<'a> {
    pub(super) fn new(limits: &'a Limits, file_len: u64, is_foreign: bool) -> Self {
        let (builder, seen) = (TableBuilder::in_memory(), SeenPaths::default());
        Self {
            builder,
            seen,
            limits,
            file_len,
            is_foreign,
            entries: 0,
            content_bytes: 0,
        }
    }

    pub(super) fn into_builder(self) -> TableBuilder {
        self.builder
    }

    /// Makes an entry of what was read at `offset` of the tar stream, if it is acceptable.
    pub(super) fn check(&mut self, found: TarEntry, offset: u64) -> Result<Entry, ReadError> {
        let TarEntry {
            path,
            kind,
            size,
            metadata,
            header_len,
        } = found;
        let location = Location::Here {
            offset,
            header_len: header_len as u32,
        };
        let entry = Entry {
            path,
            kind,
            metadata,
            size,
            digest: None,
            location,
        };
        self.check_limits(&entry, offset)?;
        let checked = if self.is_foreign {
            self.seen.check_link(&entry)
        } else {
            Ok(())
        };
        checked
            .and_then(|()| self.seen.add(&entry))
            .map_err(|reason| refused(entry.path.as_bytes(), offset, reason))?;
        Ok(entry)
    }

    fn check_limits(&mut self, entry: &Entry, offset: u64) -> Result<(), ReadError> {
        let limits = self.limits;
        self.entries += 1;
        self.content_bytes = self.content_bytes.saturating_add(entry.size);
        for (what, value, max) in [
            ("entries", self.entries, limits.entries),
            ("bytes of content", self.content_bytes, limits.content_bytes),
            (
                "bytes in a path",
                entry.path.as_bytes().len() as u64,
                limits.path_bytes as u64,
            ),
            (
                "bytes in its table of contents",
                self.builder.stored_len(),
                limits.scanned_table_bytes,
            ),
        ] {
            if value > max {
                return Err(ReadError::Limit { what, max });
            }
        }
        self.check_ratio(offset)
    }

    /// Holds the length of the tar stream so far against that of the file.
    pub(super) fn check_ratio(&self, tar_len: u64) -> Result<(), ReadError> {
        const ALWAYS_ALLOWED: u64 = 64 << 20;
        let max = self
            .file_len
            .saturating_mul(self.limits.ratio)
            .max(ALWAYS_ALLOWED);
        if tar_len > max {
            return Err(ReadError::Limit {
                what: "bytes for the length of its file",
                max,
            });
        }
        Ok(())
    }

    pub(super) fn push(&mut self, entry: &Entry, offset: u64, len: u64) -> Result<(), ReadError> {
        self.builder
            .push_entry(entry, offset, len)
            .map_err(ReadError::Spill)
    }

    pub(super) fn push_member(&mut self, member: &Member) -> Result<(), ReadError> {
        self.builder.push_member(member).map_err(ReadError::Spill)
    }
}

pub(super) fn refused(name: &[u8], offset: u64, reason: Refusal) -> ReadError {
    let mut readable = String::new();
    // Writing to a string cannot fail.
    let _ = write_readable(&mut readable, name);
    ReadError::Refused {
        name: readable,
        offset,
        reason,
    }
}

pub(super) fn tar_error(error: TarError, offset: u64) -> ReadError {
    match error {
        TarError::Io(source) => ReadError::DamagedStream { offset, source },
        TarError::Refused { name, reason } => refused(&name, offset, reason),
    }
}

/// Reads a whole stream that another program wrote.
fn scan_stream(
    source: &Arc<dyn Source>,
    format: StreamFormat,
    limits: &Limits,
) -> Result<TableBuilder, ReadError> {
    let mut stream = stream::open(source, format)?;
    let mut table = ScannedTable::new(limits, source.len(), true);
    let mut offset = 0;
    loop {
        match read_item(stream.as_mut(), limits.pax_bytes)
            .map_err(|error| tar_error(error, offset))?
        {
            Item::End => break,
            Item::Nothing { header_len } => offset += header_len,
            Item::Entry(found) => {
                let (size, header_len) = (found.size, found.header_len);
                // The table of contents of ours, in an archive that somebody has compressed again.
                if found.path.as_bytes() != CONTENTS_PATH.as_bytes() {
                    let entry = table.check(*found, offset)?;
                    table.push(&entry, offset, header_len + crate::tar::padded(size))?;
                }
                offset += header_len;
                skip_content(stream.as_mut(), size, offset, &table)?;
                offset = offset.saturating_add(crate::tar::padded(size));
            }
        }
    }
    check_end(stream.as_mut(), offset + BLOCK as u64)?;
    Ok(table.into_builder())
}

/// Passes over a content in steps, so that a bomb is noticed before it is inflated to its end.
fn skip_content(
    stream: &mut dyn Read,
    size: u64,
    mut offset: u64,
    table: &ScannedTable<'_>,
) -> Result<(), ReadError> {
    const STEP: u64 = 16 << 20;
    let mut remaining = size;
    loop {
        let step = remaining.min(STEP);
        let padding = if step == remaining {
            padding(size) as u64
        } else {
            0
        };
        table.check_ratio(offset.saturating_add(step))?;
        stream::skip(stream, step + padding).map_err(|error| truncated(error, offset))?;
        remaining -= step;
        offset += step;
        if remaining == 0 {
            return Ok(());
        }
    }
}

fn truncated(error: io::Error, offset: u64) -> ReadError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => refused(b"", offset, Refusal::Truncated),
        _ => ReadError::DamagedStream {
            offset,
            source: error,
        },
    }
}

/// After the first block of zeros only zeros may come, at least one block of them.
fn check_end(stream: &mut dyn Read, mut offset: u64) -> Result<(), ReadError> {
    let mut buffer = vec![0; 64 << 10];
    let mut zeros = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) if zeros >= BLOCK as u64 => return Ok(()),
            Ok(0) => return Err(refused(b"", offset, Refusal::Truncated)),
            Ok(len) if buffer[..len].iter().all(|&byte| byte == 0) => {
                zeros += len as u64;
                offset += len as u64;
            }
            Ok(_) => return Err(refused(b"", offset, Refusal::TrailingData)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(ReadError::DamagedStream { offset, source }),
        }
        // Nobody writes so many zeros for nothing.
        if zeros > 64 << 20 {
            return Err(refused(b"", offset, Refusal::TrailingData));
        }
    }
}
