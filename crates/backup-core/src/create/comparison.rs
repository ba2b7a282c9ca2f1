//! A walk over the files, compared with the table of contents of the base: two sorted streams, side by side.
//!
//! A file is *unchanged*, and not read, when size, mtime, ctime and inode are those of the base and the ctime is older than the base: a
//! change within the tick of the clock in which the base read it cannot hide. With the same size and anything else different, it is read
//! and hashed: `chmod`, a restored copy, a moved store cost time, not space. Memory does not depend on the number of files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::iter::Peekable;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use backup_archive::{ArchivePath, Entry, EntryKind, HeldContent, Location, Metadata, ReadError};

use super::CreateError;
use super::base::OpenedBase;
use super::moved::MovedFiles;
use crate::id::BackupId;
use crate::manifest::{FileCount, HolderManifest, IncrementalManifest, RenamedFile};

/// Renamed and deleted files that are listed by name.
const MAX_LISTED: usize = 1000;

/// The files of the base, compared with those of a walk.
pub(super) struct Comparison<'b> {
    base: &'b OpenedBase,
    roots: &'b BTreeMap<String, PathBuf>,
    paranoid: bool,
    entries: Peekable<Box<dyn Iterator<Item = Result<Entry, ReadError>> + 'b>>,
    /// The entry taken last: they must come in order.
    last: Option<ArchivePath>,
    /// What the walk could not look at; nothing is known of what is below.
    unknown: Option<ArchivePath>,
    moved: MovedFiles,
    /// What each holder of the base has of this backup.
    held: Vec<FileCount>,
    renamed: Vec<(ArchivePath, ArchivePath)>,
    renamed_count: u64,
    deleted: Vec<ArchivePath>,
    deleted_count: u64,
}

/// What the base says of a file.
pub(super) enum Verdict {
    /// It is unchanged: the entry that refers to the archive which has it.
    Unchanged(Box<Entry>, usize),
    /// It may be unchanged, which its content will tell.
    Perhaps(HeldContent),
    /// It is new or changed.
    New,
}

impl<'b> Comparison<'b> {
    pub(super) fn new(
        base: &'b OpenedBase,
        roots: &'b BTreeMap<String, PathBuf>,
        paranoid: bool,
    ) -> Self {
        let files = ArchivePath::new("files").expect("a constant path");
        let is_file = move |entry: &Result<Entry, ReadError>| {
            entry
                .as_ref()
                .map_or(true, |entry| entry.path.starts_with(&files))
        };
        let entries: Box<dyn Iterator<Item = _> + 'b> =
            Box::new(base.reader.entries().filter(is_file));
        Self {
            base,
            roots,
            paranoid,
            entries: entries.peekable(),
            last: None,
            unknown: None,
            moved: MovedFiles::default(),
            held: vec![FileCount::default(); base.holders.len()],
            renamed: Vec::new(),
            renamed_count: 0,
            deleted: Vec::new(),
            deleted_count: 0,
        }
    }

    /// Identifier of the archive with this number.
    pub(super) fn holder(&self, number: usize) -> &'b [u8] {
        &self.base.holders[number]
    }

    /// The walk found something there that is no regular file, or a further name of one.
    pub(super) fn pass(&mut self, path: &ArchivePath) -> Result<(), CreateError> {
        self.before(path).map(drop)
    }

    /// The walk could not look at `path`, and so not at what is below either.
    pub(super) fn pass_unknown(&mut self, path: &ArchivePath) -> Result<(), CreateError> {
        self.before(path)?;
        let is_within = |unknown: &ArchivePath| path.starts_with(unknown);
        if !self.unknown.as_ref().is_some_and(is_within) {
            self.unknown = Some(path.clone());
        }
        Ok(())
    }

    /// The walk found a regular file.
    pub(super) fn judge(
        &mut self,
        path: &ArchivePath,
        metadata: &Metadata,
        size: u64,
    ) -> Result<Verdict, CreateError> {
        match self.before(path)? {
            Some(before) if before.kind.is_file() => Ok(self.compare(before, path, metadata, size)),
            _ => self.find_moved(path, metadata, size),
        }
    }

    fn compare(
        &mut self,
        before: Entry,
        path: &ArchivePath,
        metadata: &Metadata,
        size: u64,
    ) -> Verdict {
        let (Some(digest), true) = (before.digest, before.size == size) else {
            return Verdict::New;
        };
        let (holder, stored_path) = self.base.holder_of(&before);
        let stored_as = (stored_path != path).then(|| stored_path.clone());
        if !self.is_unchanged(&before.metadata, metadata) {
            return Verdict::Perhaps(HeldContent {
                size,
                digest,
                archive: self.base.holders[holder].clone(),
                stored_as,
            });
        }
        self.held[holder].add(size);
        let entry = Entry {
            path: path.clone(),
            kind: EntryKind::File,
            metadata: Metadata {
                // They cannot change without the ctime.
                xattrs: before.metadata.xattrs,
                ..metadata.clone()
            },
            size,
            digest: Some(digest),
            location: Location::Elsewhere {
                archive: 0,
                stored_as,
            },
        };
        Verdict::Unchanged(Box::new(entry), holder)
    }

    fn is_unchanged(&self, before: &Metadata, now: &Metadata) -> bool {
        let (Some(origin), false) = (now.origin, self.paranoid) else {
            return false;
        };
        before.origin == Some(origin)
            && before.mtime == now.mtime
            && origin.ctime < self.base.doubtful_from
    }

    /// Looks for a file that had another path when the base was made.
    fn find_moved(
        &mut self,
        path: &ArchivePath,
        metadata: &Metadata,
        size: u64,
    ) -> Result<Verdict, CreateError> {
        // What was written since is not in the base; the usual case, so it is not looked for.
        if size == 0 || metadata.mtime > self.base.ended_at {
            return Ok(Verdict::New);
        }
        let found = self
            .moved
            .find(&self.base.reader, metadata, size)
            .map_err(|error| self.base.unreadable(error))?;
        let Some(before) = found else {
            return Ok(Verdict::New);
        };
        if self.is_gone(&before.path) {
            self.renamed_count += 1;
            if self.renamed.len() < MAX_LISTED {
                self.renamed.push((before.path.clone(), path.clone()));
            }
        }
        Ok(self.compare(before, path, metadata, size))
    }

    /// Whether a path of the base has nothing at it now.
    fn is_gone(&self, path: &ArchivePath) -> bool {
        let mut parts = path.parts().skip(1);
        let folder = parts
            .next()
            .and_then(|root| self.roots.get(std::str::from_utf8(root).ok()?));
        let Some(folder) = folder else {
            return false;
        };
        let on_disk = parts.fold(folder.clone(), |path, part| {
            path.join(OsStr::from_bytes(part))
        });
        let not_there = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        on_disk
            .symlink_metadata()
            .is_err_and(|error| not_there.contains(&error.kind()))
    }

    /// The entry of the base at `path`; those before it that the walk did not find are gone.
    fn before(&mut self, path: &ArchivePath) -> Result<Option<Entry>, CreateError> {
        loop {
            match self.entries.peek() {
                None => return Ok(None),
                Some(Ok(next)) if next.path > *path => return Ok(None),
                Some(_) => {}
            }
            let Some(entry) = self.next()? else {
                return Ok(None);
            };
            if entry.path == *path {
                return Ok(Some(entry));
            }
            self.gone(entry);
        }
    }

    fn next(&mut self) -> Result<Option<Entry>, CreateError> {
        let entry = self.entries.next().transpose();
        let entry = entry.map_err(|error| self.base.unreadable(error))?;
        if let (Some(last), Some(entry)) = (&self.last, &entry)
            && *last >= entry.path
        {
            return Err(CreateError::UnusableBase {
                path: self.base.path.clone(),
                reason: format!(
                    "its files are not in order: {} comes after {last}",
                    entry.path
                ),
            });
        }
        self.last = entry.as_ref().map(|entry| entry.path.clone());
        Ok(entry)
    }

    fn gone(&mut self, entry: Entry) {
        let root = entry.path.parts().nth(1);
        let is_of_a_root =
            root.is_some_and(|root| self.roots.keys().any(|name| name.as_bytes() == root));
        let is_unknown = self
            .unknown
            .as_ref()
            .is_some_and(|unknown| entry.path.starts_with(unknown));
        if entry.kind.is_directory() || !is_of_a_root || is_unknown {
            return;
        }
        self.deleted_count += 1;
        // Renamed ones are taken out at the end: there are no more of them in the list.
        if self.deleted.len() < 2 * MAX_LISTED {
            self.deleted.push(entry.path);
        }
    }

    /// The walk is over, and the workers have dealt with every file: `stored` is what is in the new archive, `referenced` what turned out
    /// to be held by others, by their number in `archives`.
    pub(super) fn finish(
        mut self,
        stored: FileCount,
        referenced: &HashMap<u32, FileCount>,
        archives: &[Vec<u8>],
    ) -> Result<IncrementalManifest, CreateError> {
        while let Some(entry) = self.next()? {
            self.gone(entry);
        }
        let numbers: HashMap<&Vec<u8>, usize> = self.base.holders.iter().zip(0..).collect();
        for (index, count) in referenced {
            let number = archives.get(*index as usize).and_then(|id| numbers.get(id));
            if let Some(number) = number {
                self.held[*number].files += count.files;
                self.held[*number].bytes += count.bytes;
            }
        }
        let holders = self.base.holders.iter().zip(&self.held);
        let holders: Vec<HolderManifest> = holders
            .filter(|(_, count)| count.files > 0)
            .filter_map(|(id, count)| {
                let id: BackupId = std::str::from_utf8(id).ok()?.parse().ok()?;
                Some(HolderManifest { id, count: *count })
            })
            .collect();
        let from: HashSet<&ArchivePath> = self.renamed.iter().map(|(from, _)| from).collect();
        let deleted_files = self
            .deleted
            .iter()
            .filter(|path| !from.contains(path))
            .take(MAX_LISTED)
            .map(ToString::to_string)
            .collect();
        Ok(IncrementalManifest {
            base: self.base.id.clone(),
            stored,
            referenced: FileCount {
                files: holders.iter().map(|holder| holder.count.files).sum(),
                bytes: holders.iter().map(|holder| holder.count.bytes).sum(),
            },
            renamed: self.renamed_count,
            deleted: self.deleted_count.saturating_sub(self.renamed_count),
            holders,
            renamed_files: self
                .renamed
                .iter()
                .map(|(from, to)| RenamedFile {
                    from: from.to_string(),
                    to: to.to_string(),
                })
                .collect(),
            deleted_files,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backup_archive::{
        ArchiveReader, ArchiveWriter, FileSink, Limits, Origin, Timestamp, WriterOptions,
    };
    use chrono::Utc;

    use super::*;
    use crate::kind::BackupKind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp {
            seconds,
            nanoseconds: 5,
        }
    }

    fn metadata(mtime: i64, ctime: i64, inode: u64) -> Metadata {
        Metadata {
            mtime: at(mtime),
            origin: Some(Origin {
                ctime: at(ctime),
                inode,
            }),
            ..Metadata::default()
        }
    }

    /// A base that began at second 1000 and holds one file of 4 bytes, with these times and inode 7.
    fn base(mtime: i64, ctime: i64) -> OpenedBase {
        let file = tempfile::tempfile().unwrap();
        let sink = FileSink::new(file.try_clone().unwrap(), false).unwrap();
        let mut writer = ArchiveWriter::new(sink, WriterOptions::default()).unwrap();
        writer
            .append_bytes(&path("files/docs/a"), &metadata(mtime, ctime, 7), "text")
            .unwrap();
        writer.finish().unwrap();
        OpenedBase {
            id: BackupId::generate(Utc::now(), BackupKind::Files).unwrap(),
            path: PathBuf::from("base"),
            reader: ArchiveReader::open(Arc::new(file), Limits::default()).unwrap(),
            doubtful_from: at(1000),
            ended_at: at(1010),
            holders: vec![b"base".to_vec()],
        }
    }

    fn path(text: &str) -> ArchivePath {
        ArchivePath::new(text).unwrap()
    }

    fn judged(
        base: &OpenedBase,
        paranoid: bool,
        name: &str,
        now: Metadata,
        size: u64,
    ) -> &'static str {
        let roots = BTreeMap::from([("docs".to_owned(), PathBuf::from("/nonexistent"))]);
        let mut comparison = Comparison::new(base, &roots, paranoid);
        match comparison.judge(&path(name), &now, size).unwrap() {
            Verdict::Unchanged(..) => "unchanged",
            Verdict::Perhaps(_) => "perhaps",
            Verdict::New => "new",
        }
    }

    #[test]
    fn when_a_file_is_read() {
        let old = base(500, 900);
        let verdict = |now, size| judged(&old, false, "files/docs/a", now, size);
        assert_eq!(verdict(metadata(500, 900, 7), 4), "unchanged");
        assert_eq!(verdict(metadata(500, 901, 7), 4), "perhaps", "ctime");
        assert_eq!(verdict(metadata(501, 900, 7), 4), "perhaps", "mtime");
        assert_eq!(verdict(metadata(500, 900, 8), 4), "perhaps", "inode");
        assert_eq!(verdict(metadata(500, 900, 7), 5), "new", "size");
        let paranoid = judged(&old, true, "files/docs/a", metadata(500, 900, 7), 4);
        assert_eq!(paranoid, "perhaps");
        // Changed in the tick of the clock in which the base may have read it.
        let young = base(500, 1000);
        let verdict = judged(&young, false, "files/docs/a", metadata(500, 1000, 7), 4);
        assert_eq!(verdict, "perhaps");
    }

    #[test]
    fn a_file_with_another_path_is_known_by_its_inode() {
        let old = base(500, 900);
        let verdict = |now, size| judged(&old, false, "files/docs/b", now, size);
        assert_eq!(
            verdict(metadata(500, 900, 7), 4),
            "unchanged",
            "its folder was renamed"
        );
        assert_eq!(
            verdict(metadata(500, 1005, 7), 4),
            "perhaps",
            "it was renamed"
        );
        for (now, size) in [
            (metadata(500, 900, 8), 4),
            (metadata(501, 900, 7), 4),
            (metadata(500, 900, 7), 5),
            (metadata(1011, 1011, 7), 4),
        ] {
            assert_eq!(verdict(now, size), "new");
        }
    }
}
