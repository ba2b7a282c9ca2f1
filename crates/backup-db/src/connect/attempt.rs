//! Opening one connection: every endpoint in turn, with and without TLS as the mode says.

use tokio_postgres::config::SslMode as WireMode;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::SslMode;
use super::{ConnectError, ConnectOptions, Endpoint, Host};

/// What a connection is encrypted with; a cancel request goes the same way.
#[derive(Clone)]
pub(crate) enum Tls {
    None,
    Rustls(MakeRustlsConnect),
}

/// An open connection, its other half not yet driven.
pub(crate) struct Connected {
    pub(crate) client: Client,
    pub(crate) tls: Tls,
    pub(crate) connection: Wire,
}

/// The half that moves bytes.
pub(crate) enum Wire {
    Plain(Box<Connection<Socket, tokio_postgres::tls::NoTlsStream>>),
    Encrypted(
        Box<
            Connection<
                Socket,
                <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream,
            >,
        >,
    ),
}

/// Tries the endpoints in their order; the error is that of the last.
pub(crate) async fn connect(options: &ConnectOptions) -> Result<Connected, ConnectError> {
    let mut last = ConnectError::InvalidOptions {
        reason: "no host is given".into(),
    };
    for endpoint in &options.endpoints {
        match connect_endpoint(options, endpoint).await {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_endpoint(
    options: &ConnectOptions,
    endpoint: &Endpoint,
) -> Result<Connected, ConnectError> {
    let mode = match endpoint.host {
        // A unix socket has no TLS, whatever is asked for.
        Host::Unix(_) => SslMode::Disable,
        Host::Tcp(_) => options.tls.mode,
    };
    match mode {
        SslMode::Disable => plain(options, endpoint).await,
        SslMode::Allow => match plain(options, endpoint).await {
            Err(ConnectError::NotAllowed { .. }) => {
                encrypted(options, endpoint, WireMode::Require).await
            }
            outcome => outcome,
        },
        SslMode::Prefer => match encrypted(options, endpoint, WireMode::Prefer).await {
            Err(ConnectError::NotAllowed { .. } | ConnectError::Tls { .. }) => {
                plain(options, endpoint).await
            }
            outcome => outcome,
        },
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            encrypted(options, endpoint, WireMode::Require).await
        }
    }
}

async fn plain(options: &ConnectOptions, endpoint: &Endpoint) -> Result<Connected, ConnectError> {
    let config = wire_config(options, endpoint, WireMode::Disable);
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|error| classify(options, endpoint, error))?;
    Ok(Connected {
        client,
        tls: Tls::None,
        connection: Wire::Plain(Box::new(connection)),
    })
}

async fn encrypted(
    options: &ConnectOptions,
    endpoint: &Endpoint,
    mode: WireMode,
) -> Result<Connected, ConnectError> {
    let tls = MakeRustlsConnect::new(options.tls.client_config()?);
    let config = wire_config(options, endpoint, mode);
    let (client, connection) = config
        .connect(tls.clone())
        .await
        .map_err(|error| classify(options, endpoint, error))?;
    Ok(Connected {
        client,
        tls: Tls::Rustls(tls),
        connection: Wire::Encrypted(Box::new(connection)),
    })
}

fn classify(
    options: &ConnectOptions,
    endpoint: &Endpoint,
    error: tokio_postgres::Error,
) -> ConnectError {
    ConnectError::classify(
        endpoint.to_string(),
        &options.user,
        &options.database,
        error,
    )
}

fn wire_config(options: &ConnectOptions, endpoint: &Endpoint, mode: WireMode) -> Config {
    let mut config = Config::new();
    config
        .user(&options.user)
        .dbname(&options.database)
        .application_name(&options.application_name)
        .port(endpoint.port)
        .ssl_mode(mode)
        .ssl_negotiation(options.tls.negotiation)
        .channel_binding(options.channel_binding)
        .target_session_attrs(options.target_session)
        .keepalives(options.keepalives);
    match &endpoint.host {
        Host::Tcp(name) => config.host(name),
        Host::Unix(folder) => config.host_path(folder),
    };
    if let Some(address) = endpoint.address {
        config.hostaddr(address);
    }
    if let Some(password) = &endpoint.password {
        config.password(password.expose());
    }
    if let Some(timeout) = options.connect_timeout {
        config.connect_timeout(timeout);
    }
    if let Some(idle) = options.keepalives_idle {
        config.keepalives_idle(idle);
    }
    if let Some(extra) = &options.options {
        config.options(extra);
    }
    config
}
