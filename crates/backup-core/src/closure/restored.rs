//! The check of a restored database against restored files.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;

use backup_archive::{ArchivePath, FileSource};
use backup_db::{ConnectError, ConnectOptions, QueryError, Session};
use sha2::{Digest, Sha256};

use super::{Closure, ClosureReport};
use crate::capture::{Found, WalkError, WalkOptions, walk};
use crate::config::ReferenceRule;

/// What was restored cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoredError {
    #[error("cannot connect")]
    Connect(#[from] ConnectError),
    #[error("the rows cannot be read")]
    Rows(#[from] QueryError),
    #[error("a restored folder cannot be read")]
    Walk(#[from] WalkError),
    #[error("restored files cannot be compared")]
    Files(#[from] io::Error),
}

/// Compares the rows of the database at `connect` with the files below `folder`, which has a folder for each of `roots`. `None` when no rule is about them.
pub(crate) fn check_restored(
    rules: &[ReferenceRule],
    connect: &ConnectOptions,
    folder: &Path,
    roots: &BTreeSet<String>,
) -> Result<Option<ClosureReport>, RestoredError> {
    let Some(closure) = Closure::new(rules, roots.iter().cloned(), folder) else {
        return Ok(None);
    };
    let mut session = Session::connect(connect)?;
    closure.read_rows(|statement, take| session.copy_out(statement, take))?;
    for root in roots {
        let prefix = ArchivePath::new(format!("files/{root}")).expect("root names are checked");
        for found in walk(&folder.join(root), prefix, WalkOptions::default())? {
            match found {
                Found::File {
                    path, mut source, ..
                } => {
                    if closure.hashes(root) {
                        closure.hashed(&path, &sha256_of(&mut *source.open()?)?);
                    }
                    closure.present(&path);
                }
                Found::Symlink { path, .. } | Found::HardLink { path, .. } => {
                    closure.present(&path);
                }
                Found::Folder { .. } | Found::Skipped { .. } | Found::Issue(_) => {}
            }
        }
    }
    Ok(Some(closure.finish()?))
}

fn sha256_of(content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(sha256.finalize().to_vec()),
            read => sha256.update(&buffer[..read]),
        }
    }
}
