//! The C interface of edms-backup.
//!
//! Work is asked for by the name of a command and a JSON object with the fields of the command line's options (see
//! [`backup_core::request`]): [`backup_run`] does it in the calling thread, [`backup_job_start`] in a thread of its own, which is polled. No
//! callback ever enters the caller's code, and the library reads neither environment nor default configuration files.
//!
//! Rules of every function: strings are UTF-8 and end with NUL; what a function gives out is the caller's and is freed once with the function
//! named in its comment; `_free` takes NULL; outputs are written only on success, the error only on failure; a panic becomes
//! [`BackupStatus::BackupPanic`]; every function may be called from any thread, but nothing may be used while or after it is freed.
//! A job belongs to the process that started it: in a child made by fork its functions give [`BackupStatus::BackupWrongProcess`].
#![deny(unsafe_op_in_unsafe_fn)]

mod error;
mod guard;
mod job;
mod progress;
mod run;
mod text;
mod version;

pub use error::{
    BackupError, BackupStatus, backup_error_code, backup_error_free, backup_error_hint,
    backup_error_json, backup_error_message,
};
pub use job::{
    BackupJob, backup_job_cancel, backup_job_free, backup_job_progress, backup_job_result,
    backup_job_start, backup_job_wait,
};
pub use run::backup_run;
pub use text::backup_string_free;
pub use version::{BACKUP_ABI_VERSION, backup_abi_version, backup_version};
