//! Walks members and entries side by side, and cuts the archive into units that can be decoded apart.

use std::iter::Peekable;

use super::table::damaged;
use super::{ArchiveReader, Extent, Layout};
use crate::format::Member;
use crate::subtree::is_segment_len;
use crate::{Entry, ReadError};

/// Something to decode.
pub(super) enum Unit {
    /// A member and all the entries in it.
    Whole {
        member: Member,
        entries: Vec<(Entry, bool)>,
    },
    /// A member that holds a part of a large entry. `entry` comes with the first part.
    Part {
        member: Member,
        entry: Option<Box<Entry>>,
        part: Part,
    },
}

/// A part of the content of a large entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Which one, from 0.
    pub(super) index: u64,
    /// Where the content begins within the member.
    pub(super) start: usize,
    /// Length of the content; padding may follow.
    pub(super) len: usize,
    /// Where it belongs in the file.
    pub(super) offset: u64,
    pub(super) is_last: bool,
}

type Items<'a, T> = Peekable<Box<dyn Iterator<Item = Result<T, ReadError>> + Send + 'a>>;

/// Iterates over the units. Entries in other archives, and members without wanted entries, are passed over.
pub(super) struct Cursor<'a> {
    members: Items<'a, Member>,
    entries: Items<'a, Entry>,
    wanted: &'a mut (dyn FnMut(&mut Entry) -> bool + Send),
    large: Option<Large>,
    /// Where the members before have ended, in the file and in the tar stream.
    position: (u64, u64),
    /// Where the last must end; not known of an archive that was scanned, which may have gaps too.
    end: Option<(u64, u64)>,
}

/// A large entry of which some parts are still to come.
struct Large {
    extent: Extent,
    size: u64,
    segment_len: u64,
    next_part: u64,
    is_wanted: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(
        reader: &'a ArchiveReader,
        wanted: &'a mut (dyn FnMut(&mut Entry) -> bool + Send),
    ) -> Self {
        let end = match reader.layout {
            Layout::Members { end, .. } => end,
            Layout::Stream(_) => None,
        };
        let members: Box<dyn Iterator<Item = _> + Send + 'a> = Box::new(reader.table.members());
        let entries: Box<dyn Iterator<Item = _> + Send + 'a> = Box::new(reader.table.entries());
        Self {
            members: members.peekable(),
            entries: entries.peekable(),
            wanted,
            large: None,
            position: (0, 0),
            end,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Unit>, ReadError> {
        while let Some(member) = self.next_member()? {
            let unit = match self.large.take() {
                Some(large) => self.continue_large(large, member)?,
                None => self.begin_member(member)?,
            };
            if unit.is_some() {
                return Ok(unit);
            }
        }
        let has_entries_left = self.peek_entry()?.is_some();
        if has_entries_left
            || self.large.is_some()
            || self.end.is_some_and(|end| end != self.position)
        {
            return Err(damaged("members and entries do not add up"));
        }
        Ok(None)
    }

    fn next_member(&mut self) -> Result<Option<Member>, ReadError> {
        let Some(member) = self.members.next().transpose()? else {
            return Ok(None);
        };
        let start = (member.stored_offset, member.tar_offset);
        let has_gap = start != self.position;
        let goes_back = start.0 < self.position.0 || start.1 < self.position.1;
        if goes_back || (has_gap && (self.end.is_some() || self.large.is_some())) {
            return Err(damaged("members do not follow each other"));
        }
        self.position = (member.stored_end(), member.tar_end());
        if self
            .end
            .is_some_and(|end| self.position.0 > end.0 || self.position.1 > end.1)
        {
            return Err(damaged("members reach into the table of contents"));
        }
        Ok(Some(member))
    }

    /// The next entry of this archive, without taking it.
    fn peek_entry(&mut self) -> Result<Option<Extent>, ReadError> {
        loop {
            match self.entries.peek() {
                None => return Ok(None),
                Some(Err(_)) => return Err(self.take_error()),
                Some(Ok(entry)) => match Extent::of(entry) {
                    Some(extent) => return Ok(Some(extent)),
                    None => drop(self.entries.next()),
                },
            }
        }
    }

    fn take_error(&mut self) -> ReadError {
        match self.entries.next() {
            Some(Err(error)) => error,
            _ => damaged("a block of entries is malformed"),
        }
    }

    fn begin_member(&mut self, member: Member) -> Result<Option<Unit>, ReadError> {
        let mut entries = Vec::new();
        let mut offset = member.tar_offset;
        while offset < member.tar_end() {
            let extent = self
                .peek_entry()?
                .ok_or(damaged("a member holds no entry"))?;
            if extent.start != offset
                || (offset == member.tar_offset) != member.starts_entry && entries.is_empty()
            {
                return Err(damaged("an entry does not begin where its member does"));
            }
            let is_large = extent.end > member.tar_end();
            if is_large && !entries.is_empty() {
                return Err(damaged(
                    "a member ends within an entry that it does not begin with",
                ));
            }
            let Some(Ok(mut entry)) = self.entries.next() else {
                return Err(damaged("an entry is missing"));
            };
            let is_wanted = (self.wanted)(&mut entry);
            if is_large {
                return self.begin_large(member, entry, extent, is_wanted);
            }
            offset = extent.end;
            entries.push((entry, is_wanted));
        }
        let is_any_wanted = entries.iter().any(|(_, is_wanted)| *is_wanted);
        Ok(is_any_wanted.then_some(Unit::Whole { member, entries }))
    }

    fn begin_large(
        &mut self,
        member: Member,
        entry: Entry,
        extent: Extent,
        is_wanted: bool,
    ) -> Result<Option<Unit>, ReadError> {
        let segment_len = member.tar_end().saturating_sub(extent.content);
        if !is_segment_len(segment_len) || segment_len >= entry.size {
            return Err(damaged("a large entry is not cut as it must be"));
        }
        let part = Part {
            index: 0,
            start: (extent.content - extent.start) as usize,
            len: segment_len as usize,
            offset: 0,
            is_last: false,
        };
        self.large = Some(Large {
            extent,
            size: entry.size,
            segment_len,
            next_part: 1,
            is_wanted,
        });
        Ok(is_wanted.then(|| Unit::Part {
            member,
            entry: Some(Box::new(entry)),
            part,
        }))
    }

    fn continue_large(
        &mut self,
        mut large: Large,
        member: Member,
    ) -> Result<Option<Unit>, ReadError> {
        let offset = large.next_part * large.segment_len;
        let len = large.segment_len.min(large.size - offset);
        let is_last = offset + len == large.size;
        let end = if is_last {
            large.extent.end
        } else {
            large.extent.content + offset + len
        };
        if member.starts_entry || member.tar_end() != end {
            return Err(damaged("a large entry is not cut as it must be"));
        }
        let part = Part {
            index: large.next_part,
            start: 0,
            len: len as usize,
            offset,
            is_last,
        };
        let is_wanted = large.is_wanted;
        large.next_part += 1;
        if !is_last {
            self.large = Some(large);
        }
        Ok(is_wanted.then_some(Unit::Part {
            member,
            entry: None,
            part,
        }))
    }
}
