//! Telling the system's own scheduler about us.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Explain;

/// Runs a program of the system. A test puts its own in its place.
pub trait Runner {
    /// Runs `program` with `arguments`, `input` on its standard input, and returns its standard output.
    ///
    /// # Errors
    /// When it cannot be started, or ends with anything but success; then with what it wrote to its standard error.
    fn run(&mut self, program: &str, arguments: &[&str], input: &str) -> io::Result<String>;
}

/// Really runs programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandRunner;

impl Runner for CommandRunner {
    fn run(&mut self, program: &str, arguments: &[&str], input: &str) -> io::Result<String> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // The programs run here read all of their input before they write, and both are short.
        let written = child
            .stdin
            .take()
            .map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!(
                "{}: {}",
                output.status,
                message.trim()
            )));
        }
        written?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The system's scheduler cannot be told about us.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A path or an argument that a unit file or a crontab cannot hold.
    #[error("{0:?} cannot be written into a unit file or a crontab: it has a control character")]
    Unwritable(String),
    /// The program must be named by its absolute path.
    #[error("{} is not an absolute path", .0.display())]
    NotAbsolute(PathBuf),
    /// A file cannot be written or removed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program of the system failed.
    #[error("`{command}` failed")]
    Command {
        /// Program and arguments.
        command: String,
        /// Why.
        source: io::Error,
    },
}

impl SetupError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

impl Explain for SetupError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unwritable(_) | Self::NotAbsolute(_) => "setup_path",
            Self::Io { .. } => "setup_io",
            Self::Command { .. } => "setup_command",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("Units of the system are set up by root; a crontab needs no root.".into())
            }
            Self::Command { source, command } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!(
                    "{} is not installed: use the other one of --systemd and --cron.",
                    command.split(' ').next().unwrap_or_default()
                ))
            }
            _ => None,
        }
    }
}

/// Runs a program and names it when it fails.
pub(super) fn run(
    runner: &mut dyn Runner,
    program: &str,
    arguments: &[&str],
    input: &str,
) -> Result<String, SetupError> {
    runner
        .run(program, arguments, input)
        .map_err(|source| SetupError::Command {
            command: std::iter::once(&program)
                .chain(arguments)
                .copied()
                .collect::<Vec<_>>()
                .join(" "),
            source,
        })
}

/// Refuses what would end a line early.
pub(super) fn one_line(text: &str) -> Result<&str, SetupError> {
    if text.chars().any(char::is_control) {
        return Err(SetupError::Unwritable(text.to_owned()));
    }
    Ok(text)
}

/// The path as text; unit files and crontabs hold text.
pub(super) fn path_text(path: &Path) -> Result<&str, SetupError> {
    let text = path
        .to_str()
        .ok_or_else(|| SetupError::Unwritable(path.to_string_lossy().into_owned()))?;
    if !path.is_absolute() {
        return Err(SetupError::NotAbsolute(path.to_owned()));
    }
    one_line(text)
}
