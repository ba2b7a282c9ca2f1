//! Secrets that give themselves away by what they look like, whatever their key.

use super::{REDACTED, RedactedKey, split_ending, value};

/// Beginnings of tokens of well-known services, and how long one is at least.
const TOKENS: &[(&str, usize)] = &[
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 35),
    ("AGE-SECRET-KEY-1", 50),
    ("dop_v1_", 40),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("hf_", 30),
    ("npm_", 30),
    ("pk_live_", 20),
    ("pypi-", 40),
    ("rk_live_", 20),
    ("SG.", 40),
    ("shpat_", 30),
    ("sk-", 30),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("whsec_", 20),
    ("xoxa-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("ya29.", 30),
];

/// Beginnings of password hashes, and how long one is at least.
const HASHES: &[(&str, usize)] = &[
    ("pbkdf2_sha256$", 30),
    ("pbkdf2_sha1$", 30),
    ("bcrypt_sha256$", 30),
    ("bcrypt$", 30),
    ("argon2$argon2", 30),
    ("$argon2", 30),
    ("scrypt$", 30),
    ("SCRAM-SHA-256$", 40),
    ("$2a$", 30),
    ("$2b$", 30),
    ("$2y$", 30),
    ("$1$", 20),
    ("$5$", 30),
    ("$6$", 30),
    ("$y$", 30),
    ("$apr1$", 20),
    ("{SHA}", 20),
    ("{SSHA}", 20),
];

const BEGIN: &str = "-----BEGIN ";
const KEY_ENDS: &[&str] = &["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"];

/// Replaces what is between the first and the last line of private keys, also of one that has no end.
pub(super) fn private_keys(text: &str, changes: &mut Vec<RedactedKey>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (content, ending) = split_ending(line);
        if inside {
            if let Some(end) = content.find("-----END ") {
                inside = false;
                out.push_str(if content[..end].trim().is_empty() {
                    &content[..end]
                } else {
                    REDACTED
                });
                out.push_str(&content[end..]);
            } else if content.trim().is_empty() {
                out.push_str(content);
            } else {
                let indent = content.len() - content.trim_start().len();
                out.push_str(&content[..indent]);
                out.push_str(REDACTED);
            }
        } else if let Some(body) = key_body(content) {
            changes.push(RedactedKey {
                line: number,
                key: "private key".to_owned(),
            });
            let rest = &content[body..];
            out.push_str(&content[..body]);
            match rest.find("-----END ") {
                // The whole key on one line, with `\n` written out.
                Some(end) => {
                    out.push_str(REDACTED);
                    out.push_str(&rest[end..]);
                }
                None => {
                    inside = true;
                    if !rest.trim().is_empty() {
                        out.push_str(REDACTED);
                    }
                }
            }
        } else {
            out.push_str(content);
        }
        out.push_str(ending);
    }
    out
}

/// Where the body of a private key begins that begins on this line.
fn key_body(line: &str) -> Option<usize> {
    let begin = line.find(BEGIN)? + BEGIN.len();
    KEY_ENDS
        .iter()
        .filter_map(|end| Some(begin + line[begin..].find(end)? + end.len()))
        .min()
}

/// Replaces passwords in URLs, tokens and password hashes.
pub(super) fn mask(text: &str, changes: &mut Vec<RedactedKey>) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let mut note = |key: &str| {
            changes.push(RedactedKey {
                line: number,
                key: key.to_owned(),
            });
        };
        let line = mask_urls(line, &mut note);
        let line = mask_words(&line, HASHES, "$./+=,-_:", "password hash", &mut note);
        let line = mask_words(&line, TOKENS, "_-.", "token", &mut note);
        out.push_str(&mask_web_tokens(&line, &mut note));
    }
    out
}

/// `scheme://user:password@` → `scheme://user:REDACTED@`, also when the password has characters that should have been escaped.
fn mask_urls(line: &str, note: &mut impl FnMut(&str)) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let run = &after[..after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>'))
            .unwrap_or(after.len())];
        let consumed = match login_of(run) {
            Some(login) => {
                out.push_str(&masked_login(login, note));
                login.len()
            }
            None => 0,
        };
        rest = &after[consumed..];
    }
    out.push_str(rest);
    out
}

/// What comes before the `@` of a URL's host, given everything after `://`.
fn login_of(run: &str) -> Option<&str> {
    let authority = &run[..run.find(['/', '?', '#']).unwrap_or(run.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(&run[..at]);
    }
    // An unescaped slash in the password, rather than a port and a path with an `@` in it?
    let at = run.rfind('@')?;
    let (_, after_colon) = authority.split_once(':')?;
    let is_port = after_colon.chars().all(|c| c.is_ascii_digit());
    (!is_port).then_some(&run[..at])
}

fn masked_login(login: &str, note: &mut impl FnMut(&str)) -> String {
    match split_login(login) {
        Some((user, password)) => match value::replacement("password", password) {
            Some(replaced) => {
                note("password in a URL");
                format!("{user}:{replaced}")
            }
            None => login.to_owned(),
        },
        None if value::looks_random(login) || login.len() >= 32 => {
            note("password in a URL");
            REDACTED.to_owned()
        }
        None => login.to_owned(),
    }
}

/// At the first colon that is not within `${…}`.
fn split_login(login: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in login.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return Some((&login[..at], &login[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Replaces words that begin as one of `beginnings` and are long enough. A word has letters, digits and `others`.
fn mask_words(
    line: &str,
    beginnings: &[(&str, usize)],
    others: &str,
    what: &str,
    note: &mut impl FnMut(&str),
) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        let at_start = !before.is_some_and(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let found = beginnings.iter().find_map(|(beginning, least)| {
            let tail = rest.strip_prefix(beginning)?;
            let end = tail.find(|c| !in_word(c)).unwrap_or(tail.len());
            (at_start && beginning.len() + end >= *least).then_some(beginning.len() + end)
        });
        if let Some(len) = found {
            note(what);
            out.push_str(REDACTED);
            rest = &rest[len..];
            before = Some('_');
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            before = Some(c);
        }
    }
    out
}

/// JSON web tokens: three parts in base64, of which the first two are objects.
fn mask_web_tokens(line: &str, note: &mut impl FnMut(&str)) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("eyJ") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'))
            .unwrap_or(after.len());
        let parts: Vec<&str> = after[..end].split('.').collect();
        let is_token = parts.len() >= 3 && parts[0].len() >= 8 && parts[1].starts_with("ey");
        if is_token {
            note("token");
            out.push_str(REDACTED);
        } else {
            out.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}
