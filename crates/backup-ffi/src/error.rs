//! Status numbers and error handles.

use std::ffi::{CString, c_char};
use std::ptr;

use backup_core::{Explain, Failure};

use crate::text::c_string;

/// How a call ended. Numbers never change their meaning and are never used again.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupStatus {
    /// Done.
    BackupOk = 0,
    /// Not done: the error handle tells why.
    BackupFailed = 1,
    /// A pointer that must not be NULL is NULL, or a string is not UTF-8.
    BackupInvalidArgument = 2,
    /// The job has not ended yet.
    BackupRunning = 3,
    /// The job was cancelled; it left nothing behind.
    BackupCancelled = 4,
    /// The job belongs to another process: this one was forked from it.
    BackupWrongProcess = 5,
    /// The library has a bug: nothing is known about the state of the call.
    BackupPanic = 99,
}

/// How a call failed, and why.
pub(crate) type Problem = (BackupStatus, BackupError);

/// Why a call failed: a stable code, a message, the way out, the causes.
#[derive(Debug)]
pub struct BackupError {
    code: CString,
    message: CString,
    hint: Option<CString>,
    json: CString,
}

impl BackupError {
    pub(crate) fn new(failure: &Failure) -> Self {
        let json = serde_json::to_string(failure).expect("a failure is plain text");
        Self {
            code: c_string(&failure.code),
            message: c_string(&failure.message),
            hint: failure.hint.as_deref().map(c_string),
            json: c_string(&json),
        }
    }

    pub(crate) fn from_error(error: &dyn Explain) -> Self {
        Self::new(&Failure::from(error))
    }

    pub(crate) fn plain(code: &str, message: &str) -> Self {
        Self::new(&Failure {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: None,
            causes: Vec::new(),
        })
    }
}

/// The stable code, such as `no_repository`. Valid until the error is freed; NULL for NULL.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_error_code(error: *const BackupError) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.code.as_ptr())
}

/// What went wrong. Valid until the error is freed; NULL for NULL.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_error_message(error: *const BackupError) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.message.as_ptr())
}

/// What to do about it; NULL when there is nothing to say. Valid until the error is freed.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_error_hint(error: *const BackupError) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }
        .and_then(|error| error.hint.as_ref())
        .map_or(ptr::null(), |hint| hint.as_ptr())
}

/// The whole error as JSON: `{"code","message","hint","causes":[…]}`. Valid until the error is freed; NULL for NULL.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_error_json(error: *const BackupError) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.json.as_ptr())
}

/// Frees an error. NULL is fine.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed; it must not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_error_free(error: *mut BackupError) {
    if !error.is_null() {
        // SAFETY: it came from Box::into_raw in `guard`, and the caller frees it once.
        drop(unsafe { Box::from_raw(error) });
    }
}
