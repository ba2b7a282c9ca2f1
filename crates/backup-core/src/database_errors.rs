//! Stable codes and hints of what `backup-db` reports.

use backup_db::{ConnectError, DumpError, SchemaError};

use crate::failure::Explain;

impl Explain for ConnectError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidOptions { .. } => "database_options",
            Self::Certificate { .. } => "database_certificate",
            Self::UnknownHost { .. } => "database_host_unknown",
            Self::Refused { .. } => "database_refused",
            Self::Timeout { .. } => "database_timeout",
            Self::WrongPassword { .. } => "wrong_password",
            Self::PasswordMissing { .. } => "password_missing",
            Self::NotAllowed { .. } => "database_access_denied",
            Self::NoSuchDatabase { .. } => "no_such_database",
            Self::TooManyConnections { .. } => "too_many_connections",
            Self::NotReady { .. } => "database_not_ready",
            Self::TlsNotOffered { .. } | Self::Tls { .. } => "database_tls",
            _ => "database_connect",
        }
    }

    fn hint(&self) -> Option<String> {
        Self::hint(self).map(sentence)
    }
}

impl Explain for DumpError {
    fn code(&self) -> &'static str {
        match self {
            Self::Connect(error) => error.code(),
            Self::UnsupportedServer { .. } => "database_version",
            Self::ServerLost(_) => "database_lost",
            Self::RowSecurity { .. } => "row_security",
            Self::Permission { .. } => "database_permission",
            Self::LockTimeout { .. } => "database_locked",
            Self::MadeRoom { .. } | Self::Changing(_) => "database_changing",
            Self::Schema(SchemaError::NotCovered { .. }) => "not_covered",
            Self::Cancelled => "cancelled",
            _ => "database_dump",
        }
    }

    fn hint(&self) -> Option<String> {
        Self::hint(self).map(sentence)
    }
}

/// `check the host` → `Check the host.`
pub(crate) fn sentence(hint: &str) -> String {
    let mut text = String::with_capacity(hint.len() + 1);
    let mut characters = hint.chars();
    text.extend(characters.next().into_iter().flat_map(char::to_uppercase));
    text.push_str(characters.as_str());
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}
