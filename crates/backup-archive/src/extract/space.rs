//! How much the target can take.

use super::error::ExtractError;
use super::folder::Folder;

/// Refuses what cannot fit. Files with holes may need less than their length: they do not count.
pub(super) fn check_space(target: &Folder, needed: u64) -> Result<(), ExtractError> {
    let free = rustix::fs::fstatvfs(target).map_err(|error| ExtractError::Root {
        action: "ask for the free space of",
        source: error.into(),
    })?;
    let available = free.f_bavail.saturating_mul(free.f_frsize);
    if needed > available {
        return Err(ExtractError::NoSpace { needed, available });
    }
    Ok(())
}
