//! What is known of widespread Django applications, and of columns whose names leave no doubt.

use super::Treatment;
use super::facts::{Class, Column, Table};

/// Tables whose rows are all worthless or dangerous elsewhere. Each has a column that proves that it is the one meant.
const ROWS: [(&str, &str, &str); 38] = [
    ("django_session", "session_data", SESSIONS),
    ("user_sessions_session", "session_data", SESSIONS),
    ("qsessions_session", "session_data", SESSIONS),
    ("authtoken_token", "key", TOKENS),
    ("knox_authtoken", "digest", TOKENS),
    ("token_blacklist_outstandingtoken", "jti", TOKENS),
    ("token_blacklist_blacklistedtoken", "token_id", TOKENS),
    ("rest_framework_api_key_apikey", "hashed_key", TOKENS),
    (
        "django_rest_passwordreset_resetpasswordtoken",
        "key",
        TOKENS,
    ),
    ("oauth2_provider_accesstoken", "token", TOKENS),
    ("oauth2_provider_refreshtoken", "token", TOKENS),
    ("oauth2_provider_idtoken", "jti", TOKENS),
    ("oauth2_provider_grant", "code", TOKENS),
    ("oauth2_provider_devicegrant", "device_code", TOKENS),
    ("oidc_provider_token", "access_token", TOKENS),
    ("oidc_provider_code", "code", TOKENS),
    ("oidc_provider_rsakey", "key", "private keys"),
    ("socialaccount_socialtoken", "token", TOKENS),
    ("social_auth_association", "secret", TOKENS),
    ("social_auth_nonce", "salt", TOKENS),
    ("social_auth_code", "code", TOKENS),
    ("social_auth_partial", "token", TOKENS),
    ("account_emailconfirmation", "key", TOKENS),
    ("mfa_authenticator", "data", SECOND_FACTORS),
    ("otp_totp_totpdevice", "key", SECOND_FACTORS),
    ("otp_hotp_hotpdevice", "key", SECOND_FACTORS),
    ("otp_email_emaildevice", "key", SECOND_FACTORS),
    ("otp_static_staticdevice", "confirmed", SECOND_FACTORS),
    ("otp_static_statictoken", "token", SECOND_FACTORS),
    ("otp_yubikey_yubikeydevice", "private_id", SECOND_FACTORS),
    ("two_factor_phonedevice", "key", SECOND_FACTORS),
    (
        "otp_webauthn_webauthncredential",
        "credential_id",
        SECOND_FACTORS,
    ),
    ("passkeys_userpasskey", "token", SECOND_FACTORS),
    ("django_celery_results_taskresult", "task_id", RESULTS),
    ("django_celery_results_groupresult", "group_id", RESULTS),
    ("django_celery_results_chordcounter", "group_id", RESULTS),
    ("celery_taskmeta", "task_id", RESULTS),
    ("celery_tasksetmeta", "taskset_id", RESULTS),
];

const SESSIONS: &str = "sessions of logged-in users";
const TOKENS: &str = "tokens that give access";
const SECOND_FACTORS: &str = "second factors";
const RESULTS: &str = "results of background tasks, which may hold anything";

/// Single columns of known tables, with a column that proves that the table is the one meant.
const COLUMNS: [(&str, &str, &str, Treatment, &str); 11] = [
    (
        "oauth2_provider_application",
        "client_id",
        "client_secret",
        Treatment::Blank,
        "secret of an OAuth client",
    ),
    (
        "oidc_provider_client",
        "client_id",
        "client_secret",
        Treatment::Blank,
        "secret of an OpenID client",
    ),
    (
        "socialaccount_socialapp",
        "client_id",
        "secret",
        Treatment::Blank,
        "secret of an OAuth client",
    ),
    (
        "socialaccount_socialapp",
        "client_id",
        "key",
        Treatment::Blank,
        "secret of an OAuth client",
    ),
    (
        "socialaccount_socialapp",
        "client_id",
        "settings",
        Treatment::Blank,
        "settings of an OAuth client, which may hold secrets",
    ),
    (
        "socialaccount_socialaccount",
        "uid",
        "extra_data",
        Treatment::Blank,
        "answers of a login provider, which may hold tokens",
    ),
    (
        "social_auth_usersocialauth",
        "uid",
        "extra_data",
        Treatment::Blank,
        "answers of a login provider, which may hold tokens",
    ),
    (
        "mfa_devices",
        "device_type",
        "secret_key",
        Treatment::Blank,
        SECOND_FACTORS,
    ),
    (
        "mfa_devices",
        "device_type",
        "backup_codes",
        Treatment::Blank,
        SECOND_FACTORS,
    ),
    (
        "security_digital_signatures",
        "signature_data",
        "timestamp_token",
        Treatment::Keep,
        "a public time stamp (RFC 3161)",
    ),
    (
        "system_configurations",
        "is_sensitive",
        "value",
        Treatment::BlankWhere("is_sensitive"),
        "settings that are marked as sensitive",
    ),
];

/// Why all rows of a table are left out, if they are.
pub(super) fn rows(table: &Table) -> Option<&'static str> {
    ROWS.iter()
        .find(|(name, proof, _)| *name == table.known_name() && table.column(proof).is_some())
        .map(|(_, _, reason)| *reason)
}

/// What is to be done with a column, if that is known, and why.
pub(super) fn column(table: &Table, column: &Column) -> Option<(Treatment, &'static str)> {
    let known = COLUMNS.iter().find(|(name, proof, known, _, _)| {
        *name == table.known_name() && *known == column.name && table.column(proof).is_some()
    });
    if let Some((_, _, _, treatment, reason)) = known {
        return Some((treatment.clone(), *reason));
    }
    if !matches!(column.class, Class::Text | Class::Bytes) {
        return None;
    }
    match column.name.as_str() {
        // The site where the package is made may still know the session.
        "session_key" | "session_id" if !column.linked => {
            Some((Treatment::Hash, "names of sessions that may still be open"))
        }
        "private_key" | "private_key_pem" | "private_key_data" => {
            Some((Treatment::Blank, "private keys"))
        }
        _ => None,
    }
}
