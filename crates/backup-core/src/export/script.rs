//! `restore.sh`, put together from its parts.

/// The parts, in order: each ends with a newline, and none means anything without those before it.
const PARTS: &[&str] = &[
    include_str!("script/head.sh"),
    include_str!("script/cleanup.sh"),
    include_str!("script/arguments.sh"),
    include_str!("script/connection.sh"),
    include_str!("script/package.sh"),
    include_str!("script/files.sh"),
    include_str!("script/database.sh"),
    include_str!("script/main.sh"),
];

/// The text of `restore.sh`: POSIX sh.
pub(crate) fn restore_script() -> String {
    PARTS.concat()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn shellcheck_finds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("restore.sh");
        fs::write(&script, restore_script()).unwrap();
        let output = Command::new("shellcheck")
            .args(["--shell=sh", "--norc"])
            .arg(&script)
            .output()
            .expect("shellcheck is needed (make test installs it)");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    #[test]
    fn names_no_option_in_vain() {
        let script = restore_script();
        for option in [
            "--database-url",
            "--files",
            "--force",
            "--dry-run",
            "--skip-database",
            "--skip-files",
            "--help",
        ] {
            assert!(script.matches(option).count() > 1, "{option}");
        }
    }
}
