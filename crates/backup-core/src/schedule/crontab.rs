//! A line in the crontab that calls `schedule run-due`, for systems without systemd.

use std::path::Path;

use super::runner::{Runner, SetupError, one_line, path_text, run};

const BEGIN: &str = "# BEGIN edms-backup (written by `edms-backup schedule setup --cron`)";
const END: &str = "# END edms-backup";

/// The line that runs `program` with `arguments` every five minutes.
///
/// # Errors
/// When the path is not absolute, or something cannot stand in one line.
pub fn line(program: &Path, arguments: &[&str]) -> Result<String, SetupError> {
    let mut line = format!("*/5 * * * * {}", quote(path_text(program)?));
    for argument in arguments {
        line.push(' ');
        line.push_str(&quote(one_line(argument)?));
    }
    Ok(line)
}

/// `crontab` with our block, in the place of an older one.
pub fn with_line(crontab: &str, line: &str) -> String {
    let mut text = without_line(crontab);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("{BEGIN}\n{line}\n{END}\n"));
    text
}

/// `crontab` without our block.
pub fn without_line(crontab: &str) -> String {
    let mut ours = false;
    let mut text = String::with_capacity(crontab.len());
    for line in crontab.split_inclusive('\n') {
        match line.trim_end() {
            BEGIN => ours = true,
            END if ours => ours = false,
            _ if !ours => text.push_str(line),
            _ => {}
        }
    }
    // A block whose end was removed by hand would take the rest of the crontab with it.
    if ours {
        crontab.replace(BEGIN, "")
    } else {
        text
    }
}

/// Puts `line` into the crontab of the user.
///
/// # Errors
/// When the program `crontab` fails.
pub fn install(line: &str, runner: &mut dyn Runner) -> Result<(), SetupError> {
    let current = current(runner)?;
    run(runner, "crontab", &["-"], &with_line(&current, line)).map(drop)
}

/// Takes our line out of the crontab of the user; fine when there is none.
///
/// # Errors
/// When the program `crontab` fails.
pub fn remove(runner: &mut dyn Runner) -> Result<(), SetupError> {
    let current = current(runner)?;
    let without = without_line(&current);
    if without != current {
        run(runner, "crontab", &["-"], &without)?;
    }
    Ok(())
}

/// The crontab of the user; empty when there is none, which `crontab -l` reports as a failure.
fn current(runner: &mut dyn Runner) -> Result<String, SetupError> {
    match run(runner, "crontab", &["-l"], "") {
        Err(SetupError::Command { source, .. })
            if source.to_string().contains("no crontab for") =>
        {
            Ok(String::new())
        }
        result => result,
    }
}

/// Quotes for the shell; `%` means a new line to cron, in quotes too.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''").replace('%', r"'\%'"))
}
