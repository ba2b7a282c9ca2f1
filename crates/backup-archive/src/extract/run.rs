//! The extraction as a whole.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::error::{ExtractError, FailReason, FailedEntry};
use super::files::FileWriter;
use super::folder::Folder;
use super::metadata::MetadataSetter;
use super::options::{ExtractObserver, ExtractOptions, ExtractStats};
use super::preparation::{Scope, prepare};
use super::selection::Selection;
use super::space::check_space;
use crate::{ArchivePath, ArchiveReader, Chain, Entry};

/// Extracts the selected entries into a folder, wherever in the chain their content is.
///
/// Files are never overwritten: what is there already is a failed entry. Folders may be there, and get the metadata of their entries.
/// Folders above selected entries that are missing are made, with the metadata of their entries if the archive has them. Nothing is
/// synced to disk: that is for the caller, once for all.
///
/// # Errors
/// Damage does not end an extraction: the entries hit are in [`ExtractStats::failed`]. An error ends it, and all but
/// [`ExtractError::Target`] before anything is written, unless the archive becomes unreadable meanwhile.
pub fn extract(
    chain: &Chain,
    target: &Folder,
    selection: &Selection,
    options: &ExtractOptions,
    observer: &dyn ExtractObserver,
) -> Result<ExtractStats, ExtractError> {
    let reader = chain.archive();
    let scope = Scope::new(selection, options);
    let prepared = prepare(chain, &scope, options)?;
    if options.check_space {
        check_space(target, prepared.dense_bytes)?;
    }
    observer.planned(prepared.entries, prepared.bytes);
    let setter = MetadataSetter::new(options.owners);
    let mut extraction = Extraction {
        chain,
        reader,
        target,
        scope: &scope,
        setter: &setter,
        stand_ins: &prepared.stand_ins,
        made_folders: HashSet::new(),
        stats: ExtractStats {
            failed: prepared.failed,
            ..ExtractStats::default()
        },
    };
    extraction.make_directories()?;
    extraction.write_files(options, observer)?;
    if prepared.has_links {
        extraction.make_links()?;
    }
    extraction.finish_directories(prepared.is_sorted)?;
    let mut stats = extraction.stats;
    stats.failed.sort_by(|a, b| a.path.cmp(&b.path));
    stats.failed.dedup_by(|a, b| a.path == b.path);
    setter.move_losses_to(&mut stats);
    Ok(stats)
}

/// An extraction under way.
pub(super) struct Extraction<'a> {
    chain: &'a Chain,
    pub(super) reader: &'a ArchiveReader,
    pub(super) target: &'a Folder,
    pub(super) scope: &'a Scope<'a>,
    pub(super) setter: &'a MetadataSetter,
    pub(super) stand_ins: &'a BTreeMap<ArchivePath, ArchivePath>,
    /// Folders made for what is in them, below the target.
    pub(super) made_folders: HashSet<Vec<u8>>,
    pub(super) stats: ExtractStats,
}

impl Extraction<'_> {
    fn write_files(
        &mut self,
        options: &ExtractOptions,
        observer: &dyn ExtractObserver,
    ) -> Result<(), ExtractError> {
        let writer = FileWriter::new(
            self.target,
            self.scope,
            options,
            self.setter,
            observer,
            self.stand_ins,
        );
        let (scope, stand_ins) = (self.scope, self.stand_ins);
        let mut wanted = |entry: &Entry| {
            entry.kind.is_file()
                && (scope.includes(&entry.path) || stand_ins.contains_key(&entry.path))
        };
        // Whether the receiver has stopped the reader shows in its outcome.
        let read = self.chain.read_entries(&mut wanted, options.jobs, &writer);
        let outcome = writer.finish();
        if let Some(fatal) = outcome.fatal {
            return Err(fatal);
        }
        let _ = read?;
        self.stats.files = outcome.files;
        self.stats.bytes = outcome.bytes;
        self.stats.failed.extend(outcome.failed);
        self.made_folders.extend(outcome.made_folders);
        Ok(())
    }

    pub(super) fn fail(&mut self, path: &ArchivePath, reason: FailReason) {
        self.stats.failed.push(FailedEntry {
            path: path.clone(),
            reason,
        });
    }

    pub(super) fn refused(
        &self,
        action: &'static str,
        entry: &Entry,
        source: io::Error,
    ) -> ExtractError {
        ExtractError::Target {
            action,
            path: entry.path.clone(),
            source,
        }
    }
}
