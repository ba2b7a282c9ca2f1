//! Comparing two databases by what `pg_dump` prints of them.

use std::fmt::Write;

/// A plain-format dump without what may differ between equal databases: the random key of `\restrict`, the versions in the
/// header, and the order of rows (sorted within each COPY block).
pub fn normalised(dump: &str) -> String {
    let mut lines: Vec<&str> = dump.lines().filter(|line| !is_volatile(line)).collect();
    let mut at = 0;
    while at < lines.len() {
        let block = lines[at];
        at += 1;
        if block.starts_with("COPY ") && block.ends_with(" FROM stdin;") {
            let rows = lines[at..]
                .iter()
                .take_while(|line| **line != "\\.")
                .count();
            lines[at..at + rows].sort_unstable();
            at += rows;
        }
    }
    lines.join("\n")
}

fn is_volatile(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    matches!(first, "\\restrict" | "\\unrestrict")
        || line.starts_with("-- Dumped from database version ")
        || line.starts_with("-- Dumped by pg_dump version ")
}

/// Panics, showing where they begin to differ, unless two dumps are equal but for what [`normalised`] takes out.
#[track_caller]
pub fn assert_same_dump(left: &str, right: &str) {
    let (left, right) = (normalised(left), normalised(right));
    if left == right {
        return;
    }
    let mut shown = String::new();
    let mut differing = 0;
    let (mut left, mut right) = (left.lines(), right.lines());
    for number in 1.. {
        let (one, other) = (left.next(), right.next());
        if one.is_none() && other.is_none() {
            break;
        }
        if one != other {
            differing += 1;
            if differing <= 20 {
                let line = |line: Option<&str>| {
                    line.unwrap_or("(end)")
                        .chars()
                        .take(300)
                        .collect::<String>()
                };
                let _ = writeln!(shown, "line {number}:\n- {}\n+ {}", line(one), line(other));
            }
        }
    }
    panic!("the dumps differ in {differing} lines\n{shown}");
}
