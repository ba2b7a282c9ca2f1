//! Files with strings in quotes and values that span lines: Python settings, JSON, TOML, other programs.

use super::{REDACTED, RedactedKey, key, plain, value};

/// Which strings and comments there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Also JavaScript; comments after `//`.
    Json,
    /// Comments after `#`; strings in three quotes.
    Python,
    /// The same, and strings in single quotes know no escapes.
    Toml,
    /// Comments after `#` and `//`.
    Other,
}

/// Takes secrets out by their keys.
pub(super) fn redact(text: &str, dialect: Dialect, changes: &mut Vec<RedactedKey>) -> String {
    let mut code = Code {
        text,
        dialect,
        out: String::with_capacity(text.len()),
        at: 0,
        line: 1,
        named: None,
        changes,
    };
    code.run();
    code.out
}

struct Code<'a, 'c> {
    text: &'a str,
    dialect: Dialect,
    out: String,
    at: usize,
    line: usize,
    /// In a list of names and values: the secret whose value comes next.
    named: Option<&'a str>,
    changes: &'c mut Vec<RedactedKey>,
}

/// A string: from its opening quote (after a prefix such as `f`) to behind its closing one.
#[derive(Debug, Clone, Copy)]
struct Literal {
    start: usize,
    quote_len: usize,
    end: usize,
    closed: bool,
}

impl<'a> Code<'a, '_> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            if self.is_comment() {
                self.comment();
            } else if matches!(c, '"' | '\'' | '`') {
                let literal = self.literal();
                let content = self.content(literal);
                if key::is_secret(content) && self.is_a_name(literal) {
                    self.named = Some(content);
                }
                match self.after_key(literal.end) {
                    Some(value)
                        if content.eq_ignore_ascii_case("value") && self.named.is_some() =>
                    {
                        self.copy_to(value);
                        let name = self.named.take().unwrap_or_default();
                        self.value(name, 0, false);
                    }
                    Some(value) if key::is_secret(content) => {
                        self.copy_to(value);
                        self.value(content, 0, false);
                    }
                    Some(value) if key::is_some_key(content) => {
                        self.copy_to(value);
                        self.random_value(content);
                    }
                    // `get("SECRET_KEY", "the default")`
                    None if key::is_secret(content) && self.is_argument(literal) => {
                        self.copy_to(literal.end);
                        self.value(content, 0, false);
                    }
                    _ => self.text_in(literal),
                }
            } else if c.is_ascii_alphabetic() || c == '_' {
                let end = self.name_end();
                let name = &self.text[self.at..end];
                match self.after_key(end) {
                    Some(value) if key::is_secret(name) => {
                        self.copy_to(value);
                        self.value(name, 0, true);
                    }
                    Some(value) if key::is_some_key(name) => {
                        self.copy_to(value);
                        self.random_value(name);
                    }
                    _ => self.copy_to(end),
                }
            } else {
                if c == '}' {
                    self.named = None;
                }
                self.copy_to(self.at + c.len_utf8());
            }
        }
    }

    /// `"name": "DB_PASSWORD"`.
    fn is_a_name(&self, literal: Literal) -> bool {
        let before = self.text[..literal.start].trim_end();
        before
            .strip_suffix(':')
            .is_some_and(|before| before.trim_end().to_ascii_lowercase().ends_with("name\""))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn copy_to(&mut self, end: usize) {
        let part = &self.text[self.at..end];
        self.line += part.matches('\n').count();
        self.out.push_str(part);
        self.at = end;
    }

    fn note(&mut self, name: &str) {
        self.changes.push(RedactedKey {
            line: self.line,
            key: name.to_owned(),
        });
    }

    fn is_comment(&self) -> bool {
        let rest = self.rest();
        let slashes = rest.starts_with("//") && !self.text[..self.at].ends_with(':');
        match self.dialect {
            Dialect::Json => slashes,
            Dialect::Python | Dialect::Toml => rest.starts_with('#'),
            Dialect::Other => slashes || rest.starts_with('#'),
        }
    }

    /// Settings that are commented out keep their secrets no more than others.
    fn comment(&mut self) {
        let end = self
            .rest()
            .find('\n')
            .map_or(self.text.len(), |len| self.at + len);
        let line = self.line;
        let changes = &mut *self.changes;
        let redacted = plain::redact_line(&self.text[self.at..end], &mut |name| {
            changes.push(RedactedKey {
                line,
                key: name.to_owned(),
            });
        });
        self.out.push_str(&redacted);
        self.at = end;
    }

    fn name_end(&self) -> usize {
        let dashes = self.dialect == Dialect::Toml;
        self.rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || dashes && c == '-'))
            .map_or(self.text.len(), |len| self.at + len)
    }

    /// The string that begins here.
    fn literal(&self) -> Literal {
        let rest = self.rest();
        let quote = &rest[..1];
        let triple = quote.repeat(3);
        let quote_len = if quote != "`" && rest.starts_with(&triple) {
            3
        } else {
            1
        };
        let close = if quote_len == 3 {
            triple.as_str()
        } else {
            quote
        };
        let escapes = !(self.dialect == Dialect::Toml && quote == "'");
        let over_lines = quote_len == 3 || quote == "`" || self.dialect == Dialect::Other;
        let mut at = quote_len;
        while let Some(c) = rest[at..].chars().next() {
            if rest[at..].starts_with(close) {
                return Literal {
                    start: self.at,
                    quote_len,
                    end: self.at + at + quote_len,
                    closed: true,
                };
            }
            if c == '\\' && escapes {
                at += 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            if c == '\n' && !over_lines {
                break;
            }
            at += c.len_utf8();
        }
        Literal {
            start: self.at,
            quote_len,
            end: self.at + at,
            closed: false,
        }
    }

    fn content(&self, literal: Literal) -> &'a str {
        let close = if literal.closed { literal.quote_len } else { 0 };
        &self.text[literal.start + literal.quote_len..literal.end - close]
    }

    /// Where the value begins of a key that ends at `end`; `None` when nothing is assigned to it.
    fn after_key(&self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut at = skip_spaces(text, end);
        if text[at..].starts_with(']') {
            at = skip_spaces(text, at + 1);
            // `config["key"]` alone is a use of it.
            if !text[at..].starts_with('=') {
                return None;
            }
        }
        if text[at..].starts_with("==") {
            return Some(at + 2);
        }
        [":=", "+=", "||=", "=>", "=", ":"]
            .iter()
            .find(|separator| text[at..].starts_with(**separator))
            .map(|separator| at + separator.len())
    }

    /// Whether a string is the first of several arguments.
    fn is_argument(&self, literal: Literal) -> bool {
        self.text[..literal.start].trim_end().ends_with('(')
            && self.text[skip_spaces(self.text, literal.end)..].starts_with(',')
    }

    /// A string that is no secret itself may have one in it: `"host=db password=x"`.
    fn text_in(&mut self, literal: Literal) {
        let close = if literal.closed { literal.quote_len } else { 0 };
        self.copy_to(literal.start + literal.quote_len);
        let content = self.content(literal);
        for part in content.split_inclusive('\n') {
            let line = self.line;
            let changes = &mut *self.changes;
            let (part, ending) = super::split_ending(part);
            let redacted = plain::redact_line(part, &mut |name| {
                changes.push(RedactedKey {
                    line,
                    key: name.to_owned(),
                });
            });
            self.out.push_str(&redacted);
            self.out.push_str(ending);
            self.line += usize::from(ending.contains('\n'));
        }
        self.at = literal.end - close;
        self.copy_to(literal.end);
    }

    /// A value that is a secret if it looks like one.
    fn random_value(&mut self, name: &str) {
        let start = skip_spaces(self.text, self.at);
        self.copy_to(start);
        if self.rest().starts_with(['"', '\'']) {
            let literal = self.literal();
            if value::looks_random(self.content(literal)) {
                self.replace(name, literal);
            }
        }
    }

    /// Copies a value without its strings, to the end of the statement, the argument or the entry.
    fn value(&mut self, of_key: &str, mut depth: usize, statement: bool) {
        let mut anything = false;
        while let Some(c) = self.rest().chars().next() {
            if self.is_comment() {
                self.comment();
                continue;
            }
            match c {
                '"' | '\'' | '`' => {
                    let literal = self.literal();
                    self.secret_literal(of_key, literal);
                    anything = true;
                    continue;
                }
                '\\' => {
                    let next = self.rest()[1..].chars().next().map_or(0, char::len_utf8);
                    self.copy_to(self.at + 1 + next);
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 && anything => return,
                ';' if depth == 0 => return,
                '\n' if depth == 0 && (anything || statement && self.dialect != Dialect::Json) => {
                    return;
                }
                c if c.is_ascii_digit() && !anything && depth == 0 && self.is_number() => {
                    let end = self.at
                        + self
                            .rest()
                            .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
                            .unwrap_or(self.rest().len());
                    self.note(of_key);
                    self.out.push_str(&format!("\"{REDACTED}\""));
                    self.at = end;
                    anything = true;
                    continue;
                }
                _ => {}
            }
            anything |= !c.is_whitespace() && c != ',';
            self.copy_to(self.at + c.len_utf8());
        }
    }

    /// Whether the number here is the whole value, not the beginning of a calculation or a name.
    fn is_number(&self) -> bool {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
            .unwrap_or(rest.len());
        let after = rest[end..].trim_start_matches([' ', '\t', '\r']);
        after.is_empty() || after.starts_with([',', '}', ']', ')', '\n', '#', ';'])
    }

    /// A string within a value that is a secret.
    fn secret_literal(&mut self, of_key: &str, literal: Literal) {
        let content = self.content(literal);
        let after = &self.text[skip_spaces(self.text, literal.end)..];
        let is_key = after.starts_with(':') && !after.starts_with(":=") || after.starts_with("=>");
        if is_key
            || self.is_name_of_a_setting(literal)
            || value::replacement(of_key, content).is_none()
        {
            self.copy_to(literal.end);
            return;
        }
        self.replace(of_key, literal);
    }

    /// `environ["DB_PASSWORD"]`, `config("SECRET_KEY", …)`: what is looked up, not what is found.
    fn is_name_of_a_setting(&self, literal: Literal) -> bool {
        let content = self.content(literal);
        let is_name = content
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let constant = content.contains('_') && !content.contains(|c: char| c.is_ascii_lowercase());
        let before = self.text[..literal.start].trim_end();
        let looked_up = before.strip_suffix(['(', '[']).is_some_and(|before| {
            before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        });
        looked_up
            && is_name
            && (constant
                || key::is_secret(content) && !content.contains(|c: char| c.is_ascii_digit()))
    }

    fn replace(&mut self, name: &str, literal: Literal) {
        let content = self.content(literal);
        self.note(name);
        self.copy_to(literal.start + literal.quote_len);
        let replaced = value::replacement(name, content).unwrap_or_else(|| REDACTED.to_owned());
        self.out.push_str(&replaced);
        let lines = content.matches('\n').count();
        self.out.push_str(&"\n".repeat(lines));
        self.line += lines;
        self.at += content.len();
        self.copy_to(literal.end);
    }
}

fn skip_spaces(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t']).len()
}
