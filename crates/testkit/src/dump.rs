//! Comparing two databases by what `pg_dump` prints of them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::process::Command;

/// What a `pg_dump` command, given further options, prints of the database at a URL.
///
/// # Panics
/// When it fails.
pub fn print(pg_dump: &mut Command, url: &str, options: &[&str]) -> String {
    let output = pg_dump
        .args(options)
        .arg("-d")
        .arg(url)
        .output()
        .expect("pg_dump");
    assert!(
        output.status.success(),
        "pg_dump failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A plain-format dump without what may differ between equal databases: the random key of `\restrict`, the versions in the
/// header, the order of rows (sorted within each COPY block), and the order of the columns of children made with `INHERITS`
/// (their parents' columns come first, whenever they were added).
pub fn normalised(dump: &str) -> String {
    let mut lines: Vec<Cow<'_, str>> = dump
        .lines()
        .filter(|line| !is_volatile(line))
        .map(Cow::from)
        .collect();
    let mut children = HashSet::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].clone();
        at += 1;
        if let Some(table) = created(&line) {
            let columns = lines_until(&lines[at..], ")");
            let child = lines
                .get(at + columns + 1)
                .is_some_and(|line| line.starts_with("INHERITS ("));
            if child {
                children.insert(table.to_owned());
                for column in &mut lines[at..at + columns] {
                    *column = column.trim_end_matches(',').to_owned().into();
                }
                lines[at..at + columns].sort_unstable();
            }
        } else if let Some((table, columns)) = copied(&line) {
            let rows = lines_until(&lines[at..], "\\.");
            if children.contains(table) {
                let order = sorted_order(columns);
                let names: Vec<&str> = order.iter().map(|(name, _)| *name).collect();
                lines[at - 1] = format!("COPY {table} ({})", names.join(", ")).into();
                for row in &mut lines[at..at + rows] {
                    let fields: Vec<&str> = row.split('\t').collect();
                    let sorted: Vec<&str> = order.iter().map(|(_, field)| fields[*field]).collect();
                    *row = sorted.join("\t").into();
                }
            }
            lines[at..at + rows].sort_unstable();
            at += rows;
        }
    }
    lines.join("\n")
}

/// The table that a line begins to create.
fn created(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("CREATE ")?;
    let rest = rest.strip_prefix("FOREIGN ").unwrap_or(rest);
    rest.strip_prefix("TABLE ")?.strip_suffix(" (")
}

/// The table and the columns of a COPY line.
fn copied(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("COPY ")?.strip_suffix(" FROM stdin;")?;
    Some(
        rest.split_once(" (")
            .map_or((rest, ""), |(table, columns)| {
                (table, columns.trim_end_matches(')'))
            }),
    )
}

/// Column names in order, each with its place.
fn sorted_order(columns: &str) -> Vec<(&str, usize)> {
    let mut order: Vec<(&str, usize)> = columns.split(", ").zip(0..).collect();
    order.sort_unstable();
    order
}

fn lines_until(lines: &[Cow<'_, str>], end: &str) -> usize {
    lines.iter().take_while(|line| *line != end).count()
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
