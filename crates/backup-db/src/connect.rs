//! Where the database is and how to reach it: options gathered from a URL, a configuration file and the environment, as libpq would.

mod attempt;
mod error;
mod parameters;
mod passfile;
mod tls;

use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use attempt::{Connected, Tls, Wire, connect};
pub use error::ConnectError;
use parameters::Parameters;
use passfile::{PassFile, Wanted};
pub use tls::SslMode;
use tls::TlsOptions;

use crate::Secret;

/// Everything needed to open connections to one database.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    endpoints: Vec<Endpoint>,
    user: String,
    database: String,
    tls: TlsOptions,
    channel_binding: tokio_postgres::config::ChannelBinding,
    target_session: tokio_postgres::config::TargetSessionAttrs,
    connect_timeout: Option<Duration>,
    keepalives: bool,
    keepalives_idle: Option<Duration>,
    application_name: String,
    options: Option<String>,
    warnings: Vec<String>,
}

/// One place to try, with the password that goes there.
#[derive(Debug, Clone)]
struct Endpoint {
    host: Host,
    address: Option<IpAddr>,
    port: u16,
    password: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A name or address.
    Tcp(String),
    /// The folder of a unix socket.
    Unix(PathBuf),
}

/// Where [`ConnectOptions::resolve`] looks, best first: `url`, then `env` (`DATABASE_URL`, then `DB_HOST` `DB_PORT` `DB_NAME` `DB_USER`
/// `DB_PASSWORD`, then libpq's `PG*`), then the settings of a configuration file (its URL, then its fields), then libpq's defaults.
#[derive(Clone)]
pub struct ConnectSources<'a> {
    /// A URL or a `keyword=value` list that somebody gave explicitly.
    pub url: Option<&'a str>,
    /// The same, from a configuration file.
    pub configured_url: Option<&'a str>,
    /// Host name, address or socket folder from a configuration file.
    pub host: Option<String>,
    /// Port from a configuration file.
    pub port: Option<u16>,
    /// Database name from a configuration file.
    pub name: Option<String>,
    /// Role from a configuration file.
    pub user: Option<String>,
    /// Password from a configuration file.
    pub password: Option<Secret>,
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Home folder, for `~/.pgpass` and `~/.postgresql`.
    pub home: Option<&'a Path>,
}

impl Default for ConnectSources<'_> {
    fn default() -> Self {
        Self {
            url: None,
            configured_url: None,
            host: None,
            port: None,
            name: None,
            user: None,
            password: None,
            env: &|_| None,
            home: None,
        }
    }
}

/// Variables of libpq's environment and the parameters they set.
const LIBPQ_VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSERVICE", "service"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGAPPNAME", "application_name"),
    ("PGOPTIONS", "options"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

/// Variables as Django projects name them.
const DJANGO_VARIABLES: &[(&str, &str)] = &[
    ("DB_HOST", "host"),
    ("DB_PORT", "port"),
    ("DB_NAME", "dbname"),
    ("DB_USER", "user"),
    ("DB_PASSWORD", "password"),
];

impl ConnectOptions {
    /// Gathers options from `sources`.
    ///
    /// Sources fill in what better ones left open, with two exceptions: a port goes with its host (except `PGPORT`, as in libpq), and a
    /// password is not used for another user than the one its source names.
    ///
    /// # Errors
    /// [`ConnectError::InvalidOptions`]: something is malformed or not supported. The message repeats no password.
    pub fn resolve(sources: ConnectSources<'_>) -> Result<Self, ConnectError> {
        let env = |name: &str| (sources.env)(name).filter(|value| !value.is_empty());
        let variables = |list: &[(&str, &str)]| -> Parameters {
            list.iter()
                .filter_map(|(variable, name)| Some(((*name).to_owned(), env(variable)?)))
                .collect()
        };
        let parsed = |text: Option<&str>| {
            text.map(parameters::parse)
                .transpose()
                .map(Option::unwrap_or_default)
        };
        let mut merged = Parameters::new();
        merge(&mut merged, parsed(sources.url)?, false);
        merge(&mut merged, parsed(env("DATABASE_URL").as_deref())?, false);
        merge(&mut merged, variables(DJANGO_VARIABLES), false);
        merge(&mut merged, variables(LIBPQ_VARIABLES), true);
        merge(&mut merged, parsed(sources.configured_url)?, false);
        merge(&mut merged, sources.fields(), false);
        Self::from_parameters(&merged, sources.home)
    }

    /// Options from one URL (or `keyword=value` list) alone.
    ///
    /// # Errors
    /// As [`ConnectOptions::resolve`].
    pub fn from_url(url: &str) -> Result<Self, ConnectError> {
        Self::resolve(ConnectSources {
            url: Some(url),
            ..ConnectSources::default()
        })
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            ..self.clone()
        }
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Name of the role.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What should be told to a person, such as a password file that everybody can read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn from_parameters(parameters: &Parameters, home: Option<&Path>) -> Result<Self, ConnectError> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        if let Some(service) = get("service") {
            return Err(invalid(format!(
                "connection services are not supported (service {service:?})"
            )));
        }
        let mut warnings = Vec::new();
        let user = match get("user") {
            Some(user) => user.to_owned(),
            None => operating_system_user().ok_or_else(|| invalid("no user is given".into()))?,
        };
        let database = get("dbname").unwrap_or(&user).to_owned();
        let mut endpoints = endpoints(get("host"), get("hostaddr"), get("port"))?;
        let passwords = match get("password") {
            Some(_) => None,
            None => open_passfile(get("passfile"), home, &mut warnings),
        };
        for endpoint in &mut endpoints {
            endpoint.password = get("password").map(Secret::from).or_else(|| {
                let host = endpoint.passfile_host();
                passwords.as_ref()?.find(&Wanted {
                    host: &host,
                    port: endpoint.port,
                    database: &database,
                    user: &user,
                })
            });
        }
        Ok(Self {
            endpoints,
            tls: TlsOptions::from_parameters(parameters, home)?,
            channel_binding: channel_binding(get("channel_binding"))?,
            target_session: target_session(get("target_session_attrs"))?,
            connect_timeout: seconds("connect_timeout", get("connect_timeout"))?
                .filter(|timeout| !timeout.is_zero()),
            keepalives: get("keepalives") != Some("0"),
            keepalives_idle: seconds("keepalives_idle", get("keepalives_idle"))?,
            application_name: get("application_name")
                .or_else(|| get("fallback_application_name"))
                .unwrap_or("edms-backup")
                .to_owned(),
            options: get("options").map(str::to_owned),
            user,
            database,
            warnings,
        })
    }
}

/// Redacted: `user@host:port/database`, never the password.
impl fmt::Display for ConnectOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.endpoints.iter().map(Endpoint::to_string).collect();
        write!(
            formatter,
            "{}@{}/{}",
            self.user,
            places.join(","),
            self.database
        )
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => write!(formatter, "[{name}]:{}", self.port),
            Host::Tcp(name) => write!(formatter, "{name}:{}", self.port),
            Host::Unix(folder) => write!(formatter, "{}:{}", folder.display(), self.port),
        }
    }
}

impl ConnectSources<'_> {
    fn fields(&self) -> Parameters {
        let fields = [
            ("host", self.host.clone()),
            ("port", self.port.map(|port| port.to_string())),
            ("dbname", self.name.clone()),
            ("user", self.user.clone()),
            (
                "password",
                self.password
                    .as_ref()
                    .map(|password| password.expose().to_owned()),
            ),
        ];
        fields
            .into_iter()
            .filter_map(|(name, value)| {
                Some((name.to_owned(), value.filter(|value| !value.is_empty())?))
            })
            .collect()
    }
}

impl fmt::Debug for ConnectSources<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may hold a password.
        formatter
            .debug_struct("ConnectSources")
            .field("host", &self.host)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The host as a password file names it.
    fn passfile_host(&self) -> String {
        match &self.host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder)
                if DEFAULT_SOCKET_FOLDERS
                    .iter()
                    .any(|default| Path::new(default) == folder) =>
            {
                "localhost".to_owned()
            }
            Host::Unix(folder) => folder.to_string_lossy().into_owned(),
        }
    }
}

/// Takes from `lower` what `merged` does not have yet.
fn merge(merged: &mut Parameters, mut lower: Parameters, port_without_host: bool) {
    if let (Some(user), Some(of_password)) = (merged.get("user"), lower.get("user"))
        && user != of_password
    {
        lower.remove("password");
    }
    if !port_without_host && merged.contains_key("host") {
        lower.remove("port");
    }
    if merged.contains_key("host") {
        lower.remove("hostaddr");
    }
    for (name, value) in lower {
        merged.entry(name).or_insert(value);
    }
}

/// Where servers put their socket when nobody says otherwise: Debian's folder, and PostgreSQL's own choice.
const DEFAULT_SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

fn endpoints(
    hosts: Option<&str>,
    addresses: Option<&str>,
    ports: Option<&str>,
) -> Result<Vec<Endpoint>, ConnectError> {
    let list = |text: Option<&str>| -> Vec<String> {
        text.map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list(hosts), list(addresses), list(ports));
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(invalid(
            "there are not as many host addresses as hosts".into(),
        ));
    }
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(invalid("there are not as many ports as hosts".into()));
    }
    (0..count)
        .map(|index| {
            let port = ports
                .get(index)
                .or(ports.first())
                .map(String::as_str)
                .filter(|port| !port.is_empty());
            let port = port.map_or(Ok(5432), str::parse::<u16>);
            let port = port
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| invalid("a port is not a number from 1 to 65535".into()))?;
            let address = addresses
                .get(index)
                .map(|address| address.parse::<IpAddr>());
            let address = address
                .transpose()
                .map_err(|_| invalid("a host address is not an IP address".into()))?;
            let host = match (
                hosts
                    .get(index)
                    .map(String::as_str)
                    .filter(|host| !host.is_empty()),
                address,
            ) {
                (Some(host), _) if host.starts_with('/') => Host::Unix(PathBuf::from(host)),
                (Some(host), _) => Host::Tcp(host.to_owned()),
                (None, Some(address)) => Host::Tcp(address.to_string()),
                (None, None) => default_host(port),
            };
            Ok(Endpoint {
                host,
                address,
                port,
                password: None,
            })
        })
        .collect()
}

/// The default folder that holds a server's socket; without one, the local TCP port.
fn default_host(port: u16) -> Host {
    let socket = format!(".s.PGSQL.{port}");
    let folder = DEFAULT_SOCKET_FOLDERS
        .iter()
        .map(Path::new)
        .find(|folder| folder.join(&socket).exists());
    folder.map_or_else(
        || Host::Tcp("localhost".to_owned()),
        |folder| Host::Unix(folder.to_owned()),
    )
}

fn open_passfile(
    named: Option<&str>,
    home: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Option<PassFile> {
    let path = named
        .map(PathBuf::from)
        .or_else(|| Some(home?.join(".pgpass")))?;
    PassFile::open(&path).unwrap_or_else(|warning| {
        warnings.push(warning);
        None
    })
}

/// Name of the account that this process runs as.
fn operating_system_user() -> Option<String> {
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&uid))?;
    line.split(':').next().map(str::to_owned)
}

fn seconds(name: &str, value: Option<&str>) -> Result<Option<Duration>, ConnectError> {
    let parse = |value: &str| {
        value
            .trim()
            .parse::<u64>()
            .map_err(|_| invalid(format!("{name} is not a number of seconds")))
    };
    Ok(value.map(parse).transpose()?.map(Duration::from_secs))
}

fn channel_binding(
    value: Option<&str>,
) -> Result<tokio_postgres::config::ChannelBinding, ConnectError> {
    use tokio_postgres::config::ChannelBinding;
    match value {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(other) => Err(invalid(format!("channel_binding cannot be {other:?}"))),
    }
}

fn target_session(
    value: Option<&str>,
) -> Result<tokio_postgres::config::TargetSessionAttrs, ConnectError> {
    use tokio_postgres::config::TargetSessionAttrs;
    match value {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write" | "primary") => Ok(TargetSessionAttrs::ReadWrite),
        Some("read-only" | "standby") => Ok(TargetSessionAttrs::ReadOnly),
        Some(other) => Err(invalid(format!(
            "target_session_attrs {other:?} is not supported"
        ))),
    }
}

fn invalid(reason: String) -> ConnectError {
    ConnectError::InvalidOptions { reason }
}
