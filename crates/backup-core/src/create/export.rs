//! Migration packages: free of secrets, of roles, and of what only their own machine knows.

use backup_db::Snapshot;

use super::job::Job;
use crate::manifest::Issue;
use crate::sanitize::{SanitizeError, sanitize};

impl Job<'_> {
    /// Has the snapshot leave out what must not travel, and takes down what that is.
    pub(super) fn sanitize(&mut self, snapshot: &mut Snapshot) -> Result<(), SanitizeError> {
        let sanitized = sanitize(snapshot, &self.options.sanitize)?;
        self.manifest.sanitized = sanitized.changes;
        self.manifest
            .notes
            .extend(sanitized.notes.into_iter().map(|reason| Issue {
                path: "database".to_owned(),
                reason,
            }));
        Ok(())
    }
}
