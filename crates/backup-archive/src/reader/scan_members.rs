//! Scans an archive of ours member by member. Each says where it belongs, so that what is damaged can be passed over.

use super::engine::Scratch;
use super::open::sniff;
use super::scan::{ScanDamage, ScannedTable, refused, tar_error};
use crate::codec::{Codec, Decoder};
use crate::format::{Member, MemberHeader};
use crate::source::read_exact_at;
use crate::subtree::is_segment_len;
use crate::tar::{Item, MAX_HEADER_LEN, TarEntry, padded, read_item};
use crate::writer::TableBuilder;
use crate::{Digest, Entry, Limits, ReadError, Refusal, Source};

/// An archive of ours has a member within so many bytes, even if its first one is damaged.
const SEARCH_START_LEN: u64 = 40 << 20;
const WINDOW_LEN: u64 = 1 << 20;
/// Where the file cannot be read, it is searched in pieces of this length.
const SMALL_WINDOW_LEN: u64 = 4 << 10;

/// Which of our containers a file is, if it is one.
pub(super) fn find_codec(source: &dyn Source) -> Result<Option<Codec>, ReadError> {
    for codec in [Codec::Gzip, Codec::Zstd] {
        if read_header(source, codec, 0).is_some() {
            return Ok(Some(codec));
        }
    }
    // Contents may hold whole archives of ours: first it counts what the damaged beginning looks like. Of a file that begins like no
    // archive at all, any members are better than none.
    let has_members = |codec| {
        let end = source.len().min(SEARCH_START_LEN);
        find_header(source, codec, 0, end, &|header| header.tar_offset > 0).is_some()
    };
    for codec in [Codec::Gzip, Codec::Zstd] {
        if looks_damaged(source, codec)? && has_members(codec) {
            return Ok(Some(codec));
        }
    }
    if sniff(source)?.is_some() {
        return Ok(None);
    }
    Ok([Codec::Gzip, Codec::Zstd]
        .into_iter()
        .find(|&codec| has_members(codec)))
}

/// Whether the file could have begun with a member of ours: another program's archive has no damaged bytes where our header is.
fn looks_damaged(source: &dyn Source, codec: Codec) -> Result<bool, ReadError> {
    let mut start = vec![0; codec.header_len()];
    if source.len() < start.len() as u64 {
        return Ok(false);
    }
    read_exact_at(source, &mut start, 0).map_err(|source| ReadError::Io { offset: 0, source })?;
    let expected = codec.encode_header(&MemberHeader {
        tar_offset: 0,
        stored_len: 0,
        tar_len: 0,
        starts_entry: true,
        is_stored: false,
        in_contents: false,
    });
    let same = start
        .iter()
        .zip(expected.iter())
        .filter(|(found, expected)| found == expected)
        .count();
    Ok(same * 2 >= start.len())
}

/// Scans all members.
pub(super) fn scan(
    source: &dyn Source,
    codec: Codec,
    limits: &Limits,
) -> Result<(TableBuilder, ScanDamage), ReadError> {
    let mut scan = Scan {
        source,
        codec,
        table: ScannedTable::new(limits, source.len(), false),
        damage: ScanDamage::default(),
        large: None,
        tar_offset: 0,
        decoder: Decoder::new(),
        scratch: Scratch::default(),
    };
    scan.run()?;
    Ok((scan.table.into_builder(), scan.damage))
}

struct Scan<'a> {
    source: &'a dyn Source,
    codec: Codec,
    table: ScannedTable<'a>,
    damage: ScanDamage,
    large: Option<Large>,
    /// End of the last intact member in the tar stream.
    tar_offset: u64,
    decoder: Decoder,
    scratch: Scratch,
}

/// A large entry of which some members were seen.
struct Large {
    entry: Entry,
    start: u64,
    end: u64,
    members: Vec<Member>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), ReadError> {
        let file_len = self.source.len();
        let mut offset = 0;
        let mut bad_from = None;
        while offset < file_len {
            let header = read_header(self.source, self.codec, offset)
                .filter(|header| self.is_plausible(header));
            let Some(header) = header else {
                bad_from.get_or_insert(offset);
                let next = find_header(self.source, self.codec, offset + 1, file_len, &|header| {
                    self.is_plausible(header)
                });
                offset = next.unwrap_or(file_len);
                continue;
            };
            if header.in_contents {
                self.end_stretch(&mut bad_from, offset);
                self.drop_large();
                return Ok(());
            }
            match self.read_member(offset, &header)? {
                Some((member, plain)) => {
                    self.end_stretch(&mut bad_from, offset);
                    self.take_member(member, &plain)?;
                }
                None => {
                    bad_from.get_or_insert(offset);
                }
            }
            offset = offset.saturating_add(header.stored_len.into());
        }
        self.end_stretch(&mut bad_from, file_len);
        self.drop_large();
        self.damage.is_cut_short = true;
        Ok(())
    }

    /// Contents may hold archives of ours, stored as they are. Their members belong to other places, so most are told apart by that.
    fn is_plausible(&self, header: &MemberHeader) -> bool {
        const MOST_MISSING: u64 = 64 << 30;
        header.tar_offset >= self.tar_offset && header.tar_offset - self.tar_offset <= MOST_MISSING
    }

    fn end_stretch(&mut self, bad_from: &mut Option<u64>, end: u64) {
        if let Some(start) = bad_from.take() {
            self.damage.stretches.push((start, end - start));
        }
    }

    fn drop_large(&mut self) {
        if let Some(large) = self.large.take() {
            self.damage.entries.push(large.entry.path);
        }
    }

    /// Reads and decodes a member; `None` if that cannot be done.
    fn read_member(
        &mut self,
        offset: u64,
        header: &MemberHeader,
    ) -> Result<Option<(Member, Vec<u8>)>, ReadError> {
        let mut member = Member {
            stored_offset: offset,
            stored_len: header.stored_len,
            tar_offset: header.tar_offset,
            tar_len: header.tar_len,
            starts_entry: header.starts_entry,
            is_stored: header.is_stored,
            digest: Digest::from([0; Digest::LEN]),
        };
        if member.stored_end() > self.source.len() || member.tar_len == 0 {
            return Ok(None);
        }
        let Ok(stored) = self.scratch.read(self.source, self.codec, &member, false) else {
            return Ok(None);
        };
        member.digest = Digest::of(&stored[self.codec.header_len()..]);
        let mut plain = vec![0; member.tar_len as usize];
        let decoded = self.decoder.decode(self.codec, stored, &mut plain);
        Ok(decoded.is_ok().then_some((member, plain)))
    }

    fn take_member(&mut self, member: Member, plain: &[u8]) -> Result<(), ReadError> {
        let continues = !member.starts_entry && member.tar_offset == self.tar_offset;
        self.tar_offset = member.tar_end();
        self.table.check_ratio(member.tar_end())?;
        match self.large.take() {
            Some(large) if continues => self.continue_large(large, member),
            large => {
                self.large = large;
                self.drop_large();
                if member.starts_entry {
                    self.take_entries(member, plain)
                } else {
                    Ok(())
                }
            }
        }
    }

    fn continue_large(&mut self, mut large: Large, member: Member) -> Result<(), ReadError> {
        let end = member.tar_end();
        if end > large.end {
            return Err(refused(
                large.entry.path.as_bytes(),
                large.start,
                Refusal::TrailingData,
            ));
        }
        large.members.push(member);
        if end < large.end {
            self.large = Some(large);
            return Ok(());
        }
        large
            .members
            .iter()
            .try_for_each(|member| self.table.push_member(member))?;
        self.table
            .push(&large.entry, large.start, large.end - large.start)
    }

    /// The entries of a member that begins with one. Its bytes are intact: what is wrong with them was written so.
    fn take_entries(&mut self, member: Member, plain: &[u8]) -> Result<(), ReadError> {
        let mut rest = plain;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let offset = member.tar_end() - rest.len() as u64;
            let entry = match read_item(&mut &*rest, MAX_HEADER_LEN as u64)
                .map_err(|error| tar_error(error, offset))?
            {
                Item::Entry(entry) => *entry,
                Item::Nothing { .. } | Item::End => {
                    return Err(refused(b"", offset, Refusal::NoHeader));
                }
            };
            let TarEntry {
                size, header_len, ..
            } = entry;
            let len = header_len.saturating_add(padded(size));
            let entry = self.table.check(entry, offset)?;
            if len > rest.len() as u64 {
                return self.begin_large(entry, offset, len, header_len, member, found.is_empty());
            }
            rest = &rest[len as usize..];
            found.push((entry, offset, len));
        }
        self.table.push_member(&member)?;
        found
            .iter()
            .try_for_each(|(entry, offset, len)| self.table.push(entry, *offset, *len))
    }

    fn begin_large(
        &mut self,
        entry: Entry,
        start: u64,
        len: u64,
        header_len: u64,
        member: Member,
        is_first: bool,
    ) -> Result<(), ReadError> {
        let segment_len = u64::from(member.tar_len).saturating_sub(header_len);
        if !is_first || !is_segment_len(segment_len) || segment_len >= entry.size {
            return Err(refused(entry.path.as_bytes(), start, Refusal::Truncated));
        }
        self.large = Some(Large {
            entry,
            start,
            end: start.saturating_add(len),
            members: vec![member],
        });
        Ok(())
    }
}

/// The header of a member at `offset`; `None` also if it cannot be read.
fn read_header(source: &dyn Source, codec: Codec, offset: u64) -> Option<MemberHeader> {
    let mut bytes = vec![0; codec.header_len()];
    if source.len().saturating_sub(offset) < bytes.len() as u64 {
        return None;
    }
    read_exact_at(source, &mut bytes, offset).ok()?;
    codec.decode_header(&bytes)
}

/// Where the next header of a member begins, from `start` on. What cannot be read is passed over, in small steps.
fn find_header(
    source: &dyn Source,
    codec: Codec,
    start: u64,
    end: u64,
    accept: &dyn Fn(&MemberHeader) -> bool,
) -> Option<u64> {
    let overlap = codec.header_len() as u64 - 1;
    let mut window = Vec::new();
    let mut offset = start;
    let mut step = WINDOW_LEN;
    while offset < end {
        let len = (end - offset).min(step + overlap);
        window.resize(len as usize, 0);
        if read_exact_at(source, &mut window, offset).is_err() {
            if step > SMALL_WINDOW_LEN {
                step = SMALL_WINDOW_LEN;
                continue;
            }
        } else if let Some(at) = codec.find_header(&window, accept) {
            return Some(offset + at as u64);
        }
        offset += step;
    }
    None
}
