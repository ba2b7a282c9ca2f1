//! Which keys hold secrets, by their names.

/// Words that make a key a secret one, wherever they stand in it.
const WORDS: &[&str] = &[
    "APIKEY",
    "AUTHTOKEN",
    "DSN",
    "PASS",
    "PEPPER",
    "PWD",
    "REQUIREPASS",
    "SALT",
    "SALTS",
    "TOKEN",
    "TOKENS",
];

/// Parts of names that do, words or not.
const PARTS: &[&str] = &[
    "ACCESS_KEY",
    "ACCESSKEY",
    "ACCOUNT_KEY",
    "API_KEY",
    "APIKEY",
    "CREDENTIAL",
    "ENCRYPTION_KEY",
    "FERNET_KEY",
    "MASTERKEY",
    "MASTER_KEY",
    "PASSCODE",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATEKEY",
    "PRIVATE_KEY",
    "SECRET",
    "SIGNING_KEY",
    "WEBHOOK_KEY",
];

/// Last words of names that are about secrets without holding one.
const ABOUT: &[&str] = &[
    "AGE",
    "ALGORITHM",
    "ATTEMPTS",
    "BACKEND",
    "BACKENDS",
    "BITS",
    "BYTES",
    "CLAIM",
    "CLASS",
    "CLASSES",
    "COUNT",
    "DAYS",
    "ENABLED",
    "ENGINE",
    "EXPIRATION",
    "EXPIRE",
    "EXPIRES",
    "EXPIRY",
    "FIELD",
    "FORM",
    "FORMAT",
    "HASHERS",
    "HEADER",
    "HOURS",
    "INTERVAL",
    "ITERATIONS",
    "LEN",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "MANAGER",
    "MAX",
    "MECHANISM",
    "METHOD",
    "MIN",
    "MINUTES",
    "MODE",
    "MODEL",
    "NAME",
    "POLICY",
    "PREFIX",
    "PROMPT",
    "PROVIDER",
    "REF",
    "REQUIRED",
    "RESET",
    "ROTATE",
    "ROTATION",
    "ROUNDS",
    "SECONDS",
    "SERIALIZER",
    "SIZE",
    "TEMPLATE",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "TYPES",
    "URI",
    "URL",
    "VALIDATOR",
    "VALIDATORS",
    "VERSION",
    "VIEW",
];

/// Last words of names whose value is the place of a secret.
const PLACES: &[&str] = &["DIR", "FILE", "FILENAME", "FOLDER", "LOCATION", "PATH"];

/// `secretKey`, `secret-key`, `secret.key` and `Secret Key` are all `SECRET_KEY`.
fn normalised(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase();
        out.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    out.trim_matches('_').to_owned()
}

/// Whether the value of this key is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let name = normalised(key);
    let words: Vec<&str> = name.split('_').collect();
    let is_about = words.last().is_some_and(|last| ABOUT.contains(last));
    // `PWD` alone is the working folder; `_auth` alone is npm's.
    let is_word = |word: &&str| WORDS.contains(word) && name != "PWD" && name != "OLDPWD";
    key == "_auth"
        || !is_about && (words.iter().any(is_word) || PARTS.iter().any(|part| name.contains(part)))
}

/// Whether the value of this key is the place of a secret, such as `DB_PASSWORD_FILE`.
pub(super) fn is_place(key: &str) -> bool {
    let name = normalised(key);
    name.split('_')
        .next_back()
        .is_some_and(|last| PLACES.contains(&last))
}

/// Whether the key may hold a key of cryptography or of a service, going by its name: its value decides.
pub(super) fn is_some_key(key: &str) -> bool {
    let name = normalised(key);
    matches!(name.split('_').next_back(), Some("KEY" | "KEYS" | "HASH")) && name.contains('_')
}

/// What stands beside a secret in a group of values and is none itself.
pub(super) fn is_beside_a_secret(key: &str) -> bool {
    matches!(
        normalised(key).as_str(),
        "DRIVER"
            | "ENVIRONMENT"
            | "EXTERNAL"
            | "FILE"
            | "GID"
            | "HOST"
            | "LABELS"
            | "MODE"
            | "NAME"
            | "PATH"
            | "PORT"
            | "REGION"
            | "SOURCE"
            | "TARGET"
            | "TYPE"
            | "UID"
            | "URL"
            | "USER"
            | "USERNAME"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hold_secrets() {
        for key in [
            "SECRET_KEY",
            "DJANGO_SECRET_KEY",
            "DB_PASSWORD",
            "PASSWORD",
            "password",
            "EMAIL_HOST_PASSWORD",
            "PGPASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "DB_PASS",
            "SMTP_PWD",
            "ROOT_PASSWD",
            "SENTRY_DSN",
            "GITHUB_TOKEN",
            "access-token",
            "accessToken",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "clientSecret",
            "client_secret",
            "OAUTH_CLIENT_SECRET_2",
            "api.key",
            "X-Api-Key",
            "STRIPE_API_KEY",
            "apikey",
            "EDMS_MASTER_KEY",
            "FIELD_ENCRYPTION_KEY",
            "FERNET_KEYS",
            "SSH_PRIVATE_KEY",
            "privateKey",
            "HASHIDS_SALT",
            "SIGNING_KEY",
            "GOOGLE_CREDENTIALS",
            "requirepass",
            "spring.datasource.password",
            "DB_PASSWORD_FILE",
            "secret",
            "_auth",
            "KEY_PASSPHRASE",
        ] {
            assert!(is_secret(key), "{key}");
        }
    }

    #[test]
    fn keys_that_are_about_secrets() {
        for key in [
            "PASSWORD_MIN_LENGTH",
            "AUTH_PASSWORD_VALIDATORS",
            "PASSWORD_HASHERS",
            "PASSWORD_RESET_TIMEOUT",
            "ACCESS_TOKEN_LIFETIME",
            "TOKEN_URL",
            "AUTH_USER_MODEL",
            "DB_HOST",
            "DEBUG",
            "PRIMARY_KEY",
            "KEYBOARD",
            "COMPASS",
            "PASSENGER",
            "SPINNING",
            "PWD",
            "secretName",
            "AUTH_TOKEN_CLASSES",
            "TOKEN_TYPE_CLAIM",
            "DATABASE_URL",
            "BYPASS_CACHE",
            "AUTHOR",
            "ROTATE_REFRESH_TOKENS_ENABLED",
        ] {
            assert!(!is_secret(key), "{key}");
        }
        assert!(is_place("DB_PASSWORD_FILE") && is_place("secretKeyPath"));
        assert!(!is_place("PROFILE_PASSWORD"));
    }
}
