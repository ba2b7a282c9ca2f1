//! Files with a key and a value on a line: `.env`, shell, YAML, INI, unknown ones; and lines of comments and texts in others.

use super::line::{Line, closing};
use super::{REDACTED, RedactedKey, key, split_ending, value};

/// What a line may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `KEY=value`, `export KEY=value`, and whatever else nobody knows better.
    Shell,
    /// Keys, lists and blocks by indentation. In a file for Docker Compose, `secrets:` names files and other places.
    Yaml { compose: bool },
    /// Sections, and values that go on in indented lines.
    Ini,
    /// `password x` in words, anywhere in a line.
    Words,
    /// Fields between colons; those after the first `fields` are a secret.
    Accounts { fields: usize },
}

/// What a line is part of.
pub(super) enum State {
    Normal,
    /// A secret in quotes that was not closed.
    Quoted {
        quote: char,
        escapes: bool,
    },
    /// A secret that goes on in the next line, after a backslash.
    Continued,
    /// Lines that are indented by more than `column` belong to a secret: `text` as its text, otherwise as lists and groups of values.
    Block {
        column: usize,
        text: bool,
        key: String,
    },
}

/// Takes secrets out by their keys.
pub(super) fn redact(text: &str, dialect: Dialect, changes: &mut Vec<RedactedKey>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut state = State::Normal;
    let mut done = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (content, ending) = split_ending(line);
        let (redacted, next) = one_line(content, dialect, state, &mut |key| {
            changes.push(RedactedKey {
                line: number,
                key: key.to_owned(),
            });
        });
        done += line.len();
        state = match next {
            // A quote that is nowhere closed is a character like any other.
            State::Quoted { quote, .. } if !text[done..].contains(quote) => State::Normal,
            next => next,
        };
        out.push_str(&redacted);
        out.push_str(ending);
    }
    out
}

/// Takes secrets out of a single line, such as a comment or a text in quotes.
pub(super) fn redact_line(line: &str, note: &mut dyn FnMut(&str)) -> String {
    Line::new(line, Dialect::Shell, note).redact().0
}

fn one_line(
    line: &str,
    dialect: Dialect,
    state: State,
    note: &mut dyn FnMut(&str),
) -> (String, State) {
    match state {
        State::Normal => {}
        State::Quoted { quote, escapes } => {
            return match closing(line, quote, escapes) {
                Some(end) => {
                    let (rest, next) = Line::new(&line[end..], dialect, note).redact();
                    (format!("{REDACTED}{quote}{rest}"), next)
                }
                None => (REDACTED.to_owned(), State::Quoted { quote, escapes }),
            };
        }
        State::Continued => {
            let goes_on = line.ends_with('\\');
            let tail = if goes_on { " \\" } else { "" };
            let next = if goes_on {
                State::Continued
            } else {
                State::Normal
            };
            return (format!("{REDACTED}{tail}"), next);
        }
        State::Block { column, text, key } => {
            let indent = line.len() - line.trim_start().len();
            let content = line.trim_start();
            let is_item = content == "-" || content.starts_with("- ");
            let belongs = indent > column || !text && is_item && indent == column;
            if content.is_empty() {
                return (line.to_owned(), State::Block { column, text, key });
            }
            if belongs {
                let redacted = if text {
                    REDACTED.to_owned()
                } else {
                    nested(content, &key, note)
                };
                let next = State::Block { column, text, key };
                return (format!("{}{redacted}", &line[..indent]), next);
            }
        }
    }
    if let Dialect::Accounts { fields } = dialect {
        return (account(line, fields, note), State::Normal);
    }
    let (redacted, next) = Line::new(line, dialect, note).redact();
    match (next, named_secret(line, dialect)) {
        (State::Normal, Some(group)) => (redacted, group),
        (next, _) => (redacted, next),
    }
}

/// `- name: DB_PASSWORD`, whose value comes in the lines beside it.
fn named_secret(line: &str, dialect: Dialect) -> Option<State> {
    let content = line.trim_start().trim_start_matches("- ");
    let name = content
        .strip_prefix("name:")?
        .trim()
        .trim_matches(['"', '\'']);
    let column = (line.len() - content.len()).checked_sub(1)?;
    (matches!(dialect, Dialect::Yaml { .. }) && key::is_secret(name)).then(|| State::Block {
        column,
        text: false,
        key: name.to_owned(),
    })
}

/// A line of a list or a group of values that is a secret as a whole.
fn nested(content: &str, of_key: &str, note: &mut dyn FnMut(&str)) -> String {
    if content.starts_with('#') {
        return redact_line(content, note);
    }
    let mut rest = content;
    let mut before = String::new();
    while let Some(item) = rest.strip_prefix("- ") {
        before += "- ";
        rest = item;
    }
    if rest == "-" {
        return content.to_owned();
    }
    let named = rest.split_once(':').filter(|(name, after)| {
        !name.contains([' ', '"', '\'']) && (after.is_empty() || after.starts_with(' '))
    });
    let (name, value) = match named {
        Some((name, value)) => {
            before += &format!("{name}:");
            (name, value)
        }
        None => (of_key, rest),
    };
    if named.is_some() && key::is_beside_a_secret(name) {
        return content.to_owned();
    }
    let space = value.len() - value.trim_start().len();
    before += &value[..space];
    match value::replacement(name, value) {
        Some(replaced) => {
            note(if name.is_empty() { of_key } else { name });
            before + &replaced
        }
        None => content.to_owned(),
    }
}

/// A line of `.pgpass` or `.htpasswd`.
fn account(line: &str, fields: usize, note: &mut dyn FnMut(&str)) -> String {
    if line.trim_start().starts_with('#') {
        return redact_line(line, note);
    }
    let mut colons = 0;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => {
                colons += 1;
                if colons == fields && at + 1 < line.len() {
                    note("password");
                    return format!("{}{REDACTED}", &line[..=at]);
                }
            }
            _ => {}
        }
    }
    line.to_owned()
}
