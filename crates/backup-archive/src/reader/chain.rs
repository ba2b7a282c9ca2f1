//! An archive together with those that hold the content of its entries that are elsewhere.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::links::{Links, is_held, missing, not_in, renamed, stored_path};
use super::{ArchiveReader, DamagedEntry, EntryReader};
use crate::{ArchivePath, Damage, Entry, EntryReceiver, Location, ReadError};

/// So many renamed files are looked up at a time; for each batch the table of contents of their archive is read once more.
const BATCH: usize = 64 << 10;

/// An archive, and those that hold the content of its entries that are elsewhere, as far as they are at hand. Reads all of it like
/// one archive.
#[derive(Clone)]
pub struct Chain {
    archive: Arc<ArchiveReader>,
    /// In the order of [`ArchiveReader::archives`].
    holders: Vec<Option<Arc<ArchiveReader>>>,
}

impl Chain {
    /// An archive alone: what is elsewhere cannot be had.
    pub fn alone(archive: Arc<ArchiveReader>) -> Self {
        Self::new(archive, |_| None)
    }

    /// An archive, and what `find` gives for each identifier in [`ArchiveReader::archives`].
    pub fn new(
        archive: Arc<ArchiveReader>,
        find: impl FnMut(&Vec<u8>) -> Option<Arc<ArchiveReader>>,
    ) -> Self {
        let holders = archive.archives().iter().map(find).collect();
        Self { archive, holders }
    }

    /// The archive itself, which lists every entry.
    pub fn archive(&self) -> &ArchiveReader {
        &self.archive
    }

    /// The archive itself, without the others.
    pub fn into_archive(self) -> Arc<ArchiveReader> {
        self.archive
    }

    /// Whether the archive that holds the content of `entry` is at hand.
    pub fn has(&self, entry: &Entry) -> bool {
        match entry.location {
            Location::Here { .. } => true,
            Location::Elsewhere { archive, .. } => self.holder(archive).is_some(),
        }
    }

    /// The archive that holds the content of a file, and its entry there: `entry` itself if it is in this one.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] with [`Damage::ArchiveMissing`] or [`Damage::NotInArchive`]; those of [`ArchiveReader::find`].
    pub fn resolve(&self, entry: &Entry) -> Result<(&ArchiveReader, Entry), ReadError> {
        let Location::Elsewhere { archive: index, .. } = entry.location else {
            return Ok((&self.archive, entry.clone()));
        };
        let id = self.id(index);
        let damaged = |damage| ReadError::Damaged {
            path: entry.path.clone(),
            damage,
        };
        let holder = self.holder(index).ok_or_else(|| damaged(missing(id)))?;
        match holder.find(stored_path(entry))? {
            Some(held) if is_held(entry, &held) => {
                let digest = entry.digest;
                Ok((holder, Entry { digest, ..held }))
            }
            _ => Err(damaged(not_in(id))),
        }
    }

    /// As [`ArchiveReader::read`], wherever the content is.
    ///
    /// # Errors
    /// As for [`ArchiveReader::read`] and [`Chain::resolve`].
    pub fn read(&self, entry: &Entry) -> Result<EntryReader<'_>, ReadError> {
        let (holder, held) = self.resolve(entry)?;
        holder.read(&held)
    }

    /// As [`ArchiveReader::read_entries`], wherever the content is: first what is in the archive itself, then what is in each of the
    /// others. The receiver sees the entries of this archive. Those whose archive is missing, or does not hold them, are told as damaged.
    ///
    /// `wanted` is asked several times for entries that are elsewhere.
    ///
    /// # Errors
    /// As for [`ArchiveReader::read_entries`].
    pub fn read_entries<R: EntryReceiver>(
        &self,
        wanted: &mut (dyn FnMut(&Entry) -> bool + Send),
        jobs: NonZeroUsize,
        receiver: &R,
    ) -> Result<ControlFlow<()>, ReadError> {
        if self
            .archive
            .read_entries(wanted, jobs, receiver)?
            .is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        for index in 0..self.holders.len() as u32 {
            let flow = match self.holder(index) {
                Some(holder) => self.read_held(index, holder, wanted, jobs, receiver)?,
                None => self.tell_missing(index, wanted, receiver)?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Checks that every content that is elsewhere is listed there, with the same length and digest; reads tables of contents only.
    /// Returns the number of such entries, and those that are not to be had.
    ///
    /// # Errors
    /// [`ReadError::DamagedTable`] and [`ReadError::Io`] of a table.
    pub fn check_links(&self) -> Result<(u64, Vec<DamagedEntry>), ReadError> {
        let mut broken = Vec::new();
        let mut count = 0;
        for index in 0..self.holders.len() as u32 {
            let id = self.id(index);
            let mut fail = |entry: Entry, reason| {
                broken.push(DamagedEntry {
                    path: entry.path,
                    reason,
                });
            };
            let mut links = Links::new(&self.archive, index, |_| true);
            let Some(holder) = self.holder(index) else {
                for entry in self.references(index) {
                    count += 1;
                    fail(entry?, missing(id));
                }
                continue;
            };
            for held in holder.entries() {
                let held = held?;
                if let Some(entry) = links.reference_to(&held) {
                    count += 1;
                    if !is_held(&entry, &held) {
                        fail(entry, not_in(id));
                    }
                }
            }
            let unmatched = links.into_unmatched()?.into_iter().map(Ok);
            for entry in unmatched.chain(renamed(&self.archive, index)) {
                let entry = entry?;
                count += 1;
                match holder.find(stored_path(&entry))? {
                    Some(held) if is_held(&entry, &held) => {}
                    _ => fail(entry, not_in(id)),
                }
            }
        }
        broken.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((count, broken))
    }

    /// The entries of this archive whose content is that of `paths` in the archive with number `index`.
    ///
    /// # Errors
    /// Those of the table of contents.
    pub fn references_to(
        &self,
        index: u32,
        paths: &[ArchivePath],
    ) -> Result<Vec<Entry>, ReadError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let paths: HashSet<&ArchivePath> = paths.iter().collect();
        self.references(index)
            .filter(|entry| {
                entry
                    .as_ref()
                    .map_or(true, |entry| paths.contains(stored_path(entry)))
            })
            .collect()
    }

    /// All files whose content is in the archive with number `index`.
    fn references(&self, index: u32) -> impl Iterator<Item = Result<Entry, ReadError>> + '_ {
        self.archive.entries().filter(move |entry| {
            entry.as_ref().map_or(true, |entry| {
                matches!(entry.location, Location::Elsewhere { archive, .. } if archive == index)
                    && entry.kind.is_file()
            })
        })
    }

    /// The archive with this number in [`ArchiveReader::archives`], if it is at hand.
    pub fn holder(&self, index: u32) -> Option<&ArchiveReader> {
        self.holders.get(index as usize)?.as_deref()
    }

    fn id(&self, index: u32) -> &[u8] {
        self.archive
            .archives()
            .get(index as usize)
            .map_or(b"?", Vec::as_slice)
    }

    fn tell_missing<R: EntryReceiver>(
        &self,
        index: u32,
        wanted: &mut (dyn FnMut(&Entry) -> bool + Send),
        receiver: &R,
    ) -> Result<ControlFlow<()>, ReadError> {
        for entry in self.references(index) {
            let entry = entry?;
            if wanted(&entry)
                && receiver
                    .end(&entry, None, Err(missing(self.id(index))))
                    .is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read_held<R: EntryReceiver>(
        &self,
        index: u32,
        holder: &ArchiveReader,
        wanted: &mut (dyn FnMut(&Entry) -> bool + Send),
        jobs: NonZeroUsize,
        receiver: &R,
    ) -> Result<ControlFlow<()>, ReadError> {
        let id = self.id(index);
        let translated = Translated::new(receiver);
        let mut links = Links::new(&self.archive, index, &mut *wanted);
        let flow = holder.read_expecting(
            &mut |held| {
                links
                    .reference_to(held)
                    .is_some_and(|entry| translated.expect(held, vec![entry], id))
            },
            jobs,
            &translated,
        )?;
        if flow.is_break() || translated.is_stopped() {
            return Ok(ControlFlow::Break(()));
        }
        let unmatched = links.into_unmatched()?.into_iter().map(Ok);
        let renamed =
            renamed(&self.archive, index).filter(|entry| entry.as_ref().map_or(true, &mut *wanted));
        let mut rest = unmatched.chain(renamed);
        loop {
            let mut batch: HashMap<ArchivePath, Vec<Entry>> = HashMap::new();
            for entry in rest.by_ref().take(BATCH) {
                let entry = entry?;
                batch
                    .entry(stored_path(&entry).clone())
                    .or_default()
                    .push(entry);
            }
            if batch.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            let flow = holder.read_expecting(
                &mut |held| {
                    batch
                        .remove(&held.path)
                        .is_some_and(|entries| translated.expect(held, entries, id))
                },
                jobs,
                &translated,
            )?;
            for entry in batch.into_values().flatten() {
                translated.fail(&entry, not_in(id));
            }
            if flow.is_break() || translated.is_stopped() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
}

impl From<ArchiveReader> for Chain {
    fn from(archive: ArchiveReader) -> Self {
        Self::alone(Arc::new(archive))
    }
}

/// Gives what is read from another archive to a receiver under the entries of this one.
struct Translated<'r, R: EntryReceiver> {
    receiver: &'r R,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By path in the other archive: what is to be read, and has not begun.
    expected: HashMap<ArchivePath, Vec<Entry>>,
    is_stopped: bool,
}

impl<'r, R: EntryReceiver> Translated<'r, R> {
    fn new(receiver: &'r R) -> Self {
        Self {
            receiver,
            state: Mutex::default(),
        }
    }

    /// Remembers what `held` is to be read for. `false` if it is not worth reading.
    fn expect(&self, held: &mut Entry, mut entries: Vec<Entry>, id: &[u8]) -> bool {
        if self.is_stopped() {
            return false;
        }
        entries.retain(|entry| {
            let is_held = is_held(entry, held);
            if !is_held {
                self.fail(entry, not_in(id));
            }
            is_held
        });
        let Some(first) = entries.first() else {
            return false;
        };
        held.digest = first.digest;
        // Of an archive without digests, only one content can be meant.
        entries.retain(|entry| {
            let is_same = entry.digest == held.digest;
            if !is_same {
                self.fail(entry, not_in(id));
            }
            is_same
        });
        self.lock().expected.insert(held.path.clone(), entries);
        true
    }

    fn fail(&self, entry: &Entry, damage: Damage) {
        if self.receiver.end(entry, None, Err(damage)).is_break() {
            self.lock().is_stopped = true;
        }
    }

    fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, held: &Entry) -> Vec<Entry> {
        self.lock().expected.remove(&held.path).unwrap_or_default()
    }
}

impl<R: EntryReceiver> EntryReceiver for Translated<'_, R> {
    type Output = Vec<(Entry, R::Output)>;

    fn begin(&self, held: &Entry) -> ControlFlow<(), Self::Output> {
        let mut outputs = Vec::new();
        for entry in self.take(held) {
            let output = self.receiver.begin(&entry)?;
            outputs.push((entry, output));
        }
        ControlFlow::Continue(outputs)
    }

    fn piece(
        &self,
        _: &Entry,
        outputs: &Self::Output,
        offset: u64,
        data: &[u8],
    ) -> ControlFlow<()> {
        outputs
            .iter()
            .try_for_each(|(entry, output)| self.receiver.piece(entry, output, offset, data))
    }

    fn end(
        &self,
        held: &Entry,
        outputs: Option<Self::Output>,
        outcome: Result<(), Damage>,
    ) -> ControlFlow<()> {
        let begun = outputs
            .into_iter()
            .flatten()
            .map(|(entry, output)| (entry, Some(output)));
        let not_begun = self.take(held).into_iter().map(|entry| (entry, None));
        begun
            .chain(not_begun)
            .try_for_each(|(entry, output)| self.receiver.end(&entry, output, outcome.clone()))
    }
}
