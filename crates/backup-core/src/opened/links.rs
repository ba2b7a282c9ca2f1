//! The other archives that hold content of a backup, found by their ids.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup_archive::seal::Keyring;
use backup_archive::{ArchiveReader, Chain, Location, ReadError};
use serde::Serialize;

use super::{Archives, OpenedBackup, open_by_table};
use crate::durable::parent;
use crate::repository::ENDINGS;

/// Another archive that holds content of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The backup that it belongs to.
    pub id: String,
    /// Where it was found.
    pub path: Option<PathBuf>,
    /// What is the matter with it.
    pub problem: Option<LinkProblem>,
}

/// What is the matter with an archive that a backup needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkProblem {
    /// Nowhere to be found.
    #[error("it is neither beside the backup nor in the repository")]
    Missing,
    /// Found, and cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its table of contents is lost; what can be found in it by reading all of it is used.
    #[error("its table of contents is lost ({0}); it was read from beginning to end")]
    Rebuilt(String),
}

/// Opens what `archive`, the file at `path`, refers to.
pub(super) fn open_links(
    archive: Arc<ArchiveReader>,
    path: &Path,
    archives: &Archives,
) -> (Chain, Vec<Link>) {
    let mut links = Vec::new();
    let beside = parent(path).to_owned();
    let chain = Chain::new(archive, |id| {
        let (link, reader) = open_link(id, &beside, archives);
        links.push(link);
        reader
    });
    (chain, links)
}

fn open_link(id: &[u8], beside: &Path, archives: &Archives) -> (Link, Option<Arc<ArchiveReader>>) {
    let id = String::from_utf8_lossy(id).into_owned();
    let mut link = Link {
        path: find_archive(&id, beside, archives),
        id,
        problem: None,
    };
    let Some(path) = &link.path else {
        link.problem = Some(LinkProblem::Missing);
        return (link, None);
    };
    match OpenedBackup::open_alone(path, &archives.keys) {
        Ok(backup) => {
            link.problem = backup.rebuilt_because().map(LinkProblem::Rebuilt);
            (link, Some(backup.chain.into_archive()))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error);
            let reason = cause.map_or_else(|| error.to_string(), ToString::to_string);
            link.problem = Some(LinkProblem::Unreadable(reason));
            (link, None)
        }
    }
}

/// The archive of the backup `id`: in `beside`, otherwise in one of the folders. By its name, and where no file has that, by the id that
/// its manifest gives.
pub(crate) fn find_archive(id: &str, beside: &Path, archives: &Archives) -> Option<PathBuf> {
    let folders = || std::iter::once(beside).chain(archives.folders.iter().map(PathBuf::as_path));
    // An id comes from an archive and may be anything: only a plain name is looked up.
    let is_name = !id.is_empty() && !id.contains(['/', '\0']);
    let by_name = folders()
        .filter(|_| is_name)
        .flat_map(|folder| ENDINGS.map(|ending| folder.join(format!("{id}{ending}"))))
        .find(|path| path.is_file());
    by_name.or_else(|| {
        folders()
            .flat_map(archives_in)
            .find(|path| is_archive_of(path, id, &archives.keys))
    })
}

fn archives_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
    })
}

fn is_archive_of(path: &Path, id: &str, keys: &Keyring) -> bool {
    open_by_table(path, keys).is_ok_and(|(_, manifest)| manifest.id.as_str() == id)
}

/// What broken links cost: the number of files and bytes whose content is there.
pub(super) fn costs(chain: &Chain, links: &[Link]) -> Result<Vec<String>, ReadError> {
    if links.iter().all(|link| link.problem.is_none()) {
        return Ok(Vec::new());
    }
    let mut lost = vec![(0_u64, 0_u64); links.len()];
    for entry in chain.archive().entries() {
        let entry = entry?;
        if let Location::Elsewhere { archive, .. } = entry.location
            && let Some((files, bytes)) = lost.get_mut(archive as usize)
        {
            *files += 1;
            *bytes += entry.size;
        }
    }
    let lines = links.iter().zip(lost).filter_map(|(link, (files, bytes))| {
        let problem = link.problem.as_ref()?;
        Some(format!(
            "archive {}, which holds {files} files ({bytes} bytes) of this backup: {problem}",
            link.id
        ))
    });
    Ok(lines.collect())
}
