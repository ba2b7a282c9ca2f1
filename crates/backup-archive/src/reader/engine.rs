//! Decodes units on several threads, checks them, and gives what they hold to a receiver.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::cursor::{Cursor, Part, Unit};
use super::header_check::check_header;
use super::large::LargeRun;
use super::{ArchiveReader, Extent, Layout};
use crate::codec::{Codec, Decoder};
use crate::format::Member;
use crate::source::read_exact_at;
use crate::subtree::hash_segment;
use crate::{Damage, Digest, Entry, EntryReceiver, ReadError, Source};

/// Something to do for one thread.
pub(super) enum Task<O> {
    Whole {
        member: Member,
        entries: Vec<(Entry, bool)>,
    },
    Part {
        member: Member,
        large: Arc<LargeRun<O>>,
        part: Part,
    },
}

/// Hands out tasks in the order of the archive, and runs them on several threads.
///
/// # Errors
/// Those of the table of contents. The threads are done when it returns.
pub(super) fn run_tasks<O: Send + Sync>(
    cursor: Cursor<'_>,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    work: &(dyn Fn(Task<O>, &mut Scratch) + Sync),
) -> Result<(), ReadError> {
    let feed = Mutex::new(Feed {
        cursor,
        large: None,
        error: None,
    });
    let run = || {
        let mut scratch = Scratch::default();
        loop {
            let task = feed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(stop);
            match task {
                Some(task) => work(task, &mut scratch),
                None => break,
            }
        }
    };
    let mut could_start = Ok(());
    thread::scope(|scope| {
        for _ in 1..jobs.get() {
            let started = thread::Builder::new()
                .name("archive reader".into())
                .spawn_scoped(scope, run);
            could_start = started.map(drop).map_err(ReadError::Thread);
            if could_start.is_err() {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
        run();
    });
    could_start?;
    feed.into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .error
        .map_or(Ok(()), Err)
}

struct Feed<'a, O> {
    cursor: Cursor<'a>,
    /// The large entry whose parts are being handed out.
    large: Option<Arc<LargeRun<O>>>,
    error: Option<ReadError>,
}

impl<O> Feed<'_, O> {
    fn next(&mut self, stop: &AtomicBool) -> Option<Task<O>> {
        if stop.load(Ordering::Relaxed) || self.error.is_some() {
            return None;
        }
        match self.cursor.next() {
            Ok(Some(Unit::Whole { member, entries })) => Some(Task::Whole { member, entries }),
            Ok(Some(Unit::Part {
                member,
                entry,
                part,
            })) => {
                if let Some(entry) = entry {
                    self.large = Some(Arc::new(LargeRun::new(*entry)));
                }
                let large = Arc::clone(self.large.as_ref()?);
                Some(Task::Part {
                    member,
                    large,
                    part,
                })
            }
            Ok(None) => None,
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }
}

/// What one thread works with, from task to task.
#[derive(Default)]
pub(super) struct Scratch {
    stored: Vec<u8>,
    plain: Vec<u8>,
    decoder: Option<Decoder>,
}

impl Scratch {
    /// Reads a member as stored, and checks its header; and its digest if asked to.
    pub(super) fn read<'a>(
        &'a mut self,
        source: &dyn Source,
        codec: Codec,
        member: &Member,
        check_digest: bool,
    ) -> Result<&'a [u8], Damage> {
        let offset = member.stored_offset;
        let len = member.stored_len as usize;
        // Twice the longest member is more than any codec needs: a claim beyond is not worth the memory.
        if len > 2 * crate::format::MAX_MEMBER_LEN as usize {
            return Err(Damage::Member { offset });
        }
        if self.stored.len() < len {
            self.stored.resize(len, 0);
        }
        let stored = &mut self.stored[..len];
        read_exact_at(source, stored, offset)
            .map_err(|error| Damage::Unreadable(error.to_string()))?;
        let header = codec.encode_header(&member.header());
        let payload = stored
            .strip_prefix(&*header)
            .ok_or(Damage::MemberDigest { offset })?;
        if check_digest && Digest::of(payload) != member.digest {
            return Err(Damage::MemberDigest { offset });
        }
        Ok(stored)
    }

    /// Reads and decodes a member.
    pub(super) fn decode(
        &mut self,
        source: &dyn Source,
        codec: Codec,
        member: &Member,
        check_digest: bool,
    ) -> Result<&[u8], Damage> {
        let len = self.read(source, codec, member, check_digest)?.len();
        let plain_len = member.tar_len as usize;
        if self.plain.len() < plain_len {
            self.plain.resize(plain_len, 0);
        }
        let plain = &mut self.plain[..plain_len];
        let decoder = self.decoder.get_or_insert_with(Decoder::new);
        decoder
            .decode(codec, &self.stored[..len], plain)
            .map_err(|_| Damage::Member {
                offset: member.stored_offset,
            })?;
        Ok(plain)
    }
}

/// Reads entries for a receiver.
pub(super) struct Engine<'a, R: EntryReceiver> {
    reader: &'a ArchiveReader,
    receiver: &'a R,
    codec: Codec,
    /// Whether to check the digests of members too, though that of the entries is enough to trust the contents.
    check_members: bool,
    stop: AtomicBool,
    read_bytes: &'a (dyn Fn(u64) + Sync),
}

impl<'a, R: EntryReceiver> Engine<'a, R> {
    pub(super) fn new(reader: &'a ArchiveReader, receiver: &'a R) -> Self {
        let codec = match reader.layout {
            Layout::Members { codec, .. } => codec,
            Layout::Stream(_) => Codec::Plain,
        };
        Self {
            reader,
            receiver,
            codec,
            check_members: false,
            stop: AtomicBool::new(false),
            read_bytes: &|_| (),
        }
    }

    /// Checks the digests of members too, and tells how many stored bytes were read.
    pub(super) fn checking_members(self, read_bytes: &'a (dyn Fn(u64) + Sync)) -> Self {
        Self {
            check_members: true,
            read_bytes,
            ..self
        }
    }

    pub(super) fn run(
        self,
        wanted: &mut (dyn FnMut(&mut Entry) -> bool + Send),
        jobs: NonZeroUsize,
    ) -> Result<ControlFlow<()>, ReadError> {
        let cursor = Cursor::new(self.reader, wanted);
        run_tasks(cursor, jobs, &self.stop, &|task, scratch| {
            let flow = match task {
                Task::Whole { member, entries } => self.whole(&member, &entries, scratch),
                Task::Part {
                    member,
                    large,
                    part,
                } => self.part(&member, &large, part, scratch),
            };
            if flow.is_break() {
                self.stop.store(true, Ordering::Relaxed);
            }
        })?;
        Ok(if self.stop.into_inner() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    fn decode<'s>(&self, member: &Member, scratch: &'s mut Scratch) -> Result<&'s [u8], Damage> {
        // Without a container, nothing but the digest tells damage outside of contents.
        let plain = scratch.decode(
            self.reader.source.as_ref(),
            self.codec,
            member,
            self.check_members,
        );
        (self.read_bytes)(member.stored_len.into());
        plain
    }

    fn whole(
        &self,
        member: &Member,
        entries: &[(Entry, bool)],
        scratch: &mut Scratch,
    ) -> ControlFlow<()> {
        let decoded = self.decode(member, scratch);
        for (entry, _) in entries.iter().filter(|(_, is_wanted)| *is_wanted) {
            let content = match &decoded {
                Ok(plain) => whole_content(entry, member, plain),
                Err(damage) => Err(damage.clone()),
            };
            match content {
                Ok(content) => self.deliver(entry, content)?,
                Err(damage) => self.receiver.end(entry, None, Err(damage))?,
            }
        }
        ControlFlow::Continue(())
    }

    fn deliver(&self, entry: &Entry, content: &[u8]) -> ControlFlow<()> {
        let output = self.receiver.begin(entry)?;
        if !content.is_empty() {
            self.receiver.piece(entry, &output, 0, content)?;
        }
        self.receiver.end(entry, Some(output), Ok(()))
    }

    fn part(
        &self,
        member: &Member,
        large: &LargeRun<R::Output>,
        part: Part,
        scratch: &mut Scratch,
    ) -> ControlFlow<()> {
        let begun = (part.index == 0).then(|| BeginGuard(large));
        let delivered = self.deliver_part(member, large, part, scratch);
        drop(begun);
        let flow = delivered.unwrap_or_else(|damage| {
            large.fail(damage);
            ControlFlow::Continue(())
        });
        match large.finish_part(part) {
            Some((output, outcome)) if flow.is_continue() => {
                self.receiver.end(&large.entry, output, outcome)
            }
            Some(_) | None => flow,
        }
    }

    fn deliver_part(
        &self,
        member: &Member,
        large: &LargeRun<R::Output>,
        part: Part,
        scratch: &mut Scratch,
    ) -> Result<ControlFlow<()>, Damage> {
        if large.is_damaged() {
            return Ok(ControlFlow::Continue(()));
        }
        let plain = self.decode(member, scratch)?;
        let (before, rest) = plain.split_at_checked(part.start).ok_or(Damage::Content)?;
        let (content, after) = rest.split_at_checked(part.len).ok_or(Damage::Content)?;
        if after.iter().any(|&byte| byte != 0) {
            return Err(Damage::Header {
                field: "the padding after it",
            });
        }
        large.add_hash(part, hash_segment(part.offset, content));
        if part.index == 0 {
            check_header(&large.entry, before)?;
            match self.receiver.begin(&large.entry) {
                ControlFlow::Continue(output) => large.begin(Some(output)),
                ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
            }
        }
        match large.output() {
            Some(output) => Ok(self
                .receiver
                .piece(&large.entry, &output, part.offset, content)),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

/// Lets nobody wait for an entry that will not begin, should the receiver panic.
struct BeginGuard<'a, O>(&'a LargeRun<O>);

impl<O> Drop for BeginGuard<'_, O> {
    fn drop(&mut self) {
        self.0.begin(None);
    }
}

/// The content of an entry that is wholly in a member, checked together with its header and padding.
pub(super) fn whole_content<'p>(
    entry: &Entry,
    member: &Member,
    plain: &'p [u8],
) -> Result<&'p [u8], Damage> {
    let range = |start: u64, end: u64| {
        let start = start.checked_sub(member.tar_offset)? as usize;
        let end = end.checked_sub(member.tar_offset)? as usize;
        plain.get(start..end)
    };
    let place = Damage::Header { field: "its place" };
    let extent = Extent::of(entry).ok_or_else(|| place.clone())?;
    let content_end = extent.content + entry.size;
    let headers = range(extent.start, extent.content).ok_or_else(|| place.clone())?;
    let content = range(extent.content, content_end).ok_or_else(|| place.clone())?;
    let padding = range(content_end, extent.end).ok_or(place)?;
    check_header(entry, headers)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(Damage::Header {
            field: "the padding after it",
        });
    }
    match entry.digest {
        Some(digest) if Digest::of(content) != digest => Err(Damage::Content),
        Some(_) | None => Ok(content),
    }
}
