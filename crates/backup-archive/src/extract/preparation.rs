//! The first look at everything that is to be extracted, before anything is written.

use std::collections::BTreeMap;

use super::error::{ExtractError, FailReason, FailedEntry};
use super::options::{ExtractOptions, SymlinkPolicy};
use super::selection::Selection;
use crate::{ArchivePath, Chain, Entry, EntryKind};

/// What is to be extracted, and where to.
pub(super) struct Scope<'a> {
    selection: &'a Selection,
    prefix: Option<&'a ArchivePath>,
}

/// Where an entry goes.
pub(super) enum Destination {
    /// The target folder itself.
    Root,
    /// Below the target.
    Below(ArchivePath),
}

impl<'a> Scope<'a> {
    pub(super) fn new(selection: &'a Selection, options: &'a ExtractOptions) -> Self {
        Self {
            selection,
            prefix: options.strip_prefix.as_ref(),
        }
    }

    /// Where an entry goes, were it selected; `None` if it lies outside of the prefix.
    pub(super) fn destination(&self, path: &ArchivePath) -> Option<Destination> {
        match self.prefix {
            None => Some(Destination::Below(path.clone())),
            Some(prefix) if path == prefix => Some(Destination::Root),
            Some(prefix) => path.strip_prefix(prefix).map(Destination::Below),
        }
    }

    /// Whether an entry is to be extracted.
    pub(super) fn includes(&self, path: &ArchivePath) -> bool {
        self.prefix.is_none_or(|prefix| path.starts_with(prefix)) && self.selection.selects(path)
    }
}

/// Findings of the first look.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    pub(super) entries: u64,
    pub(super) bytes: u64,
    /// Bytes of files without holes.
    pub(super) dense_bytes: u64,
    pub(super) has_links: bool,
    /// The archive lists everything in the order of a walk.
    pub(super) is_sorted: bool,
    /// Files that are not selected but whose content is needed for hard links that are, with the path of the first such link.
    pub(super) stand_ins: BTreeMap<ArchivePath, ArchivePath>,
    pub(super) failed: Vec<FailedEntry>,
}

/// Looks at every entry. Memory is flat, but for hard links to what is not selected.
pub(super) fn prepare(
    chain: &Chain,
    scope: &Scope<'_>,
    options: &ExtractOptions,
) -> Result<Preparation, ExtractError> {
    let reader = chain.archive();
    let mut found = Preparation {
        is_sorted: true,
        ..Preparation::default()
    };
    let mut previous: Option<ArchivePath> = None;
    for entry in reader.entries() {
        let entry = entry?;
        found.is_sorted &= previous.is_none_or(|previous| previous < entry.path);
        if scope.includes(&entry.path) {
            found.add(&entry, chain, scope, options)?;
        }
        previous = Some(entry.path);
    }
    for (target, link) in &found.stand_ins {
        match reader.find(target)? {
            Some(entry) if entry.kind.is_file() => {
                found.bytes = found.bytes.saturating_add(entry.size)
            }
            _ => found.failed.push(FailedEntry {
                path: link.clone(),
                reason: FailReason::LinkTarget(target.clone()),
            }),
        }
    }
    found.check_limits(options)?;
    Ok(found)
}

impl Preparation {
    fn add(
        &mut self,
        entry: &Entry,
        chain: &Chain,
        scope: &Scope<'_>,
        options: &ExtractOptions,
    ) -> Result<(), ExtractError> {
        self.entries += 1;
        match &entry.kind {
            EntryKind::Directory => {}
            // What cannot be had takes no room; reading tells it as damaged.
            EntryKind::File if !chain.has(entry) => {}
            EntryKind::File => {
                self.bytes = self.bytes.saturating_add(entry.size);
                self.dense_bytes = self.dense_bytes.saturating_add(if entry.metadata.sparse {
                    0
                } else {
                    entry.size
                });
            }
            EntryKind::Symlink { target } => {
                self.has_links = true;
                if options.symlinks == SymlinkPolicy::Confined
                    && leaves_target(&entry.path, target, scope)
                {
                    return Err(ExtractError::SymlinkEscapes {
                        path: entry.path.clone(),
                    });
                }
            }
            EntryKind::HardLink { target } => {
                self.has_links = true;
                if !matches!(scope.destination(target), Some(Destination::Below(_))) {
                    return Err(ExtractError::HardLinkEscapes {
                        path: entry.path.clone(),
                        target: target.clone(),
                    });
                }
                if !scope.includes(target) {
                    self.stand_ins
                        .entry(target.clone())
                        .or_insert_with(|| entry.path.clone());
                }
            }
        }
        // Checked here and not only at the end: the sums of a lying table may be huge.
        self.check_limits(options)
    }

    fn check_limits(&self, options: &ExtractOptions) -> Result<(), ExtractError> {
        if self.entries > options.max_entries {
            return Err(ExtractError::Limit {
                what: "entries",
                max: options.max_entries,
            });
        }
        if self.bytes > options.max_bytes {
            return Err(ExtractError::Limit {
                what: "bytes",
                max: options.max_bytes,
            });
        }
        Ok(())
    }
}

/// Whether following a link could lead out of the target: it is absolute, or has more `..` than folders around it. Other links on its
/// way are not looked at; they are held to the same rule.
fn leaves_target(path: &ArchivePath, target: &[u8], scope: &Scope<'_>) -> bool {
    if target.first() == Some(&b'/') {
        return true;
    }
    let Some(Destination::Below(destination)) = scope.destination(path) else {
        return true;
    };
    let mut depth = destination.parts().count() - 1;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}
