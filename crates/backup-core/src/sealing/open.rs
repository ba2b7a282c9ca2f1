//! An archive file, sealed or not, as something to read from.

use std::fs::File;
use std::sync::Arc;

use backup_archive::Source;
use backup_archive::seal::{Keyring, SealedSource, UnsealError, UnsealLimits, is_sealed};

/// What is in the file: itself, or what was sealed in it. A sealed file of which the end is lost is opened as far as it goes: its reader
/// misses the table of contents then, and says so.
pub(crate) fn open_source(file: File, keys: &Keyring) -> Result<Arc<dyn Source>, UnsealError> {
    let file: Arc<dyn Source> = Arc::new(file);
    if !is_sealed(&*file).map_err(UnsealError::Io)? {
        return Ok(file);
    }
    let limits = UnsealLimits::default();
    match SealedSource::open(Arc::clone(&file), keys, limits) {
        Ok(source) => Ok(Arc::new(source)),
        Err(UnsealError::Truncated { .. } | UnsealError::DamagedEnd { .. }) => {
            Ok(Arc::new(SealedSource::salvage(file, keys, limits)?))
        }
        Err(error) => Err(error),
    }
}
