//! One line: its keys, and where their values begin and end.

use super::plain::{Dialect, State};
use super::{REDACTED, key, value};

/// One line, and how far it is done.
pub(super) struct Line<'a, 'n> {
    text: &'a str,
    dialect: Dialect,
    note: &'n mut dyn FnMut(&str),
    out: String,
    done: usize,
}

/// A value and what it means for the lines after it.
struct Found {
    /// Where the value begins and ends.
    start: usize,
    end: usize,
    replaced: Option<String>,
    next: State,
}

impl<'a, 'n> Line<'a, 'n> {
    pub(super) fn new(text: &'a str, dialect: Dialect, note: &'n mut dyn FnMut(&str)) -> Self {
        Self {
            text,
            dialect,
            note,
            out: String::with_capacity(text.len()),
            done: 0,
        }
    }

    pub(super) fn redact(mut self) -> (String, State) {
        let mut at = 0;
        while let Some((start, end)) = next_name(self.text, at) {
            at = end;
            let name = &self.text[start..end];
            let secret = key::is_secret(name) && !self.is_list_of_places(name);
            if !secret && !key::is_some_key(name) {
                continue;
            }
            let Some(found) = self.value_of(name, start, end) else {
                continue;
            };
            let value = &self.text[found.start..found.end];
            if !secret && !value::looks_random(value.trim_matches(['"', '\''])) {
                continue;
            }
            at = found.end;
            if let Some(replaced) = &found.replaced {
                (self.note)(name);
                self.out.push_str(&self.text[self.done..found.start]);
                self.out.push_str(replaced);
                self.done = found.end;
            }
            if !matches!(found.next, State::Normal) {
                self.out.push_str(&self.text[self.done..]);
                return (self.out, found.next);
            }
        }
        self.out.push_str(&self.text[self.done..]);
        (self.out, State::Normal)
    }

    /// `secrets:` of Docker Compose.
    fn is_list_of_places(&self, name: &str) -> bool {
        self.dialect == Dialect::Yaml { compose: true }
            && matches!(name, "secrets" | "credential_spec")
    }

    fn value_of(&self, name: &str, start: usize, end: usize) -> Option<Found> {
        let begin = self.value_start(start, end)?;
        let value = &self.text[begin..];
        let column = self.column(start);
        let enclosing = enclosing_quote(self.text, start, end);
        // `- KEY=value` is a text to YAML.
        let yaml = matches!(self.dialect, Dialect::Yaml { .. })
            && enclosing.is_none()
            && !self.text[end..begin].contains('=');
        let unchanged = |next| Found {
            start: begin,
            end: self.text.len(),
            replaced: None,
            next,
        };
        if yaml && (value.trim().is_empty() || value.starts_with('#')) {
            return Some(unchanged(State::Block {
                column,
                text: false,
                key: name.to_owned(),
            }));
        }
        if yaml && is_block_scalar(value) {
            return Some(Found {
                // Noted by being "replaced" by itself: the lines that follow are what is taken out.
                replaced: Some(value.to_owned()),
                ..unchanged(State::Block {
                    column,
                    text: true,
                    key: name.to_owned(),
                })
            });
        }
        let assigned = self.text[end..begin].contains('=');
        let quote = value
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'));
        let found = quote.and_then(|quote| match enclosing {
            // An entry among others: `'{"password": "x", "user": "y"}'`.
            Some(outer) if outer != quote && !assigned => {
                let found = self.quoted(name, begin, quote, false);
                let inside = found.end <= begin + closing_enclosure(value, outer);
                (inside && matches!(found.next, State::Normal)).then_some(found)
            }
            Some(_) => None,
            None => Some(self.quoted(name, begin, quote, assigned)),
        });
        Some(found.unwrap_or_else(|| self.bare(name, begin, column, enclosing)))
    }

    /// Where the value of the name at `start..end` begins; `None` when the name is just a word.
    fn value_start(&self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let bytes = text.as_bytes();
        let mut at = end;
        // `"key": …`, `['key'] = …`, `<key>…`
        if let Some(quote @ (b'"' | b'\'')) = bytes.get(at)
            && start > 0
            && bytes[start - 1] == *quote
        {
            at += 1;
            if bytes.get(at) == Some(&b']') {
                at += 1;
            }
        }
        // JSON in a string: `\"key\": …`
        if bytes.get(at) == Some(&b'\\') && matches!(bytes.get(at + 1), Some(b'"' | b'\'')) {
            at += 2;
        }
        if bytes.get(at) == Some(&b'>') && start > 0 && bytes[start - 1] == b'<' {
            return Some(at + 1);
        }
        let spaces = at;
        at = skip_spaces(text, at);
        let separator = [":=", "?=", "+=", "=>", "==", "=", ":"]
            .into_iter()
            .find(|separator| text[at..].starts_with(separator));
        match separator {
            Some(":") if text[at..].starts_with("://") => None,
            Some(separator) => {
                let mut at = skip_spaces(text, at + separator.len());
                // Tags and anchors of YAML come before the value.
                while separator == ":"
                    && matches!(self.dialect, Dialect::Yaml { .. })
                    && text[at..].starts_with(['!', '&'])
                    && let Some(space) = text[at..].find(' ')
                {
                    at = skip_spaces(text, at + space);
                }
                Some(at)
            }
            None => (at > spaces && at < text.len() && self.may_be_without_separator(start))
                .then_some(at),
        }
    }

    /// `requirepass x`, `ENV KEY x`, `--password x`, but not a word in a sentence.
    fn may_be_without_separator(&self, start: usize) -> bool {
        let before = self.text[..start].trim_start();
        if before.ends_with("--") || self.dialect == Dialect::Words {
            return true;
        }
        let first = ["", "ENV ", "ARG ", "set ", "setenv ", "export "];
        !matches!(self.dialect, Dialect::Yaml { .. })
            && first.iter().any(|word| before.eq_ignore_ascii_case(word))
    }

    /// A value in quotes; what is glued to its end belongs to it, to a shell also behind a comma.
    fn quoted(&self, name: &str, begin: usize, quote: char, assigned: bool) -> Found {
        let text = self.text;
        let escapes = quote != '\'';
        let Some(len) = closing(&text[begin + 1..], quote, escapes) else {
            return Found {
                start: begin,
                end: text.len(),
                replaced: Some(format!("{quote}{REDACTED}")),
                next: State::Quoted { quote, escapes },
            };
        };
        let close = begin + 1 + len;
        let shell = assigned && !is_in_flow(&text[..begin]);
        let ends = if shell { ";" } else { ",}]);<" };
        let tail = text[close..]
            .find(|c: char| c.is_whitespace() || ends.contains(c))
            .map_or(text.len(), |tail| close + tail);
        let inner = &text[begin + 1..close - 1];
        let replaced = if tail > close {
            Some(format!("{quote}{REDACTED}{quote}"))
        } else {
            value::replacement(name, inner).map(|replaced| format!("{quote}{replaced}{quote}"))
        };
        Found {
            start: begin,
            end: tail,
            replaced,
            next: State::Normal,
        }
    }

    /// A value without quotes: to the end of what encloses it.
    fn bare(&self, name: &str, begin: usize, column: usize, enclosing: Option<char>) -> Found {
        let rest = &self.text[begin..];
        let xml = begin > 0 && self.text[..begin].ends_with('>');
        let end = if xml {
            rest.find("</").unwrap_or(rest.len())
        } else if let Some(quote) = enclosing {
            closing_enclosure(rest, quote)
        } else if self.dialect == Dialect::Words {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        } else if is_in_flow(&self.text[..begin]) {
            end_in_flow(rest)
        } else {
            rest.len()
        };
        let value = rest[..end].trim_end();
        let goes_on = end == rest.len() && value.ends_with('\\');
        let value = value.strip_suffix('\\').unwrap_or(value).trim_end();
        let whole = end == rest.len() && enclosing.is_none() && !xml;
        let next = match self.dialect {
            _ if goes_on => State::Continued,
            Dialect::Yaml { .. } | Dialect::Ini if whole && !value.is_empty() => State::Block {
                column,
                text: true,
                key: name.to_owned(),
            },
            _ => State::Normal,
        };
        // A comment may stay after something that is no secret, and is looked at by itself then.
        let before_comment = value.split(" #").next().unwrap_or(value).trim_end();
        let replaced = value::replacement(name, before_comment);
        let kept = replaced.is_none();
        Found {
            start: begin,
            end: begin
                + if kept {
                    before_comment.len()
                } else {
                    value.len()
                },
            replaced,
            next: if kept && !goes_on {
                State::Normal
            } else {
                next
            },
        }
    }

    /// The column of a key, with its quote; lines that belong to its value are indented by more.
    fn column(&self, start: usize) -> usize {
        let quoted = start > 0 && matches!(self.text.as_bytes()[start - 1], b'"' | b'\'');
        start - usize::from(quoted)
    }
}

/// The next word that could be a key, from `at`.
fn next_name(text: &str, at: usize) -> Option<(usize, usize)> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start = at + text[at..].find(|c: char| c.is_ascii_alphanumeric() || c == '_')?;
    let end = text[start..]
        .find(|c| !in_name(c))
        .map_or(text.len(), |len| start + len);
    Some((start, end))
}

fn skip_spaces(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t']).len()
}

/// `|`, `>`, with marks for indentation and for the lines at the end.
fn is_block_scalar(value: &str) -> bool {
    value.strip_prefix(['|', '>']).is_some_and(|marks| {
        let marks = marks.split('#').next().unwrap_or_default().trim_end();
        marks
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-'))
    })
}

/// Bytes up to and with the closing quote.
pub(super) fn closing(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && escapes {
            characters.next();
        } else if c == quote {
            // A doubled quote stands for one.
            if !escapes && characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return Some(at + c.len_utf8());
            }
        }
    }
    None
}

/// The quote that a place in a line is inside of: one that opened where a text can begin.
fn enclosing_quote(text: &str, start: usize, end: usize) -> Option<char> {
    let mut open = None;
    let mut before = ' ';
    for c in text[..start].chars() {
        match open {
            None if matches!(c, '"' | '\'' | '`')
                && (before.is_whitespace() || "[{(,=:>".contains(before)) =>
            {
                open = Some(c);
            }
            Some(quote) if c == quote && before != '\\' => open = None,
            _ => {}
        }
        before = c;
    }
    // The quotes of the key itself enclose no value.
    open.filter(|quote| before != *quote || !text[end..].starts_with(*quote))
}

/// Bytes up to the quote that ends the enclosing text: followed by what can follow a text.
fn closing_enclosure(text: &str, quote: char) -> usize {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next();
        if c == quote
            && before != '\\'
            && after.is_none_or(|c| c.is_whitespace() || ",]});".contains(c))
        {
            return at;
        }
        before = c;
    }
    text.len()
}

/// Whether a bracket is open at the end of `text`.
fn is_in_flow(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut before = ' ';
    for c in text.chars() {
        match c {
            // `${…}` is no flow.
            '{' if before == '$' => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = (depth - 1).max(0),
            _ => {}
        }
        before = c;
    }
    depth > 0
}

/// Bytes up to the comma or bracket that ends a value among brackets.
fn end_in_flow(text: &str) -> usize {
    let mut references = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => references += 1,
            '}' if references > 0 => references -= 1,
            ',' | '}' | ']' if references == 0 => return at,
            _ => {}
        }
        before = c;
    }
    text.len()
}
