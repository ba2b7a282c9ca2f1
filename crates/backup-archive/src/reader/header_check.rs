//! Holds the tar header of an entry against the table of contents: all readers must see the same entry.

use crate::tar::{Item, MAX_HEADER_LEN, read_item};
use crate::{Damage, Entry, EntryKind, Location};

/// Compares the headers at the beginning of `headers` with the entry. `headers` holds all of them.
pub(super) fn check_header(entry: &Entry, headers: &[u8]) -> Result<(), Damage> {
    let differs = |field| Err(Damage::Header { field });
    let found = match read_item(&mut &*headers, MAX_HEADER_LEN as u64) {
        Ok(Item::Entry(found)) => found,
        Ok(Item::Nothing { .. } | Item::End) | Err(_) => return differs("its form"),
    };
    let Location::Here { header_len, .. } = entry.location else {
        return differs("its place");
    };
    let (expected, actual) = (&entry.metadata, &found.metadata);
    if found.header_len != u64::from(header_len) {
        differs("its length")
    } else if found.path != entry.path {
        differs("its path")
    } else if found.kind != entry.kind {
        differs(match entry.kind {
            EntryKind::Symlink { .. } | EntryKind::HardLink { .. } => "its type or target",
            EntryKind::File | EntryKind::Directory => "its type",
        })
    } else if found.size != entry.size {
        differs("its size")
    } else if actual.mode != expected.mode {
        differs("its mode")
    } else if (actual.uid, actual.gid) != (expected.uid, expected.gid) {
        differs("its owner")
    } else if (&actual.user, &actual.group) != (&expected.user, &expected.group) {
        differs("the names of its owner")
    } else if actual.mtime != expected.mtime {
        differs("its time")
    } else if actual.xattrs != expected.xattrs {
        differs("its extended attributes")
    } else {
        Ok(())
    }
}
