//! Why there is no connection.

use tokio_postgres::error::SqlState;

/// A connection could not be opened. `place` is `host:port`, or the socket's folder and port.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A URL, variable or setting is malformed or not supported.
    #[error("the connection options cannot be used: {reason}")]
    InvalidOptions {
        /// What is wrong; holds no secret.
        reason: String,
    },
    /// A certificate or key named by the options cannot be used.
    #[error("cannot use {file}: {reason}")]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host name means nothing.
    #[error("the host name of {place} cannot be resolved")]
    UnknownHost {
        /// Where to.
        place: String,
        /// What the resolver said.
        source: tokio_postgres::Error,
    },
    /// Nobody listens there.
    #[error("no server answers at {place}")]
    Refused {
        /// Where to.
        place: String,
        /// What the operating system said.
        source: tokio_postgres::Error,
    },
    /// No answer in time.
    #[error("no answer from {place} in time")]
    Timeout {
        /// Where to.
        place: String,
    },
    /// The password is wrong, or the role does not exist: servers do not tell which.
    #[error("{place} refuses the password of role \"{user}\"")]
    WrongPassword {
        /// Where to.
        place: String,
        /// As whom.
        user: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// The server wants a password and none is known.
    #[error("{place} wants a password for role \"{user}\" and none is given")]
    PasswordMissing {
        /// Where to.
        place: String,
        /// As whom.
        user: String,
    },
    /// The server's access rules have no place for this connection.
    #[error("{place} does not let role \"{user}\" in")]
    NotAllowed {
        /// Where to.
        place: String,
        /// As whom.
        user: String,
        /// The server only takes such connections encrypted.
        needs_tls: bool,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// There is no such database.
    #[error("{place} has no database \"{database}\"")]
    NoSuchDatabase {
        /// Where to.
        place: String,
        /// Which one.
        database: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// All connection slots are taken, those of the server, of the role or of the database.
    #[error("{place} has no connection left")]
    TooManyConnections {
        /// Where to.
        place: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// The server starts up, shuts down or recovers.
    #[error("the server at {place} is not ready")]
    NotReady {
        /// Where to.
        place: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// TLS is required and the server has none.
    #[error("the server at {place} does not offer TLS")]
    TlsNotOffered {
        /// Where to.
        place: String,
    },
    /// The TLS handshake failed, for instance as the certificate is not trusted.
    #[error("no TLS connection to {place}")]
    Tls {
        /// Where to.
        place: String,
        /// What went wrong.
        source: tokio_postgres::Error,
    },
    /// Anything else.
    #[error("cannot connect to {place}")]
    Other {
        /// Where to.
        place: String,
        /// What went wrong.
        source: tokio_postgres::Error,
    },
    /// No runtime for the connection, as file descriptors or threads ran out.
    #[error("cannot prepare a connection")]
    Runtime(#[source] std::io::Error),
}

impl ConnectError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownHost { .. } => {
                "check the host name; inside containers, use the service's name"
            }
            Self::Refused { .. } => {
                "is the server running, and does it listen there? Check host and port"
            }
            Self::Timeout { .. } => "check host and port, and whether a firewall is in between",
            Self::WrongPassword { .. } => {
                "check role and password (DB_PASSWORD, PGPASSWORD, the URL or ~/.pgpass)"
            }
            Self::PasswordMissing { .. } => {
                "give it by password_file, DB_PASSWORD, PGPASSWORD or ~/.pgpass"
            }
            Self::NotAllowed {
                needs_tls: true, ..
            } => "the server wants TLS: set sslmode=require or better",
            Self::NotAllowed { .. } => "check the role, and the server's pg_hba.conf",
            Self::NoSuchDatabase { .. } => "check the database's name, or create it",
            Self::TooManyConnections { .. } => {
                "use fewer jobs, or raise max_connections or the role's CONNECTION LIMIT"
            }
            Self::NotReady { .. } => "wait until it has started",
            Self::TlsNotOffered { .. } => "enable ssl on the server, or choose another sslmode",
            Self::Tls { .. } => {
                "check sslrootcert and that the certificate names the host in its subjectAltName"
            }
            Self::InvalidOptions { .. }
            | Self::Certificate { .. }
            | Self::Other { .. }
            | Self::Runtime(_) => return None,
        })
    }

    /// Names what went wrong by what the server, the operating system or the TLS library said.
    pub(crate) fn classify(
        place: String,
        user: &str,
        database: &str,
        source: tokio_postgres::Error,
    ) -> Self {
        if let Some(error) = source.as_db_error() {
            let code = error.code().clone();
            // Without encryption the server says so in its message, which is the only place where it does.
            let needs_tls = error.message().contains("no encryption");
            return match code {
                SqlState::INVALID_PASSWORD => Self::WrongPassword {
                    place,
                    user: user.to_owned(),
                    source,
                },
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::NotAllowed {
                    place,
                    user: user.to_owned(),
                    needs_tls,
                    source,
                },
                SqlState::INVALID_CATALOG_NAME => Self::NoSuchDatabase {
                    place,
                    database: database.to_owned(),
                    source,
                },
                SqlState::TOO_MANY_CONNECTIONS => Self::TooManyConnections { place, source },
                SqlState::CANNOT_CONNECT_NOW => Self::NotReady { place, source },
                _ => Self::Other { place, source },
            };
        }
        let text = source.to_string();
        let cause = std::error::Error::source(&source);
        let cause_text = cause.map(ToString::to_string).unwrap_or_default();
        if text.contains("TLS") {
            if cause_text.contains("server does not support TLS") {
                return Self::TlsNotOffered { place };
            }
            return Self::Tls { place, source };
        }
        if cause_text.contains("password missing") {
            return Self::PasswordMissing {
                place,
                user: user.to_owned(),
            };
        }
        match cause
            .and_then(|cause| cause.downcast_ref::<std::io::Error>())
            .map(std::io::Error::kind)
        {
            Some(std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound) => {
                Self::Refused { place, source }
            }
            Some(std::io::ErrorKind::TimedOut) => Self::Timeout { place },
            Some(_) if cause_text.contains("lookup") => Self::UnknownHost { place, source },
            _ => Self::Other { place, source },
        }
    }
}
