//! Jobs: requests that are carried out in a thread of their own.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use backup_core::Failure;
use backup_core::request::{Request, Site};

use crate::error::{BackupError, BackupStatus, Problem};
use crate::guard::{guarded, guarded_call, invalid, panicked};
use crate::progress::Progress;
use crate::run::{failed, read};
use crate::text::c_string;

/// A request that is being carried out, or was. It belongs to the process that started it.
pub struct BackupJob {
    process: u32,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    progress: Progress,
    end: Mutex<Option<End>>,
    ended: Condvar,
}

/// How a job ended.
struct End {
    result: Result<String, (BackupStatus, Failure)>,
    elapsed_ms: u64,
}

/// Starts a request in a thread of its own; arguments as of `backup_run`. What is wrong with the request itself is told at once. On `BACKUP_OK`,
/// `*job` is the caller's: free it once with `backup_job_free`. Otherwise `*job` is untouched and `*error`, if `error` is not NULL, is an
/// error to be freed with `backup_error_free`.
///
/// # Safety
/// `command` and `request` are NULL or end with NUL; `job` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_start(
    command: *const c_char,
    request: *const c_char,
    job: *mut *mut BackupJob,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded(job, "job", error, || {
            let (site, request) = read(command, request)?;
            let shared = Arc::new(Shared {
                progress: Progress::new(),
                end: Mutex::new(None),
                ended: Condvar::new(),
            });
            let thread = thread::Builder::new()
                .name("edms-backup".to_owned())
                .spawn({
                    let shared = Arc::clone(&shared);
                    move || shared.work(&site, &request)
                })
                .map_err(|error| {
                    let message = format!("no thread can be started: {error}");
                    let failure = BackupError::plain("no_thread", &message);
                    (BackupStatus::BackupFailed, failure)
                })?;
            let job = BackupJob {
                process: process::id(),
                shared,
                thread: Some(thread),
            };
            Ok(Box::into_raw(Box::new(job)))
        })
    }
}

/// Tells how far a job is, as JSON: `{"state","phase","bytes_done","bytes_total","phase_ms","elapsed_ms","cancelling","warnings":[…]}`. `state` is
/// `running`, `succeeded`, `failed` or `cancelled`; `phase` is `preparing`, `database`, `files`, `verifying` or `finishing`; bytes are those of
/// the phase, `bytes_total` is null where it is not known; at most 100 warnings. Free `*json` with `backup_string_free`.
///
/// # Safety
/// `job` is NULL or a job that was not freed; `json` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_progress(
    job: *const BackupJob,
    json: *mut *mut c_char,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded(json, "json", error, || {
            let shared = shared(job)?;
            let end = shared.end();
            let state = match end.as_ref().map(|end| &end.result) {
                None => "running",
                Some(Ok(_)) => "succeeded",
                Some(Err((BackupStatus::BackupCancelled, _))) => "cancelled",
                Some(Err(_)) => "failed",
            };
            let ended_ms = end.as_ref().map(|end| end.elapsed_ms);
            let report = shared.progress.report(state, ended_ms);
            Ok(c_string(&report.to_string()).into_raw())
        })
    }
}

/// Asks a job to stop. It cleans up and ends soon, with `BACKUP_CANCELLED`, unless it has ended before.
///
/// # Safety
/// `job` is NULL or a job that was not freed; `error` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_cancel(
    job: *const BackupJob,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded_call(error, || {
            shared(job)?.progress.cancel();
            Ok(())
        })
    }
}

/// Waits for the end of a job, at most `timeout_ms` milliseconds; for ever when that is negative. `BACKUP_OK`: it has ended, well or not;
/// `BACKUP_RUNNING`: it has not.
///
/// # Safety
/// `job` is NULL or a job that was not freed; `error` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_wait(
    job: *const BackupJob,
    timeout_ms: i64,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded_call(error, || {
            let shared = shared(job)?;
            if shared.wait(u64::try_from(timeout_ms).ok().map(Duration::from_millis)) {
                Ok(())
            } else {
                Err(still_running())
            }
        })
    }
}

/// Gives the result of a job, as often as it is asked. `BACKUP_OK`: `*json` is what `backup_run` would have given, to be freed with
/// `backup_string_free`. `BACKUP_RUNNING`: not yet. Otherwise the job failed, with this status and error.
///
/// # Safety
/// `job` is NULL or a job that was not freed; `json` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_result(
    job: *const BackupJob,
    json: *mut *mut c_char,
    error: *mut *mut BackupError,
) -> BackupStatus {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        guarded(json, "json", error, || match &*shared(job)?.end() {
            None => Err(still_running()),
            Some(End { result, .. }) => match result {
                Ok(text) => Ok(c_string(text).into_raw()),
                Err((status, failure)) => Err((*status, BackupError::new(failure))),
            },
        })
    }
}

/// Frees a job. One that still runs is cancelled first, and its end is waited for. NULL is fine; in a child made by fork nothing
/// but memory is given back.
///
/// # Safety
/// `job` is NULL or a job that was not freed; it must not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_job_free(job: *mut BackupJob) {
    if job.is_null() {
        return;
    }
    // SAFETY: it came from Box::into_raw in `backup_job_start`, and the caller frees it once.
    let mut job = unsafe { Box::from_raw(job) };
    if job.process != process::id() {
        // The thread is in the other process; what it holds may be locked for ever here.
        std::mem::forget(job);
        return;
    }
    job.shared.progress.cancel();
    if let Some(thread) = job.thread.take() {
        // It catches its panics itself.
        let _ = thread.join();
    }
}

/// The job behind a handle, if this process may use it.
///
/// # Safety
/// `job` is NULL or a job that was not freed.
unsafe fn shared<'a>(job: *const BackupJob) -> Result<&'a Shared, Problem> {
    // SAFETY: the caller's promise.
    let job = unsafe { job.as_ref() }.ok_or_else(|| invalid("job is NULL"))?;
    if job.process != process::id() {
        return Err((
            BackupStatus::BackupWrongProcess,
            BackupError::plain(
                "wrong_process",
                "the job belongs to the process that started it, not to its child",
            ),
        ));
    }
    Ok(&job.shared)
}

fn still_running() -> Problem {
    let error = BackupError::plain("running", "the job has not ended yet");
    (BackupStatus::BackupRunning, error)
}

impl Shared {
    fn work(&self, site: &Site, request: &Request) {
        // What a panic leaves behind is never looked at again, but for counters.
        let result = catch_unwind(AssertUnwindSafe(|| request.run(site, &self.progress)));
        let result = match result {
            Ok(Ok(value)) => Ok(value.to_string()),
            Ok(Err(error)) => Err((failed(&error).0, Failure::from(&error))),
            Err(_) => Err((BackupStatus::BackupPanic, panicked())),
        };
        *self.end() = Some(End {
            result,
            elapsed_ms: self.progress.elapsed_ms(),
        });
        self.ended.notify_all();
    }

    fn end(&self) -> std::sync::MutexGuard<'_, Option<End>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it ended before the timeout.
    fn wait(&self, timeout: Option<Duration>) -> bool {
        // A timeout that no clock can hold is none.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut end = self.end();
        while end.is_none() {
            end = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.ended.wait_timeout(end, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.ended.wait(end).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }
}
