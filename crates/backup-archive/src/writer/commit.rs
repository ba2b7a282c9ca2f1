//! The one thread that writes: takes what the workers give, in order, and keeps the books.

use std::collections::HashSet;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::TableBuilder;
use super::contents::write_contents;
use super::pipeline::{EncodedMember, Output, Reply, SegmentHash, Slot};
use super::table::TableMark;
use crate::codec::{Codec, Encoder};
use crate::format::Member;
use crate::sink::Sink;
use crate::subtree::SegmentHashes;
use crate::tar::padded;
use crate::{
    ArchivePath, Digest, Entry, EntryKind, FileOutcome, Location, WriteError, WriteObserver,
};

pub(super) struct Committer<S: Sink> {
    sink: S,
    codec: Codec,
    encoder: Encoder,
    table: TableBuilder,
    observer: Arc<dyn WriteObserver>,
    /// End of the last member in the tar stream, and in the file.
    tar_offset: u64,
    stored_offset: u64,
    /// End of the last entry in the tar stream.
    entry_offset: u64,
    large: Option<Large<S::Mark>>,
    /// Files that are not in the archive, so that hard links to them are known to be lost too.
    left_out: HashSet<ArchivePath>,
    entries: u64,
    content_bytes: u64,
}

/// A finished archive, but for the end of its sink.
pub(super) struct Committed<S> {
    pub(super) sink: S,
    pub(super) entries: u64,
    pub(super) content_bytes: u64,
}

/// A large file under way.
struct Large<M> {
    sink: M,
    table: TableMark,
    tar_offset: u64,
    stored_offset: u64,
    hashes: SegmentHashes,
    whole: Option<Digest>,
}

impl<S: Sink> Committer<S> {
    pub(super) fn new(
        sink: S,
        codec: Codec,
        encoder: Encoder,
        table: TableBuilder,
        observer: Arc<dyn WriteObserver>,
    ) -> Self {
        Self {
            sink,
            codec,
            encoder,
            table,
            observer,
            tar_offset: 0,
            stored_offset: 0,
            entry_offset: 0,
            large: None,
            left_out: HashSet::new(),
            entries: 0,
            content_bytes: 0,
        }
    }

    /// Commits until the end, or the first failure.
    pub(super) fn run(mut self, queue: &Receiver<Slot>) -> Result<Committed<S>, WriteError> {
        for slot in queue {
            match slot {
                Slot::Ready(Output::Finish { archives }) => return self.finish(&archives),
                Slot::Ready(output) => self.commit(output)?,
                Slot::Pending(replies) => loop {
                    match replies.recv() {
                        Ok(Reply::Output(output)) => self.commit(output)?,
                        Ok(Reply::Done) => break,
                        Err(_) => return Err(WriteError::WorkerDied),
                    }
                },
            }
        }
        Err(WriteError::Abandoned)
    }

    fn commit(&mut self, output: Output) -> Result<(), WriteError> {
        match output {
            Output::Unit {
                members,
                entries,
                reports,
            } => {
                members
                    .into_iter()
                    .try_for_each(|member| self.commit_member(member))?;
                entries
                    .into_iter()
                    .try_for_each(|entry| self.commit_entry(entry))?;
                reports
                    .into_iter()
                    .for_each(|(path, size, outcome)| self.report(path, size, outcome));
                Ok(())
            }
            Output::BeginLarge => self.begin_large(),
            Output::Segment { member, hash } => self.commit_segment(member, hash),
            Output::EndLarge { entry, outcome } => self.end_large(*entry, outcome),
            Output::RewindLarge => self.rewind_large(),
            Output::Report { path, outcome } => {
                self.report(path, 0, outcome);
                Ok(())
            }
            Output::Flushed(reached) => {
                // A caller that does not wait any more needs no answer.
                let _ = reached.send(());
                Ok(())
            }
            Output::Finish { .. } => Ok(()),
        }
    }

    fn commit_member(&mut self, encoded: EncodedMember) -> Result<(), WriteError> {
        let EncodedMember {
            payload,
            tar_len,
            starts_entry,
            digest,
        } = encoded;
        let member = Member {
            stored_offset: self.stored_offset,
            stored_len: (self.codec.header_len() + payload.len) as u32,
            tar_offset: self.tar_offset,
            tar_len,
            starts_entry,
            is_stored: payload.is_stored,
            digest,
        };
        let mut pieces = Vec::with_capacity(payload.pieces.len() + 1);
        pieces.push(self.codec.encode_header(&member.header()));
        pieces.extend(payload.pieces);
        self.sink.write(pieces).map_err(WriteError::Sink)?;
        self.table.push_member(&member).map_err(WriteError::Spill)?;
        self.tar_offset = member.tar_end();
        self.stored_offset = member.stored_end();
        self.observer
            .progress(tar_len.into(), member.stored_len.into());
        Ok(())
    }

    fn commit_entry(&mut self, mut entry: Entry) -> Result<(), WriteError> {
        let begins = self.entry_offset;
        let mut len = 0;
        if let Location::Here { offset, header_len } = &mut entry.location {
            *offset = begins;
            len = u64::from(*header_len) + padded(entry.size);
            self.entry_offset += len;
            self.content_bytes += entry.size;
        }
        self.table
            .push_entry(&entry, begins, len)
            .map_err(WriteError::Spill)?;
        self.entries += 1;
        if let EntryKind::HardLink { target } = &entry.kind
            && self.left_out.contains(target)
        {
            self.observer.file(&entry.path, 0, FileOutcome::Vanished);
        }
        Ok(())
    }

    fn begin_large(&mut self) -> Result<(), WriteError> {
        self.large = Some(Large {
            sink: self.sink.mark().map_err(WriteError::Sink)?,
            table: self.table.mark(),
            tar_offset: self.tar_offset,
            stored_offset: self.stored_offset,
            hashes: SegmentHashes::default(),
            whole: None,
        });
        Ok(())
    }

    fn commit_segment(
        &mut self,
        member: EncodedMember,
        hash: SegmentHash,
    ) -> Result<(), WriteError> {
        if let Some(large) = &mut self.large {
            match hash {
                SegmentHash::Whole(digest) => large.whole = Some(digest),
                SegmentHash::Part(hash) => large.hashes.push(hash),
            }
        }
        self.commit_member(member)
    }

    fn end_large(&mut self, mut entry: Entry, outcome: FileOutcome) -> Result<(), WriteError> {
        if let Some(large) = self.large.take() {
            self.sink.keep(large.sink).map_err(WriteError::Sink)?;
            entry.digest = large.whole.or_else(|| large.hashes.finish());
        }
        self.observer.file(&entry.path, entry.size, outcome);
        self.commit_entry(entry)
    }

    fn rewind_large(&mut self) -> Result<(), WriteError> {
        let Some(large) = self.large.take() else {
            return Ok(());
        };
        self.sink.rewind(large.sink).map_err(WriteError::Sink)?;
        self.table.rewind(large.table).map_err(WriteError::Spill)?;
        self.tar_offset = large.tar_offset;
        self.stored_offset = large.stored_offset;
        Ok(())
    }

    fn report(&mut self, path: ArchivePath, size: u64, outcome: FileOutcome) {
        let is_left_out = matches!(outcome, FileOutcome::Vanished | FileOutcome::Unreadable(_));
        self.observer.file(&path, size, outcome);
        if is_left_out {
            self.left_out.insert(path);
        }
    }

    fn finish(self, archives: &[Vec<u8>]) -> Result<Committed<S>, WriteError> {
        let Self {
            mut sink,
            codec,
            mut encoder,
            table,
            tar_offset,
            stored_offset,
            ..
        } = self;
        let table = table.finish(archives).map_err(WriteError::Spill)?;
        write_contents(
            &mut sink,
            codec,
            &mut encoder,
            table,
            tar_offset,
            stored_offset,
        )?;
        Ok(Committed {
            sink,
            entries: self.entries,
            content_bytes: self.content_bytes,
        })
    }
}
