//! `diff`.

use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::site::Site;
use crate::diff::{Difference, FileChange, diff};

/// Two backups to be compared.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// The first: archive path or backup id.
    pub from: String,
    /// The second.
    pub to: String,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownDifference {
    /// The whole.
    #[serde(flatten)]
    pub difference: Difference,
    /// Each entry that differs, in order.
    pub entries: Vec<FileChange>,
}

impl DiffRequest {
    /// Compares the backups.
    ///
    /// # Errors
    /// When one cannot be opened or read.
    pub fn run(&self, site: &Site) -> Result<ShownDifference, ServiceError> {
        let mut entries = Vec::new();
        let difference = self.run_with(site, &mut |entry| entries.push(entry))?;
        Ok(ShownDifference {
            difference,
            entries,
        })
    }

    /// As [`DiffRequest::run`], but tells entries one by one instead of keeping them.
    ///
    /// # Errors
    /// As [`DiffRequest::run`].
    pub fn run_with(
        &self,
        site: &Site,
        on_file: &mut dyn FnMut(FileChange),
    ) -> Result<Difference, ServiceError> {
        let [from, to] = [site.open(&self.from)?, site.open(&self.to)?];
        Ok(diff(&from, &to, on_file)?)
    }
}
