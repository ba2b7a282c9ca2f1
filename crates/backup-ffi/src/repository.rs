//! Repositories, read.

use std::ffi::c_char;

use backup_core::Repository;

use crate::error::{BackupError, BackupStatus};
use crate::guard::{guarded, invalid};
use crate::text::{argument, c_string};

/// Lists the backups of the repository at `path` as a JSON array of records, oldest first. On `BACKUP_OK`, `*json` is the caller's: free it
/// with `backup_string_free`. Otherwise `*json` is untouched and `*error`, if `error` is not NULL, is an error to be freed with
/// `backup_error_free`.
///
/// # Safety
/// `path` is NULL or ends with NUL; `json` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_repository_list(
    path: *const c_char,
    json: *mut *mut c_char,
    error: *mut *mut BackupError,
) -> BackupStatus {
    let mut unused = std::ptr::null_mut();
    let out = if json.is_null() {
        &raw mut unused
    } else {
        json
    };
    // SAFETY: `out` is `json`, valid by the caller's promise, or a local; `error` by the caller's promise.
    unsafe {
        guarded(out, error, || {
            if json.is_null() {
                return Err(invalid("json is NULL"));
            }
            let path = argument(path, "path")?;
            let listing = Repository::open(path)
                .and_then(|repository| repository.list())
                .map_err(|error| (BackupStatus::BackupFailed, BackupError::from_error(&error)))?;
            let text = serde_json::to_string(&listing.backups).expect("records are plain data");
            Ok(c_string(&text).into_raw())
        })
    }
}
