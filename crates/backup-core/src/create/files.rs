//! The file roots: walked in order, every entry handed to the archive.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use backup_archive::{ArchivePath, EntryKind, Metadata};

use super::CreateError;
use super::comparison::{Comparison, Verdict};
use super::job::Job;
use crate::capture::{CapturedFile, Found, OwnerNames, Totals, WalkOptions, check_totals, walk};
use crate::closure::Hashing;
use crate::kind::Status;
use crate::manifest::{Issue, RootManifest};
use crate::monitor::Phase;
use crate::opened::open_by_table;

/// Appends every root as `files/<root>/…`.
pub(super) fn append(job: &mut Job<'_>) -> Result<(), CreateError> {
    job.monitor.phase(Phase::Files, None);
    let previous = previous_totals(job);
    let owners = Arc::new(OwnerNames::of_this_machine().unwrap_or_default());
    let roots = &job.options.files;
    let base = job.base.take();
    let mut comparison = base
        .as_ref()
        .map(|base| Comparison::new(base, roots, job.options.paranoid));
    for (name, folder) in roots {
        let totals = append_root(job, name, folder, &owners, comparison.as_mut())?;
        let guard = check_totals(
            folder,
            previous.get(name).copied(),
            totals,
            job.options.source_guard,
        );
        if !job.options.allow_shrunken {
            guard.map_err(|source| CreateError::Source {
                root: name.clone(),
                source,
            })?;
        }
        if totals.files == 0 {
            job.manifest.notes.push(Issue {
                path: format!("files/{name}"),
                reason: "this file root holds no files".to_owned(),
            });
        }
    }
    if let Some(comparison) = comparison {
        // What the workers find out is known only when they have dealt with every file.
        job.writer.flush()?;
        let (stored, held) = job.findings.counts();
        let incremental = comparison.finish(stored, &held, job.writer.archives())?;
        job.manifest.incremental = Some(incremental);
    }
    Ok(())
}

fn append_root(
    job: &mut Job<'_>,
    name: &str,
    folder: &Path,
    owners: &Arc<OwnerNames>,
    mut comparison: Option<&mut Comparison<'_>>,
) -> Result<Totals, CreateError> {
    let prefix = ArchivePath::new(format!("files/{name}")).expect("root names are checked");
    let options = WalkOptions {
        exclude_folders: job
            .repository
            .iter()
            .map(|repository| repository.path().to_owned())
            .collect(),
        owners: Arc::clone(owners),
        ..WalkOptions::default()
    };
    let mut root = RootManifest {
        source: folder.display().to_string(),
        files: 0,
        directories: 0,
        symlinks: 0,
        bytes: 0,
    };
    let mut totals = Totals::default();
    for found in walk(folder, prefix, options).map_err(CreateError::Walk)? {
        job.check_cancelled()?;
        job.monitor.advance(job.findings.take_progress());
        if let Some(comparison) = &mut comparison {
            match &found {
                // Judged below, where its content is at hand.
                Found::File { .. } | Found::Skipped { .. } => {}
                Found::Issue(issue) => comparison.pass_unknown(&issue.path)?,
                Found::Folder { path, .. }
                | Found::Symlink { path, .. }
                | Found::HardLink { path, .. } => comparison.pass(path)?,
            }
        }
        match found {
            Found::Folder { path, metadata } => {
                root.directories += 1;
                job.writer
                    .append_special(&path, EntryKind::Directory, &metadata)?;
            }
            Found::Symlink {
                path,
                target,
                metadata,
            } => {
                root.symlinks += 1;
                if let Some(closure) = &job.closure {
                    closure.present(&path);
                }
                job.writer
                    .append_special(&path, EntryKind::Symlink { target }, &metadata)?;
            }
            Found::HardLink {
                path,
                target,
                metadata,
            } => {
                root.files += 1;
                if let Some(closure) = &job.closure {
                    closure.present(&path);
                }
                job.writer
                    .append_special(&path, EntryKind::HardLink { target }, &metadata)?;
            }
            Found::File {
                path,
                metadata,
                size,
                source,
            } => {
                root.files += 1;
                root.bytes += size;
                totals.files += 1;
                totals.bytes += size;
                match &mut comparison {
                    None => append_content(job, name, &path, source)?,
                    Some(comparison) => {
                        append_if_changed(job, name, comparison, &path, &metadata, size, source)?;
                    }
                }
            }
            Found::Skipped { path, reason } => job.manifest.notes.push(Issue {
                path: path.to_string(),
                reason: format!("left out: {reason}"),
            }),
            Found::Issue(issue) => job.manifest.issues.push(Issue {
                path: issue.path.to_string(),
                reason: issue.reason.to_string(),
            }),
        }
    }
    job.manifest.files.insert(name.to_owned(), root);
    Ok(totals)
}

/// Appends a file, or refers to the archive that has it.
fn append_if_changed(
    job: &mut Job<'_>,
    root: &str,
    comparison: &mut Comparison<'_>,
    path: &ArchivePath,
    metadata: &Metadata,
    size: u64,
    source: CapturedFile,
) -> Result<(), CreateError> {
    match comparison.judge(path, metadata, size)? {
        Verdict::Unchanged(entry, holder) => {
            if let Some(closure) = &job.closure {
                closure.present(path);
            }
            let archive = comparison.holder(holder);
            job.writer.append_reference(*entry, archive)?;
        }
        Verdict::Perhaps(content) => job.writer.append_unless_held(path, source, content)?,
        Verdict::New => append_content(job, root, path, source)?,
    }
    Ok(())
}

/// Appends a file with its content, hashed where rows know the checksum.
fn append_content(
    job: &mut Job<'_>,
    root: &str,
    path: &ArchivePath,
    source: CapturedFile,
) -> Result<(), CreateError> {
    match &job.closure {
        Some(closure) if closure.hashes(root) => {
            let hashing = Hashing::new(source, path.clone(), Arc::clone(closure));
            job.writer.append_file(path, hashing)?;
        }
        _ => job.writer.append_file(path, source)?,
    }
    Ok(())
}

/// Archives that are opened at most to learn what the roots held.
const LOOKED_AT: usize = 20;

/// What each root held at the newest complete backup that has it; where there is none, at the newest that has it.
fn previous_totals(job: &Job<'_>) -> BTreeMap<String, Totals> {
    let mut records: Vec<_> = job
        .history()
        .and_then(|repository| repository.list().ok())
        .map(|listing| listing.backups)
        .unwrap_or_default()
        .into_iter()
        .filter(|record| record.kind.has_files())
        .rev()
        .collect();
    // Stable: newest first among each.
    records.sort_by_key(|record| record.status != Status::Complete);
    let mut known = BTreeMap::new();
    for record in records.iter().take(LOOKED_AT) {
        let missing = |name: &String| !known.contains_key(name);
        if !job.options.files.keys().any(missing) {
            break;
        }
        let Ok((_, manifest)) = open_by_table(&record.path, &job.options.keys) else {
            continue;
        };
        for (name, root) in &manifest.files {
            known.entry(name.clone()).or_insert(Totals {
                files: root.files,
                bytes: root.bytes,
            });
        }
    }
    known
}
