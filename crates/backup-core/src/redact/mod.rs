//! Settings files without their secrets: what may travel in a migration package.
//!
//! Values are taken out by the name of their key (`SECRET_KEY`, `*_PASSWORD`, `*_TOKEN`, …), and by what they look like: passwords in URLs, private
//! keys, tokens of known services, password hashes. Everything else stays, line by line, so that the file can be compared with the one on the
//! other machine. What only points at a secret stays too: `${DB_PASSWORD}`, `/run/secrets/db_password`, `os.environ["SECRET_KEY"]`.
//!
//! A file in which somebody hides a secret under an innocent name keeps it: this is care, not proof.

mod code;
mod key;
mod line;
mod look;
mod plain;
mod value;

#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;

/// What stands where a secret was.
pub const REDACTED: &str = "REDACTED";

/// A settings file that may be given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The file without its secrets, with as many lines as before; empty for a binary file.
    pub content: Vec<u8>,
    /// What was taken out, in the order of lines.
    pub changes: Vec<RedactedKey>,
    /// The file is not text, so nobody knows what is in it: it has to be left out.
    pub binary: bool,
}

/// One value that was taken out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RedactedKey {
    /// Line in the file, counted from 1.
    pub line: usize,
    /// Name of the key, or what it was: `password in a URL`, `private key`, `token`, `password hash`.
    pub key: String,
}

/// Takes the secrets out of a settings file. Its name, with or without folders, tells what kind of file it is.
pub fn redact(file_name: &str, content: &[u8]) -> Redacted {
    let Some(text) = Text::decode(content) else {
        return Redacted {
            content: Vec::new(),
            changes: Vec::new(),
            binary: true,
        };
    };
    let mut changes = Vec::new();
    let name = Path::new(file_name)
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let without_keys = look::private_keys(&text.text, &mut changes);
    let by_key = match Kind::of(&name, &without_keys) {
        Kind::Secret => whole(&without_keys, &name, &mut changes),
        Kind::Code(dialect) => code::redact(&without_keys, dialect, &mut changes),
        Kind::Plain(dialect) => plain::redact(&without_keys, dialect, &mut changes),
    };
    let by_look = look::mask(&by_key, &mut changes);
    changes.sort();
    changes.dedup();
    Redacted {
        content: text.encode(by_look),
        changes,
        binary: false,
    }
}

/// The text of a file, and how it was encoded.
struct Text {
    text: String,
    utf8: bool,
}

impl Text {
    /// `None` for what is no text. Text that is not UTF-8 is taken for Latin-1, in which every byte is a character.
    fn decode(content: &[u8]) -> Option<Self> {
        // Tabs, ends of lines and pages, escapes are part of texts.
        let is_binary = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127);
        if content.iter().any(is_binary) {
            return None;
        }
        Some(match std::str::from_utf8(content) {
            Ok(text) => Self {
                text: text.to_owned(),
                utf8: true,
            },
            Err(_) => Self {
                text: content.iter().map(|byte| char::from(*byte)).collect(),
                utf8: false,
            },
        })
    }

    fn encode(&self, text: String) -> Vec<u8> {
        if self.utf8 {
            text.into_bytes()
        } else {
            // Only ASCII was put in.
            text.chars().map(|c| c as u8).collect()
        }
    }
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Strings in quotes, brackets that span lines.
    Code(code::Dialect),
    /// A key and a value on a line.
    Plain(plain::Dialect),
    /// Nothing but a secret, as the name says: `db_password.txt`, `master.key`.
    Secret,
}

impl Kind {
    fn of(name: &str, text: &str) -> Self {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let is_secret =
            || key::is_secret(stem) || matches!(extension, "key" | "secret" | "token" | "password");
        match extension {
            "json" | "js" | "ts" | "mjs" | "cjs" | "json5" | "jsonc" => {
                Self::Code(code::Dialect::Json)
            }
            "py" => Self::Code(code::Dialect::Python),
            "toml" => Self::Code(code::Dialect::Toml),
            "php" | "rb" | "rs" | "go" | "java" | "kt" | "cs" | "lua" | "pl" => {
                Self::Code(code::Dialect::Other)
            }
            "yml" | "yaml" => Self::Plain(plain::Dialect::Yaml {
                compose: name.contains("compose"),
            }),
            "ini" | "cfg" | "conf" | "cnf" | "properties" | "service" => {
                Self::Plain(plain::Dialect::Ini)
            }
            _ if name.contains("htpasswd") => Self::Plain(plain::Dialect::Accounts { fields: 1 }),
            _ if name.contains("pgpass") => Self::Plain(plain::Dialect::Accounts { fields: 4 }),
            _ if name.contains("netrc") => Self::Plain(plain::Dialect::Words),
            _ if is_secret() && !text.contains(['=', ':', '{']) => Self::Secret,
            _ if text.trim_start().starts_with('{') => Self::Code(code::Dialect::Json),
            _ => Self::Plain(plain::Dialect::Shell),
        }
    }
}

/// A file that is nothing but a secret.
fn whole(text: &str, name: &str, changes: &mut Vec<RedactedKey>) -> String {
    let mut out = String::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (content, ending) = split_ending(line);
        if content.trim().is_empty() || content.contains("-----") || content == REDACTED {
            out.push_str(content);
        } else {
            out.push_str(REDACTED);
            changes.push(RedactedKey {
                line: number,
                key: name.to_owned(),
            });
        }
        out.push_str(ending);
    }
    out
}

/// A line and what ends it.
fn split_ending(line: &str) -> (&str, &str) {
    let content = line.trim_end_matches(['\n', '\r']);
    (content, &line[content.len()..])
}
