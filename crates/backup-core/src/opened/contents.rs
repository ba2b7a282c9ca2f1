//! Entries, as lists show them.

use backup_archive::{Entry, EntryKind, Location};
use serde::Serialize;

/// One entry, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Path inside the archive; bytes that are not UTF-8 are replaced, control characters escaped.
    pub path: String,
    /// `file`, `folder`, `symlink` or `hardlink`.
    pub kind: &'static str,
    /// Bytes of content.
    pub size: u64,
    /// Where a link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// BLAKE3 of the content, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The backup whose archive holds the content, unless it is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// The path that it has there, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_as: Option<String>,
}

impl Contents {
    /// Describes an entry of an archive whose other archives are `archives`.
    pub(super) fn new(entry: &Entry, archives: &[Vec<u8>]) -> Self {
        let (kind, target) = match &entry.kind {
            EntryKind::File => ("file", None),
            EntryKind::Directory => ("folder", None),
            EntryKind::Symlink { target } => (
                "symlink",
                Some(String::from_utf8_lossy(target).into_owned()),
            ),
            EntryKind::HardLink { target } => ("hardlink", Some(target.to_string())),
        };
        let (archive, stored_as) = match &entry.location {
            Location::Here { .. } => (None, None),
            Location::Elsewhere { archive, stored_as } => (
                archives
                    .get(*archive as usize)
                    .map(|id| String::from_utf8_lossy(id).into_owned()),
                stored_as.as_ref().map(ToString::to_string),
            ),
        };
        Self {
            archive,
            stored_as,
            path: entry.path.to_string(),
            kind,
            size: entry.size,
            target,
            digest: entry.digest.as_ref().map(ToString::to_string),
        }
    }
}
