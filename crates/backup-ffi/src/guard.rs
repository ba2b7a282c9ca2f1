//! The border: panics end here, and results become statuses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backup_core::Failure;

use crate::error::{BackupError, BackupStatus, Problem};

/// Runs `work`; on success stores its value in `*out`, on failure an error in `*error` when that is not NULL. `name` is what `out` is called.
///
/// # Safety
/// `out` and `error` are NULL or valid for writing.
pub(crate) unsafe fn guarded<T>(
    out: *mut T,
    name: &str,
    error: *mut *mut BackupError,
    work: impl FnOnce() -> Result<T, Problem>,
) -> BackupStatus {
    let checked = || {
        if out.is_null() {
            return Err(invalid(&format!("{name} is NULL")));
        }
        let value = work()?;
        // SAFETY: not NULL, and the caller's promise.
        unsafe { out.write(value) };
        Ok(())
    };
    // SAFETY: the caller's promise, handed on.
    unsafe { guarded_call(error, checked) }
}

/// Runs `work`; on failure stores an error in `*error` when that is not NULL.
///
/// # Safety
/// `error` is NULL or valid for writing.
pub(crate) unsafe fn guarded_call(
    error: *mut *mut BackupError,
    work: impl FnOnce() -> Result<(), Problem>,
) -> BackupStatus {
    // What a panic leaves behind is never looked at again: `work` owns everything it touches.
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let error = BackupError::new(&panicked());
        Err((BackupStatus::BackupPanic, error))
    });
    match result {
        Ok(()) => BackupStatus::BackupOk,
        Err((status, failure)) => {
            if !error.is_null() {
                // SAFETY: the caller's promise.
                unsafe { error.write(Box::into_raw(Box::new(failure))) };
            }
            status
        }
    }
}

/// What is told of a panic.
pub(crate) fn panicked() -> Failure {
    Failure {
        code: "panic".to_owned(),
        message: "the library has a bug: it panicked".to_owned(),
        hint: None,
        causes: Vec::new(),
    }
}

/// A wrong argument, named.
pub(crate) fn invalid(message: &str) -> Problem {
    (
        BackupStatus::BackupInvalidArgument,
        BackupError::plain("invalid_argument", message),
    )
}
