//! The border: panics end here, and results become statuses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{BackupError, BackupStatus};

/// Runs `work`; on success stores its value in `*out`, on failure an error in `*error` when that is not NULL.
///
/// # Safety
/// `out` is valid for writing; `error` is NULL or valid for writing.
pub(crate) unsafe fn guarded<T>(
    out: *mut T,
    error: *mut *mut BackupError,
    work: impl FnOnce() -> Result<T, (BackupStatus, BackupError)>,
) -> BackupStatus {
    // What a panic leaves behind is never looked at again: `work` owns everything it touches.
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err((
            BackupStatus::BackupPanic,
            BackupError::plain("panic", "the library has a bug: it panicked"),
        ))
    });
    match result {
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            BackupStatus::BackupOk
        }
        Err((status, failure)) => {
            if !error.is_null() {
                // SAFETY: the caller's promise.
                unsafe { error.write(Box::into_raw(Box::new(failure))) };
            }
            status
        }
    }
}

/// A wrong argument, named.
pub(crate) fn invalid(message: &str) -> (BackupStatus, BackupError) {
    (
        BackupStatus::BackupInvalidArgument,
        BackupError::plain("invalid_argument", message),
    )
}
