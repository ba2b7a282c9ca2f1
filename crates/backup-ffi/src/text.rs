//! Strings across the border.

use std::ffi::{CStr, CString, c_char};

use crate::error::Problem;
use crate::guard::invalid;

/// A C string; NUL characters, which it cannot hold, are replaced.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).expect("no NUL is left")
}

/// Reads a string argument.
///
/// # Safety
/// `text` is NULL or ends with NUL.
pub(crate) unsafe fn argument<'a>(text: *const c_char, name: &str) -> Result<&'a str, Problem> {
    if text.is_null() {
        return Err(invalid(&format!("{name} is NULL")));
    }
    // SAFETY: not NULL, and the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .map_err(|_| invalid(&format!("{name} is not UTF-8")))
}

/// Frees a string that this library gave out. NULL is fine.
///
/// # Safety
/// `text` is NULL or a string that this library gave out and that was not freed; it must not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backup_string_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: it came from CString::into_raw, and the caller frees it once.
        drop(unsafe { CString::from_raw(text) });
    }
}
