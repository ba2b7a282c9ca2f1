//! Connection strings: URLs and `keyword=value` lists, taken apart into parameters named as libpq names them.

use std::collections::BTreeMap;

use crate::connect::ConnectError;

/// Parameters by libpq's name (`host`, `port`, `dbname`, `user`, `password`, `sslmode`, …).
pub(crate) type Parameters = BTreeMap<String, String>;

/// What libpq and we know.
const KNOWN: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslnegotiation",
    "connect_timeout",
    "application_name",
    "fallback_application_name",
    "options",
    "channel_binding",
    "target_session_attrs",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "service",
];

/// What changes nothing for us: settings of Django's connection handling, and what we always choose ourselves.
const WITHOUT_EFFECT: &[&str] = &[
    "client_encoding",
    "conn_max_age",
    "conn_health_checks",
    "disable_server_side_cursors",
    "atomic_requests",
    "pool",
    "sslcompression",
    "sslsni",
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "load_balance_hosts",
];

/// Schemes of a URL that mean PostgreSQL: libpq's own and those of Django's URL helpers.
const SCHEMES: &[&str] = &[
    "postgres",
    "postgresql",
    "pgsql",
    "postgis",
    "psql",
    "timescale",
    "timescalegis",
];

/// Parses a URL (`postgresql://…` and its relatives) or a `keyword=value` list.
pub(crate) fn parse(text: &str) -> Result<Parameters, ConnectError> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['=', ' ']) => {
            // SQLAlchemy style `postgresql+psycopg`: the driver is of no interest.
            let name = scheme.split('+').next().unwrap_or(scheme);
            if !SCHEMES.contains(&name) {
                return Err(invalid(format!(
                    "the URL's scheme {scheme:?} is not that of a PostgreSQL database"
                )));
            }
            parse_url(rest)
        }
        _ => parse_keywords(text),
    }
}

/// Everything after `scheme://`.
fn parse_url(text: &str) -> Result<Parameters, ConnectError> {
    let mut parameters = Parameters::new();
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, path) = address.split_once('/').unwrap_or((address, ""));
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        insert(&mut parameters, "user", decode(user)?);
        insert(&mut parameters, "password", decode(password)?);
    }
    let (hosts, ports) = split_hosts(hosts)?;
    insert(&mut parameters, "host", hosts);
    insert(&mut parameters, "port", ports);
    insert(&mut parameters, "dbname", decode(path)?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| invalid("a parameter of the URL has no value".into()))?;
        set(&mut parameters, &decode(name)?, decode(value)?)?;
    }
    Ok(parameters)
}

/// `a:1,b,[::1]:2` as two comma-separated lists: hosts, and ports (empty where none is given).
fn split_hosts(text: &str) -> Result<(String, String), ConnectError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for item in text.split(',') {
        let (host, port) = if let Some(rest) = item.strip_prefix('[') {
            let (host, rest) = rest
                .split_once(']')
                .ok_or_else(|| invalid("an IPv6 address in the URL lacks its `]`".into()))?;
            (host, rest.strip_prefix(':').unwrap_or(""))
        } else {
            item.split_once(':').unwrap_or((item, ""))
        };
        hosts.push(decode(host)?);
        ports.push(decode(port)?);
    }
    let ports = if ports.iter().all(String::is_empty) {
        String::new()
    } else {
        ports.join(",")
    };
    Ok((hosts.join(","), ports))
}

/// `host=db dbname='my db' password=it\'s`.
fn parse_keywords(text: &str) -> Result<Parameters, ConnectError> {
    let mut parameters = Parameters::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        // The text may be a mangled URL with a password in it, so it is not repeated.
        let (name, after) = rest.split_once('=').ok_or_else(|| {
            invalid(
                "the connection string is neither a URL nor a list of keyword=value pairs".into(),
            )
        })?;
        let name = name.trim();
        let (value, after) = keyword_value(after.trim_start())?;
        set(&mut parameters, name, value)?;
        rest = after.trim_start();
    }
    Ok(parameters)
}

/// One value, quoted or not, and what follows it.
fn keyword_value(text: &str) -> Result<(String, &str), ConnectError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            character if !quoted && character.is_whitespace() => return Ok((value, &text[at..])),
            character => value.push(character),
        }
    }
    if quoted {
        Err(invalid(
            "a quoted value in the connection string has no end".into(),
        ))
    } else {
        Ok((value, ""))
    }
}

fn set(parameters: &mut Parameters, name: &str, value: String) -> Result<(), ConnectError> {
    if name == "ssl" && value == "true" {
        // JDBC's spelling, which libpq understands as well.
        insert(parameters, "sslmode", "require".into());
    } else if KNOWN.contains(&name) {
        insert(parameters, name, value);
    } else if !WITHOUT_EFFECT.contains(&name) {
        return Err(invalid(format!(
            "the connection parameter {name:?} is not supported"
        )));
    }
    Ok(())
}

fn insert(parameters: &mut Parameters, name: &str, value: String) {
    if !value.is_empty() {
        parameters.insert(name.to_owned(), value);
    }
}

/// Undoes percent-encoding; a `+` stays what it is.
fn decode(text: &str) -> Result<String, ConnectError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) if high + low > 0 => bytes.push((high * 16 + low) as u8),
            _ => return Err(invalid("the URL has a broken percent-encoding".into())),
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| invalid("the URL is not UTF-8 once its percent-encoding is undone".into()))
}

fn invalid(reason: String) -> ConnectError {
    ConnectError::InvalidOptions { reason }
}
