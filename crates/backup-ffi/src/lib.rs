//! The C interface of edms-backup.
//!
//! So far it tells versions, lists a repository and carries errors; work as jobs comes with the Django application.
//!
//! Rules of every function: strings are UTF-8 and end with NUL; what a function gives out is the caller's and is freed once with the function
//! named in its comment; `_free` takes NULL; outputs are written only on success; a panic becomes [`BackupStatus::BackupPanic`]; every function may
//! be called from any thread.
#![deny(unsafe_op_in_unsafe_fn)]

mod error;
mod guard;
mod repository;
mod text;
mod version;

pub use error::{
    BackupError, BackupStatus, backup_error_code, backup_error_free, backup_error_hint,
    backup_error_json, backup_error_message,
};
pub use repository::backup_repository_list;
pub use text::backup_string_free;
pub use version::{BACKUP_ABI_VERSION, backup_abi_version, backup_version};
