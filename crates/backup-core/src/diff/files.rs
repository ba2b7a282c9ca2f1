//! The entries of two backups, compared: two sorted streams, side by side.

use std::cmp::Ordering;
use std::iter::Peekable;

use backup_archive::{ArchivePath, Entry, EntryKind};
use serde::Serialize;

use super::DiffError;
use crate::opened::OpenedBackup;

/// How an entry differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path inside the archive; bytes that are not UTF-8 are replaced, control characters escaped.
    pub path: String,
    /// Where it is.
    pub change: Change,
    /// What differs of one that is in both: `kind`, `content`, `target`, `mode`, `owner`, `mtime`, `attributes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what: Vec<&'static str>,
}

/// Where an entry is that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// In the second backup only.
    Added,
    /// In the first backup only.
    Removed,
    /// In both.
    Changed,
}

/// Tells every entry that differs.
pub(super) fn compare(
    from: &OpenedBackup,
    to: &OpenedBackup,
    tell: &mut dyn FnMut(FileChange),
) -> Result<(), DiffError> {
    for folder in ["config", "files"] {
        let folder = ArchivePath::new(folder).expect("a plain name");
        let mut old = Sorted::new(from, folder.clone());
        let mut new = Sorted::new(to, folder);
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(Ok(old)), Some(Ok(new))) => old.path.cmp(&new.path),
                // The error comes out below.
                (Some(Err(_)), _) => Ordering::Less,
                (_, Some(Err(_))) => Ordering::Greater,
            };
            let (old, new) = match order {
                Ordering::Less => (old.next()?, None),
                Ordering::Greater => (None, new.next()?),
                Ordering::Equal => (old.next()?, new.next()?),
            };
            if let Some(change) = change(old, new) {
                tell(change);
            }
        }
    }
    Ok(())
}

fn change(old: Option<Entry>, new: Option<Entry>) -> Option<FileChange> {
    let told = |entry: Entry, change| {
        Some(FileChange {
            path: entry.path.to_string(),
            change,
            what: Vec::new(),
        })
    };
    match (old, new) {
        (None, None) => None,
        (Some(old), None) => told(old, Change::Removed),
        (None, Some(new)) => told(new, Change::Added),
        (Some(old), Some(new)) => {
            let what = what_differs(&old, &new);
            (!what.is_empty()).then(|| FileChange {
                path: new.path.to_string(),
                change: Change::Changed,
                what,
            })
        }
    }
}

fn what_differs(old: &Entry, new: &Entry) -> Vec<&'static str> {
    let (before, now) = (&old.metadata, &new.metadata);
    let (content, target) = match (&old.kind, &new.kind) {
        (EntryKind::File, EntryKind::File) => (is_other_content(old, new), false),
        (EntryKind::Directory, EntryKind::Directory) => (false, false),
        (EntryKind::Symlink { target: old }, EntryKind::Symlink { target: new }) => {
            (false, old != new)
        }
        (EntryKind::HardLink { target: old }, EntryKind::HardLink { target: new }) => {
            (false, old != new)
        }
        _ => return vec!["kind"],
    };
    [
        (content, "content"),
        (target, "target"),
        (before.mode != now.mode, "mode"),
        ((before.uid, before.gid) != (now.uid, now.gid), "owner"),
        (before.mtime != now.mtime, "mtime"),
        (before.xattrs != now.xattrs, "attributes"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
    .collect()
}

/// Digests tell; an archive that has lost its table of contents has none, then size and time do.
fn is_other_content(old: &Entry, new: &Entry) -> bool {
    match (old.digest, new.digest) {
        (Some(old), Some(new)) => old != new,
        _ => old.size != new.size || old.metadata.mtime != new.metadata.mtime,
    }
}

type Entries<'a> = Box<dyn Iterator<Item = Result<Entry, backup_archive::ReadError>> + 'a>;

/// The entries of one folder of a backup, in order.
struct Sorted<'a> {
    backup: &'a OpenedBackup,
    entries: Peekable<Entries<'a>>,
    last: Option<ArchivePath>,
}

impl<'a> Sorted<'a> {
    fn new(backup: &'a OpenedBackup, folder: ArchivePath) -> Self {
        let entries: Entries<'a> = Box::new(backup.reader().entries().filter(move |entry| {
            entry
                .as_ref()
                .map_or(true, |entry| entry.path.starts_with(&folder))
        }));
        Self {
            backup,
            entries: entries.peekable(),
            last: None,
        }
    }

    fn peek(&mut self) -> Option<&Result<Entry, backup_archive::ReadError>> {
        self.entries.peek()
    }

    fn next(&mut self) -> Result<Option<Entry>, DiffError> {
        let next = self.entries.next().transpose();
        let entry = next.map_err(DiffError::table(self.backup))?;
        if let (Some(last), Some(entry)) = (&self.last, &entry)
            && *last >= entry.path
        {
            return Err(DiffError::Unordered {
                path: self.backup.path().to_owned(),
            });
        }
        self.last = entry.as_ref().map(|entry| entry.path.clone());
        Ok(entry)
    }
}
