//! The calls, wrapped so that tests read well.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use edms_backup::*;
use serde_json::Value;

/// What a failed call tells.
pub(crate) type Failed = (BackupStatus, Value);

/// Copies a string of the library.
pub(crate) fn text(pointer: *const c_char) -> String {
    assert!(!pointer.is_null());
    // SAFETY: the library gives out strings that end with NUL.
    unsafe { CStr::from_ptr(pointer) }
        .to_str()
        .unwrap()
        .to_owned()
}

/// Copies and frees a string that the library gave out.
pub(crate) fn take(pointer: *mut c_char) -> String {
    let copy = text(pointer);
    // SAFETY: it is ours, and freed once.
    unsafe { backup_string_free(pointer) };
    copy
}

fn taken(
    status: BackupStatus,
    json: *mut c_char,
    error: *mut BackupError,
) -> Result<Value, Failed> {
    if status == BackupStatus::BackupOk {
        assert!(error.is_null());
        return Ok(serde_json::from_str(&take(json)).unwrap());
    }
    Err(failed(status, error))
}

fn failed(status: BackupStatus, error: *mut BackupError) -> Failed {
    // SAFETY: the error is ours, and freed once.
    unsafe {
        let value = serde_json::from_str(&text(backup_error_json(error))).unwrap();
        backup_error_free(error);
        (status, value)
    }
}

/// `backup_run`.
pub(crate) fn run(command: &str, request: &Value) -> Result<Value, Failed> {
    let command = CString::new(command).unwrap();
    let request = CString::new(request.to_string()).unwrap();
    let (mut json, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: all pointers are valid.
    let status = unsafe {
        backup_run(
            command.as_ptr(),
            request.as_ptr(),
            &raw mut json,
            &raw mut error,
        )
    };
    taken(status, json, error)
}

/// A job handle.
#[derive(Debug)]
pub(crate) struct Job(*mut BackupJob);

// SAFETY: the library promises that every function may be called from any thread.
unsafe impl Sync for Job {}

impl Job {
    pub(crate) fn start(command: &str, request: &Value) -> Result<Self, Failed> {
        let command = CString::new(command).unwrap();
        let request = CString::new(request.to_string()).unwrap();
        let (mut job, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all pointers are valid.
        let status = unsafe {
            backup_job_start(
                command.as_ptr(),
                request.as_ptr(),
                &raw mut job,
                &raw mut error,
            )
        };
        match status {
            BackupStatus::BackupOk => Ok(Self(job)),
            _ => Err(failed(status, error)),
        }
    }

    pub(crate) fn progress(&self) -> Value {
        let (mut json, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the job is ours until it is dropped.
        let status = unsafe { backup_job_progress(self.0, &raw mut json, &raw mut error) };
        taken(status, json, error).unwrap()
    }

    pub(crate) fn cancel(&self) {
        // SAFETY: the job is ours until it is dropped.
        let status = unsafe { backup_job_cancel(self.0, ptr::null_mut()) };
        assert_eq!(status, BackupStatus::BackupOk);
    }

    /// Whether it ended in time.
    pub(crate) fn wait(&self, timeout_ms: i64) -> bool {
        // SAFETY: the job is ours until it is dropped.
        match unsafe { backup_job_wait(self.0, timeout_ms, ptr::null_mut()) } {
            BackupStatus::BackupOk => true,
            BackupStatus::BackupRunning => false,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn result(&self) -> Result<Value, Failed> {
        let (mut json, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the job is ours until it is dropped.
        let status = unsafe { backup_job_result(self.0, &raw mut json, &raw mut error) };
        taken(status, json, error)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: the job is ours, and freed once.
        unsafe { backup_job_free(self.0) };
    }
}
