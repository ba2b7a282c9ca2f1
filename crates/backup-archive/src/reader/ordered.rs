//! Reads one entry after the other: fast as long as they come in the order of the archive.

use std::iter::Peekable;

use super::engine::{Scratch, whole_content};
use super::{ArchiveReader, Extent, Layout};
use crate::codec::Codec;
use crate::format::Member;
use crate::{Damage, Entry, ReadError};

/// Reads the contents of small entries, one after the other. The member at hand stays decoded, so that entries which come in the
/// order of the archive cost one decoding of each member; those that go back cost a look-up more.
pub struct OrderedReader<'a> {
    reader: &'a ArchiveReader,
    members: Option<Peekable<Members<'a>>>,
    at_hand: Option<(Member, Vec<u8>)>,
    scratch: Scratch,
}

type Members<'a> = Box<dyn Iterator<Item = Result<Member, ReadError>> + Send + 'a>;

impl<'a> OrderedReader<'a> {
    /// A reader of the entries of `reader`.
    pub fn new(reader: &'a ArchiveReader) -> Self {
        Self {
            reader,
            members: None,
            at_hand: None,
            scratch: Scratch::default(),
        }
    }

    /// The content of a file, checked against its header and digest. Held in memory as a whole: for small ones.
    ///
    /// # Errors
    /// As for [`ArchiveReader::read_bytes`].
    pub fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, ReadError> {
        let (Layout::Members { codec, .. }, Some(extent)) = (self.reader.layout, Extent::of(entry))
        else {
            return self.reader.read_bytes(entry, entry.size);
        };
        if !entry.kind.is_file() || !self.find_member(&extent, codec, entry)? {
            // It spans several members.
            return self.reader.read_bytes(entry, entry.size);
        }
        let damaged = |damage| ReadError::Damaged {
            path: entry.path.clone(),
            damage,
        };
        let (member, plain) = self
            .at_hand
            .as_ref()
            .ok_or_else(|| damaged(Damage::Content))?;
        whole_content(entry, member, plain)
            .map(<[u8]>::to_vec)
            .map_err(damaged)
    }

    /// Decodes the member that holds the entry; `false` if none holds all of it.
    fn find_member(
        &mut self,
        extent: &Extent,
        codec: Codec,
        entry: &Entry,
    ) -> Result<bool, ReadError> {
        if let Some((member, _)) = &self.at_hand {
            if (member.tar_offset..member.tar_end()).contains(&extent.start) {
                return Ok(extent.end <= member.tar_end());
            }
            if extent.start < member.tar_offset {
                self.members = None;
            }
        }
        let reader = self.reader;
        let members = self.members.get_or_insert_with(|| {
            let members: Members<'a> = Box::new(reader.table.members_from(extent.start));
            members.peekable()
        });
        while let Some(Ok(member)) = members.peek() {
            if member.tar_end() > extent.start {
                break;
            }
            members.next();
        }
        let Some(member) = members.peek() else {
            return Ok(false);
        };
        let Ok(member) = member else {
            return match members.next() {
                Some(Err(error)) => Err(error),
                _ => Ok(false),
            };
        };
        if extent.start < member.tar_offset || extent.end > member.tar_end() {
            return Ok(false);
        }
        let member = member.clone();
        let plain = self
            .scratch
            .decode(self.reader.source.as_ref(), codec, &member, false)
            .map_err(|damage| ReadError::Damaged {
                path: entry.path.clone(),
                damage,
            })?;
        let mut kept = self
            .at_hand
            .take()
            .map(|(_, kept)| kept)
            .unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(plain);
        self.at_hand = Some((member, kept));
        Ok(true)
    }
}
