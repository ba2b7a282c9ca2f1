//! The functions as C calls them.

use std::ffi::{CStr, CString};
use std::ptr;

use edms_backup::*;

fn text(pointer: *const std::ffi::c_char) -> String {
    assert!(!pointer.is_null());
    // SAFETY: the library gives out strings that end with NUL.
    unsafe { CStr::from_ptr(pointer) }
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn versions() {
    assert_eq!(backup_abi_version(), BACKUP_ABI_VERSION);
    assert_eq!(text(backup_version()), env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_missing_repository_is_an_error_with_code_and_hint() {
    let path = CString::new("/nonexistent/backups").unwrap();
    let mut json = ptr::null_mut();
    let mut error = ptr::null_mut();
    // SAFETY: all pointers are valid; the error is freed once.
    unsafe {
        let status = backup_repository_list(path.as_ptr(), &raw mut json, &raw mut error);
        assert_eq!(status, BackupStatus::BackupFailed);
        assert!(json.is_null(), "outputs are written only on success");
        assert_eq!(text(backup_error_code(error)), "no_repository");
        assert!(text(backup_error_message(error)).contains("/nonexistent/backups"));
        assert!(text(backup_error_hint(error)).contains("BACKUP_ROOT"));
        assert!(text(backup_error_json(error)).starts_with("{\"code\":\"no_repository\""));
        backup_error_free(error);
    }
}

#[test]
fn null_is_refused_and_freeing_null_is_fine() {
    // SAFETY: NULL is what is tested.
    unsafe {
        let status = backup_repository_list(ptr::null(), ptr::null_mut(), ptr::null_mut());
        assert_eq!(status, BackupStatus::BackupInvalidArgument);
        assert!(backup_error_code(ptr::null()).is_null());
        backup_error_free(ptr::null_mut());
        backup_string_free(ptr::null_mut());
    }
}

#[test]
fn an_empty_repository_lists_as_an_empty_array() {
    let folder = tempfile::tempdir().unwrap();
    backup_core::Repository::open_or_create(folder.path()).unwrap();
    let path = CString::new(folder.path().to_str().unwrap()).unwrap();
    let mut json = ptr::null_mut();
    // SAFETY: all pointers are valid; the string is freed once.
    unsafe {
        let status = backup_repository_list(path.as_ptr(), &raw mut json, ptr::null_mut());
        assert_eq!(status, BackupStatus::BackupOk);
        assert_eq!(text(json), "[]");
        backup_string_free(json);
    }
}
