//! The file part of a restore: extracted and checked in staging folders first, swapped in at the very end.

use std::collections::HashSet;
use std::path::Path;

use backup_archive::extract::{
    ExtractObserver, ExtractOptions, ExtractStats, Loss, Owners, Selection, extract,
};
use backup_archive::{ArchivePath, Entry};

use super::compare::compare;
use super::error::RestoreError;
use super::options::{IntoDatabase, RestoreOptions};
use super::outcome::RestoreOutcome;
use super::plan::{Prepared, Root};
use crate::monitor::{Monitor, Phase};
use crate::opened::OpenedBackup;
use crate::placement::{self, Scope, StageOptions, stage};

/// A root whose files are extracted, synced and ready to be swapped in. Dropping it deletes them.
pub(super) struct StagedRoot {
    root: Root,
    prepared: placement::Prepared,
    files: u64,
    failed: Vec<String>,
    notes: Vec<String>,
}

impl StagedRoot {
    /// Files extracted.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// What could not be extracted, and why.
    pub(super) fn failed(&self) -> &[String] {
        &self.failed
    }

    /// What else is worth knowing.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Extracts every root beside the live files.
pub(super) fn stage_all(
    backup: &OpenedBackup,
    prepared: &Prepared<'_>,
    id: &str,
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<StagedRoot>, RestoreError> {
    let selection = options.selection()?;
    prepared
        .roots
        .iter()
        .map(|root| stage_root(backup, root, id, &selection, options, monitor))
        .collect()
}

fn stage_root(
    backup: &OpenedBackup,
    root: &Root,
    id: &str,
    selection: &Selection,
    options: &RestoreOptions,
    monitor: &dyn Monitor,
) -> Result<StagedRoot, RestoreError> {
    if monitor.is_cancelled() {
        return Err(RestoreError::Cancelled);
    }
    let stage_options = StageOptions {
        // Selected paths are put beside what is there; the folder as a whole is not replaced.
        force: options.force,
        // An interrupted swap has to find the files again, to take them the same way as the database; and when a later step fails, the
        // earlier ones are taken back.
        always_keep: true,
        ..StageOptions::default()
    };
    let staging = stage(&root.folder, id, &stage_options)?;
    let extract_options = ExtractOptions {
        jobs: options.jobs,
        strip_prefix: Some(root.stored_as.clone()),
        owners: if options.owners {
            Owners::Keep
        } else {
            Owners::Ignore
        },
        ..ExtractOptions::default()
    };
    let stats = extract(
        backup.chain(),
        staging.folder(),
        selection,
        &extract_options,
        &Observer(monitor),
    )
    .map_err(|source| RestoreError::Extract {
        folder: root.folder.clone(),
        source,
    })?;
    let failed: HashSet<ArchivePath> = stats
        .failed
        .iter()
        .map(|entry| entry.path.clone())
        .collect();
    if options.verify {
        monitor.phase(Phase::Verifying, Some(stats.bytes));
        let staged = staging.folder();
        compare(
            backup,
            root,
            staged,
            selection,
            &failed,
            options.jobs,
            monitor,
        )?;
    }
    // Also a glob may select a root as a whole.
    let prepared = if selection.selects(&root.stored_as) {
        staging.prepare(Scope::Whole)?
    } else {
        let topmost = topmost_paths(backup, root, selection, &failed)?;
        staging.prepare(Scope::Paths(&mut topmost.into_iter()))?
    };
    Ok(StagedRoot {
        root: root.clone(),
        prepared,
        files: stats.files,
        failed: stats
            .failed
            .iter()
            .map(|entry| format!("{}: {}", entry.path, entry.reason))
            .collect(),
        notes: notes(&stats),
    })
}

/// Swaps every root in. When one fails, those before it are taken back.
pub(super) fn place_all(
    staged: Vec<StagedRoot>,
    outcome: &mut RestoreOutcome,
) -> Result<(), RestoreError> {
    let mut replaced = Vec::new();
    for staged in staged {
        let Root { name, folder, .. } = staged.root;
        match staged.prepared.place() {
            Ok(placed) => {
                if placed.replaced > 0 {
                    replaced.push(name.clone());
                }
                outcome.placed.insert(name, folder);
            }
            Err(error) => {
                take_back(outcome)?;
                return Err(error.into());
            }
        }
    }
    for name in replaced {
        note_previous(outcome, &name);
    }
    Ok(())
}

/// Takes back every root that was swapped in.
pub(super) fn take_back(outcome: &RestoreOutcome) -> Result<(), RestoreError> {
    for folder in outcome.placed.values() {
        placement::undo(folder, &outcome.id)?;
    }
    Ok(())
}

/// Nothing can fail any more: what is kept of roots that replaced nothing is deleted. A swap is undone as a whole, so it keeps everything.
pub(super) fn settle(outcome: &mut RestoreOutcome) -> Result<(), RestoreError> {
    let names: Vec<String> = outcome.placed.keys().cloned().collect();
    for name in names {
        if outcome.into == Some(IntoDatabase::Swap) {
            note_previous(outcome, &name);
        } else if !outcome.previous.contains_key(&name) {
            placement::forget(&outcome.placed[&name], &outcome.id)?;
        }
    }
    Ok(())
}

fn note_previous(outcome: &mut RestoreOutcome, name: &str) {
    let kept = format!("{}{}", placement::RESTORE_PREFIX, outcome.id);
    let kept = outcome.placed[name].join(kept).display().to_string();
    outcome.previous.insert(name.to_owned(), kept);
}

/// The selected paths of a root that are not below another selected one, relative to the root.
fn topmost_paths(
    backup: &OpenedBackup,
    root: &Root,
    selection: &Selection,
    failed: &HashSet<ArchivePath>,
) -> Result<Vec<Vec<u8>>, RestoreError> {
    let mut paths = Vec::new();
    for entry in backup.reader().entries() {
        let Entry { path, .. } = entry?;
        if let Some(relative) = below(&root.stored_as, &path)
            && selection.is_topmost(&path)
            && !failed.contains(&path)
        {
            paths.push(relative.to_vec());
        }
    }
    Ok(paths)
}

/// The part of `path` below `folder`.
pub(super) fn below<'a>(folder: &ArchivePath, path: &'a ArchivePath) -> Option<&'a [u8]> {
    path.as_bytes()
        .strip_prefix(folder.as_bytes())?
        .strip_prefix(b"/")
}

fn notes(stats: &ExtractStats) -> Vec<String> {
    let note = |loss: &Loss, what: &str| {
        loss.example
            .as_ref()
            .map(|example| format!("{what} of {} entries, such as {example}", loss.count))
    };
    [
        note(&stats.owners, "not allowed to set the owner"),
        note(&stats.attributes, "cannot set extended attributes"),
        note(
            &stats.set_id_bits,
            "left out set-user-id and set-group-id bits",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Observer<'a>(&'a dyn Monitor);

impl ExtractObserver for Observer<'_> {
    fn planned(&self, _entries: u64, bytes: u64) {
        self.0.phase(Phase::Files, Some(bytes));
    }

    fn wrote(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

/// Whether a folder holds anything besides what restores keep in it.
pub(super) fn holds_something(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                !entry
                    .file_name()
                    .as_encoded_bytes()
                    .starts_with(placement::RESTORE_PREFIX.as_bytes())
            })
        })
    })
}
