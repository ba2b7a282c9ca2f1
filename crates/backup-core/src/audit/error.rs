//! Why the journal cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Explain;

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct AuditError {
    /// What was tried.
    pub action: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl AuditError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

impl Explain for AuditError {
    fn code(&self) -> &'static str {
        "audit_io"
    }
}
