//! Which values of secret keys are secrets, and which only point at one.

use super::{REDACTED, key};

/// What to put in place of a value; `None` when it can stay.
pub(super) fn replacement(of_key: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() || value.contains(REDACTED) && !has_other_words(value) || is_constant(value)
    {
        return None;
    }
    if key::is_place(of_key) && is_path(value) {
        return None;
    }
    match reference(value) {
        Some(Reference::Plain) => None,
        Some(Reference::WithDefault(before)) => Some(format!("{before}{REDACTED}}}")),
        None => Some(REDACTED.to_owned()),
    }
}

/// Whether there is more in a value than what a secret was replaced by before.
fn has_other_words(value: &str) -> bool {
    value
        .replace(REDACTED, "")
        .contains(|c: char| c.is_alphanumeric())
}

/// True, false, nothing.
fn is_constant(value: &str) -> bool {
    const CONSTANTS: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "none",
        "nil",
        "~",
        "undefined",
        "[]",
        "{}",
        "()",
        "\"\"",
        "''",
    ];
    CONSTANTS
        .iter()
        .any(|constant| value.eq_ignore_ascii_case(constant))
}

/// `/run/secrets/x`, `./x`, `~/x`, `secrets/x.txt`, `C:\x`.
fn is_path(value: &str) -> bool {
    !value.contains([' ', '@', '$', '='])
        && (value.starts_with(['/', '~', '.'])
            || value.contains(['/', '\\'])
            || value.contains('.'))
}

enum Reference<'a> {
    /// Nothing but a reference.
    Plain,
    /// A reference with a value for when it is not set: all up to that value.
    WithDefault(&'a str),
}

/// `${NAME}`, `${NAME:-default}`, `$NAME`, `$(cat FILE)`, `%(NAME)s`, `%NAME%`, `{{ name }}`.
fn reference(value: &str) -> Option<Reference<'_>> {
    if let Some(inner) = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'))
            .unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        if name.is_empty() {
            return None;
        }
        let operator = ["", ":?", "?"].iter().find(|operator| {
            if operator.is_empty() {
                rest.is_empty()
            } else {
                rest.starts_with(**operator)
            }
        });
        if operator.is_some() {
            // What is said when it is missing could hold anything; it is shown to people, so it holds no secret.
            return Some(Reference::Plain);
        }
        let operator = [":-", ":=", ":+", "-", "=", "+", ":"]
            .iter()
            .find(|operator| rest.starts_with(**operator))?;
        let default = &rest[operator.len()..];
        if default.is_empty()
            || is_constant(default)
            || matches!(reference(default), Some(Reference::Plain))
        {
            return Some(Reference::Plain);
        }
        let before = "${".len() + name.len() + operator.len();
        return Some(Reference::WithDefault(&value[..before]));
    }
    let constant_case = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let between = |before: &str, after: &str| {
        value
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
    };
    let is_reference = value.strip_prefix('$').is_some_and(constant_case)
        || between("%", "%").is_some_and(constant_case)
        || between("%(", ")s").is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
        || between("{{", "}}").is_some_and(|name| !name.contains(['"', '\'']))
        || between("$(cat ", ")").is_some_and(is_path)
        || between("$(<", ")").is_some_and(|path| is_path(path.trim()));
    is_reference.then_some(Reference::Plain)
}

/// Whether a value could be a key or a hash: long, without spaces, no path, no name of a module.
pub(super) fn looks_random(value: &str) -> bool {
    let value = value.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+/=.$:".contains(c);
    value.len() >= 16
        && value.chars().all(plain)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !value.starts_with(['/', '.', '$'])
        && !value.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_and_secrets_go() {
        for value in [
            "",
            "true",
            "None",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "${DB_PASSWORD:?set it}",
            "${DB_PASSWORD:-}",
            "${A:-${B}}",
            "%(DB_PASSWORD)s",
            "{{ vault_password }}",
            "$(cat /run/secrets/db_password)",
            "%PASSWORD%",
            "REDACTED",
        ] {
            assert_eq!(replacement("PASSWORD", value), None, "{value}");
        }
        for value in [
            "hunter2",
            "123456",
            "$ecret",
            "$2b$12$abc",
            "/run/secrets/x",
            "${A}b",
            "$(echo hunter2)",
            "{{ 'hunter2' }}",
            "REDACTED hunter2",
            "a b",
        ] {
            assert_eq!(
                replacement("PASSWORD", value).as_deref(),
                Some(REDACTED),
                "{value}"
            );
        }
        assert_eq!(
            replacement("PASSWORD", "${A:-hunter2}").as_deref(),
            Some("${A:-REDACTED}")
        );
        assert_eq!(replacement("PASSWORD_FILE", "/run/secrets/x"), None);
        assert_eq!(replacement("PASSWORD_FILE", "secrets/x.txt"), None);
        assert_eq!(
            replacement("PASSWORD_FILE", "hunter2").as_deref(),
            Some(REDACTED)
        );
    }
}
