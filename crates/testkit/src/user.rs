//! Who runs the tests: root and ordinary users see different things of the same files.

use std::os::unix::process::CommandExt;
use std::process::Command;

const NOBODY: u32 = 65_534;

/// True when the tests run as root: only then can files be given away, or read against their mode.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says on standard error that a part of a test does not run here.
pub fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}

/// For a test that means nothing to root: true when the rest of it is to run here, as an ordinary user.
///
/// For root, the named test of this test binary is run again as the user `nobody`, and false comes back.
///
/// # Panics
/// When the test fails as `nobody`.
pub fn run_as_ordinary_user(test: &str) -> bool {
    if !is_root() {
        return true;
    }
    let binary = std::env::current_exe().expect("path of the test binary");
    let mut command = Command::new(binary);
    command
        .args(["--exact", test, "--nocapture"])
        .env("TMPDIR", "/tmp");
    match command.uid(NOBODY).gid(NOBODY).current_dir("/").output() {
        Err(error) => skipped(test, &format!("cannot be run as nobody: {error}")),
        Ok(output) => {
            let said =
                String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "as nobody:\n{said}"
            );
        }
    }
    false
}
