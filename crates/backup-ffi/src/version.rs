//! Versions: what a caller checks before anything else.

use std::ffi::{CStr, c_char};

/// Version of this interface. It changes when a function, structure or number changes its meaning; additions leave it as it is.
pub const BACKUP_ABI_VERSION: u32 = 2;

/// The interface version of the library that was loaded: compare it with `BACKUP_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn backup_abi_version() -> u32 {
    BACKUP_ABI_VERSION
}

/// The program version, such as `0.1.0`. Static: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn backup_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(text) => text,
            Err(_) => panic!("the version holds no NUL"),
        };
    VERSION.as_ptr()
}
