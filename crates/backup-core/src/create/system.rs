//! The system configuration component: single files that the operator names.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use backup_archive::ArchivePath;

use super::CreateError;
use super::job::Job;
use crate::capture::{Found, OwnerNames, single_file};
use crate::manifest::ConfigManifest;

/// Appends every configuration file as `config/<name>`; of files with one name, the later ones get a number.
pub(super) fn append(job: &mut Job<'_>) -> Result<(), CreateError> {
    let failed = |path: &Path, source| CreateError::System {
        path: path.to_owned(),
        source,
    };
    let owners = Arc::new(OwnerNames::of_this_machine().unwrap_or_default());
    let mut taken = BTreeSet::new();
    for path in &job.options.system {
        let stored_as = free_name(path, &mut taken)
            .ok_or_else(|| failed(path, std::io::ErrorKind::IsADirectory.into()))?;
        let found = single_file(path, stored_as.clone(), Arc::clone(&owners))
            .map_err(|source| failed(path, source))?;
        let Found::File { source, .. } = found else {
            unreachable!("single_file finds files");
        };
        job.writer.append_file(&stored_as, source)?;
        job.manifest.config.push(ConfigManifest {
            path: stored_as.to_string(),
            source: path.display().to_string(),
        });
    }
    Ok(())
}

/// `config/<file name>`, or `config/<file name>.2` and so on when that is taken.
pub(super) fn free_name(path: &Path, taken: &mut BTreeSet<ArchivePath>) -> Option<ArchivePath> {
    let name = path.file_name()?.as_encoded_bytes();
    (1_u32..)
        .map(|number| {
            let mut stored = [b"config/", name].concat();
            if number > 1 {
                stored.extend_from_slice(format!(".{number}").as_bytes());
            }
            ArchivePath::new(stored).ok()
        })
        .find(|candidate| {
            candidate
                .as_ref()
                .is_none_or(|candidate| taken.insert(candidate.clone()))
        })?
}
