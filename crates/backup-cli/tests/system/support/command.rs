//! Runs `edms-backup` in an environment that names no database and no repository.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What the command left when it ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Done {
    /// Panics with everything that was printed unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "not one JSON document: {error}\n{}\n--- stderr\n{}",
                self.stdout, self.stderr
            )
        })
    }
}

/// The command, with nothing in its environment that describes a database or a repository.
pub(crate) fn edms() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edms-backup"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["PG", "DB_", "BACKUP_", "DATABASE_URL"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command.env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Runs a prepared command to its end.
pub(crate) fn run(command: &mut Command) -> Done {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the command runs");
    Done {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Runs the command with these arguments and `--json`; panics unless it ends with `code`.
#[track_caller]
pub(crate) fn run_json(code: i32, arguments: &[&str]) -> Value {
    run(edms().args(arguments).arg("--json"))
        .expect(code)
        .json()
}
