//! Columns that look as if they held secrets, by their names and by samples of their contents.

use std::sync::LazyLock;

use backup_db::{DumpError, Snapshot};
use regex::Regex;

use super::error::Suspect;
use super::expression::quoted;
use super::facts::{Class, Column, Table};

/// Rows of a table that are looked at.
const SAMPLE_ROWS: u32 = 5000;
/// Characters of a value that are looked at.
const SAMPLE_CHARACTERS: u32 = 4096;

/// What secrets are called.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (^|_)(passw(or)?d s?|pwd|passphrase|secrets?|tokens?|jwt|otp|totp|seed|credentials?|apikey|authorization)($|_)
        | (api|access|private|secret|signing|encryption|encrypted|auth|master|session|license)_?key($|_)
        | (backup|recovery|verification|pin|access)_codes?$
        | ^session_(id|data)$ | (^|_)cookies?$ | ^salt$
        ",
    )
    .expect("a constant expression")
});

/// Names that speak of secrets without holding any.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"_(type|name|algorithm|status|label|hint|policy|format|prefix|version|method|source|location|id|path|file)$")
        .expect("a constant expression")
});

/// What secrets look like, as the server's regular expressions: hashes of passwords, private keys, tokens, URLs with passwords.
const CONTENTS: [(&str, &str); 5] = [
    (
        "password hashes",
        r"(^|[^A-Za-z0-9_])((pbkdf2_sha(1|256)|bcrypt(_sha256)?|argon2|scrypt|md5|sha1)\$[^$\s]+\$[^$\s]+|\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{22}|\$argon2(id|i|d)\$|\$[1567y]\$[^$\s]{4,}\$[^$\s]{20,}|\{S?SHA[0-9]*\}[A-Za-z0-9+/=]{20,})",
    ),
    ("private keys", "-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    (
        "tokens",
        r"(^|[^A-Za-z0-9_])(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|A(KI|SI)A[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{20}|sk_live_[A-Za-z0-9]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35})",
    ),
    (
        "URLs with passwords",
        r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@",
    ),
    ("secret identities of age", "AGE-SECRET-KEY-1"),
];

/// The columns among these that look secret and hold something.
pub(super) fn search(
    snapshot: &Snapshot,
    table: &Table,
    columns: &[&Column],
) -> Result<Vec<Suspect>, DumpError> {
    let searched: Vec<&Column> = columns
        .iter()
        .copied()
        .filter(|column| !matches!(column.class, Class::Other | Class::Address))
        .collect();
    if searched.is_empty() {
        return Ok(Vec::new());
    }
    let row = snapshot.query(&question(table, &searched), &[])?;
    let mut suspects = Vec::new();
    let mut answers = (0..).map(|index| row[0].get::<_, Option<bool>>(index) == Some(true));
    for column in searched {
        let mut reasons = Vec::new();
        let has_values = answers.next() == Some(true);
        if has_values && is_secret_name(&column.name) {
            reasons.push("its name");
        }
        for (what, _) in CONTENTS {
            if answers.next() == Some(true) {
                reasons.push(what);
            }
        }
        if !reasons.is_empty() {
            suspects.push(Suspect {
                table: table.to_string(),
                column: column.name.clone(),
                reason: reasons.join(", "),
            });
        }
    }
    Ok(suspects)
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.is_match(&name) && !HARMLESS.is_match(&name)
}

/// One query for all columns: whether each holds anything at all, and each kind of secret.
fn question(table: &Table, columns: &[&Column]) -> String {
    let mut answers = Vec::new();
    let mut sampled = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        let name = quoted(&column.name);
        answers.push(format!(
            "(SELECT true FROM ONLY {} WHERE {name}::text NOT IN ('', '{{}}', '[]', 'null', '\"\"', '\\x') LIMIT 1)",
            table.qualified()
        ));
        let text = match column.class {
            Class::Bytes => format!(
                "pg_catalog.encode(pg_catalog.substr({name}, 1, {SAMPLE_CHARACTERS}), 'escape')"
            ),
            _ => format!("pg_catalog.left({name}::text, {SAMPLE_CHARACTERS})"),
        };
        sampled.push(format!("{text} AS v{number}"));
        for (_, pattern) in CONTENTS {
            answers.push(format!(
                "pg_catalog.bool_or(v{number} ~ '{}')",
                pattern.replace('\'', "''")
            ));
        }
    }
    format!(
        "SELECT {} FROM (SELECT {} FROM ONLY {} LIMIT {SAMPLE_ROWS}) sample",
        answers.join(", "),
        sampled.join(", "),
        table.qualified()
    )
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn names_are_told_apart() {
        for secret in [
            "password",
            "old_password",
            "passwd",
            "secret_key",
            "client_secret",
            "API_KEY",
            "apikey",
            "access_token",
            "refresh_token",
            "private_key_pem",
            "backup_codes",
            "otp_secret",
            "session_key",
            "encrypted_key",
            "token",
            "session_data",
        ] {
            assert!(is_secret_name(secret), "{secret}");
        }
        for harmless in [
            "key",
            "name",
            "routing_key",
            "cache_key",
            "public_key_pem",
            "token_type",
            "password_policy",
            "keywords",
            "tokenizer",
            "description",
            "object_id",
            "secretary",
        ] {
            assert!(!is_secret_name(harmless), "{harmless}");
        }
    }
}
