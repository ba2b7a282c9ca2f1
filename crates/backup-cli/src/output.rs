//! What is printed: one JSON document, or lines for people.

use std::io::{self, Write};

use backup_core::Failure;
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Serialize)]
struct ErrorDocument {
    error: Failure,
}

/// Prints one JSON document on standard output.
pub(crate) fn json(document: &impl Serialize) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Prints lines for people on standard output.
pub(crate) fn text(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints why a command failed.
pub(crate) fn failure(context: &Context, error: &CommandError) {
    let failure = error.failure();
    if context.json() {
        // There is nobody left to tell when this fails.
        let _ = json(&ErrorDocument { error: failure });
        return;
    }
    let _ = io::stderr().write_all(describe_failure(&failure).as_bytes());
}

/// An error for people: what, why, and what to do.
pub(crate) fn describe_failure(failure: &Failure) -> String {
    let mut text = format!("error: {}\n", failure.message);
    for cause in &failure.causes {
        text += &format!("  because: {cause}\n");
    }
    if let Some(hint) = &failure.hint {
        text += &format!("hint: {hint}\n");
    }
    text
}

/// Prints wrong usage as JSON, as `--json` promises.
pub(crate) fn json_usage(error: &clap::Error) {
    let text = error.to_string();
    let message = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let _ = json(&ErrorDocument {
        error: Failure {
            code: "usage".to_owned(),
            message: message.to_owned(),
            hint: Some("`edms-backup help` lists commands and options.".to_owned()),
            causes: Vec::new(),
        },
    });
}

/// A number of bytes for people: `1.4 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration for people: `340 ms`, `2.4 s`, `3 min 5 s`.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => {
            let seconds = milliseconds / 1000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// Makes a name safe for a terminal: control characters are shown as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A list of things that are missing or worth knowing, at most `limit` of them.
pub(crate) fn warnings(warnings: &[String], limit: usize) -> String {
    let mut text = String::new();
    for warning in warnings.iter().take(limit) {
        text += &format!("  {}\n", printable(warning));
    }
    if warnings.len() > limit {
        text += &format!(
            "  … and {} more (--json lists them all)\n",
            warnings.len() - limit
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(size(u64::MAX), "16384.0 PiB");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(2400), "2.4 s");
        assert_eq!(duration(185_000), "3 min 5 s");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }
}
