//! A command that is told the result.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// The variables that a hook may see.
const ENVIRONMENT: [&str; 3] = ["PATH", "HOME", "LANG"];

/// Output beyond this is read and thrown away.
const MAX_OUTPUT: u64 = 64 * 1024;

/// How long output may keep coming after the command itself has ended.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// A command that is told the result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may take. Default: 60 seconds.
    pub timeout: Duration,
}

/// A hook that did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// It ended, but not well.
    #[error("{program} ended with {status}{}", said(.output))]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote, to either output, at most 64 KiB of each.
        output: String,
    },
    /// It took too long and was killed.
    #[error("{program} took longer than {} s and was killed", .timeout.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it was given.
        timeout: Duration,
    },
}

impl Hook {
    /// The hook that a configuration writes as a list: program and arguments. `None` for an empty list.
    pub fn from_list(command: &[String]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            timeout: Duration::from_secs(60),
        })
    }

    /// Runs the command with `input` on its standard input, and returns what it wrote (at most 64 KiB of each output).
    ///
    /// `environment` is the caller's; of it, only `PATH`, `HOME` and `LANG` are passed on.
    ///
    /// # Errors
    /// When it cannot be started, ends with anything but success, or takes too long. It need not read its input.
    pub fn run(
        &self,
        input: &[u8],
        environment: &[(OsString, OsString)],
    ) -> Result<String, HookError> {
        let passed_on = environment
            .iter()
            .filter(|(name, _)| ENVIRONMENT.iter().any(|allowed| name == allowed));
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(passed_on.map(|(name, value)| (name, value)))
            .current_dir("/")
            // A group of its own, so that whatever it starts can be ended with it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| HookError::Start {
                program: self.program.clone(),
                source,
            })?;
        feed(&mut child, input);
        let outputs = [
            child.stdout.take().map(collect),
            child.stderr.take().map(collect),
        ];
        let status = wait(&mut child, self.timeout);
        let patience = Instant::now() + OUTPUT_GRACE;
        if status.is_none() {
            kill_group(&child);
            // Reaps it; a killed process ends at once.
            let _ = child.wait();
        }
        let mut output = String::new();
        for collected in outputs.into_iter().flatten() {
            let left = patience.saturating_duration_since(Instant::now());
            output.push_str(&collected.recv_timeout(left).unwrap_or_default());
        }
        match status {
            Some(status) if status.success() => Ok(output),
            Some(status) => Err(HookError::Failed {
                program: self.program.clone(),
                status,
                output,
            }),
            None => Err(HookError::TimedOut {
                program: self.program.clone(),
                timeout: self.timeout,
            }),
        }
    }
}

/// Writes the input from a thread: a command that does not read must not hold us up.
fn feed(child: &mut Child, input: &[u8]) {
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        std::thread::spawn(move || {
            // A command that is not interested closes the pipe.
            let _ = stdin.write_all(&input);
        });
    }
}

/// Reads an output to its end from a thread, and keeps its beginning.
fn collect(mut output: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = output.by_ref().take(MAX_OUTPUT).read_to_end(&mut kept);
        let _ = send.send(String::from_utf8_lossy(&kept).into_owned());
        // A command that cannot get rid of its output would hang.
        let _ = io::copy(&mut output, &mut io::sink());
    });
    receive
}

/// Waits for the end; `None` when the time is up.
fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        let left = until.checked_duration_since(Instant::now())?;
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn kill_group(child: &Child) {
    // The child has not been waited for, so its number is still its own.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The first line of what a hook said, for its error message.
fn said(output: &str) -> String {
    const LONGEST: usize = 200;
    match output.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => {
            let line: String = line
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .take(LONGEST)
                .collect();
            format!(" and said {line:?}")
        }
        None => String::new(),
    }
}
