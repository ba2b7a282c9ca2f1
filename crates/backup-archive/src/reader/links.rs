//! Entries whose content is in another archive, matched with the entries there: two sorted streams, side by side.

use std::iter::Peekable;

use super::ArchiveReader;
use crate::{ArchivePath, Damage, Entry, Location, ReadError};

type Entries<'a> = Peekable<Box<dyn Iterator<Item = Result<Entry, ReadError>> + Send + 'a>>;

/// The references of one archive to one other, by the same path. Renamed ones are not among them.
pub(super) struct Links<'a> {
    references: Entries<'a>,
    /// References passed over, because nothing was found in their place.
    pub(super) unmatched: Vec<Entry>,
    /// Why the references could not be read to their end.
    pub(super) error: Option<ReadError>,
}

impl<'a> Links<'a> {
    /// The references of `archive` to the one with number `holder`, as far as they are `wanted`.
    pub(super) fn new(
        archive: &'a ArchiveReader,
        holder: u32,
        mut wanted: impl FnMut(&Entry) -> bool + Send + 'a,
    ) -> Self {
        let is_direct = move |entry: &Entry| {
            matches!(&entry.location, Location::Elsewhere { archive, stored_as: None } if *archive == holder)
                && entry.kind.is_file()
                && wanted(entry)
        };
        let references: Box<dyn Iterator<Item = _> + Send + 'a> =
            Box::new(archive.table.entries().filter(only(is_direct)));
        Self {
            references: references.peekable(),
            unmatched: Vec::new(),
            error: None,
        }
    }

    /// The reference to `held`, which must come in the order of their archive.
    pub(super) fn reference_to(&mut self, held: &Entry) -> Option<Entry> {
        loop {
            match self.references.peek()? {
                Ok(next) if next.path > held.path => return None,
                _ => {}
            }
            match self.references.next()? {
                Ok(entry) if entry.path == held.path => return Some(entry),
                Ok(entry) => self.unmatched.push(entry),
                Err(error) => {
                    self.error = Some(error);
                    return None;
                }
            }
        }
    }

    /// All references that found nothing.
    pub(super) fn into_unmatched(mut self) -> Result<Vec<Entry>, ReadError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for rest in self.references {
            self.unmatched.push(rest?);
        }
        Ok(self.unmatched)
    }
}

/// The references of `archive` to the one with number `holder` by another path than their own.
pub(super) fn renamed(
    archive: &ArchiveReader,
    holder: u32,
) -> impl Iterator<Item = Result<Entry, ReadError>> + '_ {
    archive.table.entries().filter(only(move |entry: &Entry| {
        matches!(&entry.location, Location::Elsewhere { archive, stored_as: Some(_) } if *archive == holder)
            && entry.kind.is_file()
    }))
}

fn only(mut is_it: impl FnMut(&Entry) -> bool) -> impl FnMut(&Result<Entry, ReadError>) -> bool {
    move |entry| entry.as_ref().map_or(true, &mut is_it)
}

/// The path under which another archive holds the content of `reference`.
pub(super) fn stored_path(reference: &Entry) -> &ArchivePath {
    match &reference.location {
        Location::Elsewhere {
            stored_as: Some(path),
            ..
        } => path,
        _ => &reference.path,
    }
}

/// Whether `held` is what `reference` says that it is. An archive that has lost its table of contents knows no digests.
pub(super) fn is_held(reference: &Entry, held: &Entry) -> bool {
    held.kind.is_file()
        && matches!(held.location, Location::Here { .. })
        && held.size == reference.size
        && reference.digest.is_some()
        && (held.digest.is_none() || held.digest == reference.digest)
}

/// The archive of that identifier does not hold what it should.
pub(super) fn not_in(id: &[u8]) -> Damage {
    Damage::NotInArchive { archive: shown(id) }
}

/// The archive of that identifier is not at hand.
pub(super) fn missing(id: &[u8]) -> Damage {
    Damage::ArchiveMissing { archive: shown(id) }
}

/// An identifier, for people.
fn shown(id: &[u8]) -> String {
    id.escape_ascii().to_string()
}
