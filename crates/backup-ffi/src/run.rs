//! Requests, carried out in the calling thread.

use std::ffi::c_char;

use backup_core::Silent;
use backup_core::request::{Request, ServiceError, Site, Surroundings};

use crate::error::{BackupError, BackupStatus, Problem};
use crate::guard::guarded;
use crate::text::{argument, c_string};

/// Does what `request` asks for and waits until it is done. `command` is the name of a command, such as `create`; `request` is a JSON object with
/// the fields of that command's options. On `BACKUP_OK`, `*json` is the result as JSON, as the command line prints it with `--json`: free it
/// with `backup_string_free`. Otherwise `*json` is untouched and `*error`, if `error` is not NULL, is an error to be freed with
/// `backup_error_free`.
///
/// # Safety
/// `command` and `request` are NULL or end with NUL; `json` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_run(
    command: *const c_char,
    request: *const c_char,
    json: *mut *mut c_char,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded(json, "json", error, || {
            let (site, request) = read(command, request)?;
            let result = request.run(&site, &Silent).map_err(|e| failed(&e))?;
            Ok(c_string(&result.to_string()).into_raw())
        })
    }
}

/// Reads a request, and resolves the site that it is about.
///
/// # Safety
/// `command` and `request` are NULL or end with NUL.
pub(crate) unsafe fn read(
    command: *const c_char,
    request: *const c_char,
) -> Result<(Site, Request), Problem> {
    // SAFETY: the caller's promise.
    let (command, request) =
        unsafe { (argument(command, "command")?, argument(request, "request")?) };
    let (site, request) = Request::from_json(command, request).map_err(|e| failed(&e))?;
    let site = site
        .resolve(&Surroundings::none())
        .map_err(|e| failed(&e.into()))?;
    Ok((site, request))
}

/// A failed request as status and error.
pub(crate) fn failed(error: &ServiceError) -> Problem {
    let status = if error.is_cancelled() {
        BackupStatus::BackupCancelled
    } else {
        BackupStatus::BackupFailed
    };
    (status, BackupError::from_error(error))
}
