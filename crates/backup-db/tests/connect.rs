//! Options from every source, and what servers answer to good and bad ones.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

use backup_db::{ConnectError, ConnectOptions, ConnectSources, Secret, Session};
use testkit::{Server, ServerOptions};

/// A server that wants passwords, speaks TLS and has a role for each way to be let in.
fn strict_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::with(ServerOptions {
            tls: true,
            password: Some("top secret/ü@:".replace(['/', '@', ':', ' '], "_")),
            hba: [
                "hostssl all tls_only 127.0.0.1/32 trust",
                "hostnossl all plain_only 127.0.0.1/32 trust",
                "hostssl all postgres 127.0.0.1/32 cert",
                "host all tls_only,plain_only 127.0.0.1/32 reject",
                "host all clear 127.0.0.1/32 password",
                "host all digest 127.0.0.1/32 md5",
            ]
            .map(String::from)
            .to_vec(),
            ..ServerOptions::default()
        });
        server.psql(
            "postgres",
            "CREATE ROLE tls_only LOGIN; CREATE ROLE plain_only LOGIN; CREATE ROLE scram LOGIN PASSWORD 'canary-pw';
             CREATE ROLE clear LOGIN PASSWORD 'canary-pw'; SET password_encryption = md5; CREATE ROLE digest LOGIN PASSWORD 'canary-pw';",
        );
        server
    })
}

fn resolve(
    url: Option<&str>,
    environment: &[(&str, &str)],
    home: Option<&Path>,
) -> Result<ConnectOptions, ConnectError> {
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    let env = |name: &str| environment.get(name).map(|value| (*value).to_owned());
    ConnectOptions::resolve(ConnectSources {
        url,
        env: &env,
        home,
        ..ConnectSources::default()
    })
}

fn user_of(options: &ConnectOptions) -> String {
    let mut session =
        Session::connect(options).unwrap_or_else(|error| panic!("{options}: {error:?}"));
    session
        .query_one("SELECT current_user::text", &[])
        .unwrap()
        .get(0)
}

fn failure(url: &str) -> ConnectError {
    Session::connect(&ConnectOptions::from_url(url).unwrap()).expect_err("no connection")
}

#[test]
fn strings_of_all_forms() {
    let shown = |text: &str| ConnectOptions::from_url(text).unwrap().to_string();
    assert_eq!(shown("postgresql://u:p@h/d"), "u@h:5432/d");
    assert_eq!(
        shown("postgres://u@h:1,[::1]:2/d?sslmode=disable"),
        "u@h:1,[::1]:2/d"
    );
    assert_eq!(
        shown("postgis://u%40x:p%2F@%2Frun%2Fpg/d%20b?conn_max_age=60"),
        "u@x@/run/pg:5432/d b"
    );
    assert_eq!(
        shown("postgresql+psycopg://u@/d?host=/sock&port=7"),
        "u@/sock:7/d"
    );
    assert_eq!(
        shown(r"host=a,b port=1,2 user = 'x y' password=it\'s\ it dbname=''"),
        "x y@a:1,b:2/x y"
    );
}

#[test]
fn malformed_strings_are_refused_without_repeating_secrets() {
    for text in [
        "mysql://u:canary@h/d",
        "postgresql://u:canary@h:port/d",
        "postgresql://u:canary@[::1/d",
        "postgresql://u:canary%zz@h/d",
        "postgresql://u:canary@h/d?nonsense=1",
        "postgresql://u:canary@h/d?sslmode=maybe",
        "postgresql://u:canary@h/d?sslmode=verify-full",
        "postgresql://u:canary@h/d?sslrootcert=system&sslmode=require",
        "postgresql://u:canary@h/d?service=x",
        "u:canary",
        "password='canary",
    ] {
        let error = ConnectOptions::from_url(text).expect_err(text);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn passwords_are_in_no_debug_output() {
    let options = ConnectOptions::from_url("postgresql://u:canary@h/d").unwrap();
    assert!(!format!("{options:?} {options} {:?}", Secret::new("canary")).contains("canary"));
}

#[test]
fn better_sources_win() {
    let environment = [
        ("DATABASE_URL", "postgresql://django@dj:1/djdb"),
        ("DB_HOST", "dbhost"),
        ("DB_PORT", "2"),
        ("DB_NAME", "dbname"),
        ("PGHOST", "pghost"),
        ("PGUSER", "pguser"),
        ("PGPORT", "3"),
    ];
    let shown =
        |url, environment: &[(&str, &str)]| resolve(url, environment, None).unwrap().to_string();
    assert_eq!(
        shown(Some("postgresql://o@opt/optdb"), &environment),
        "o@opt:3/optdb"
    );
    assert_eq!(shown(None, &environment), "django@dj:1/djdb");
    assert_eq!(shown(None, &environment[1..]), "pguser@dbhost:2/dbname");
    assert_eq!(shown(None, &environment[4..]), "pguser@pghost:3/pguser");
    let env = |name: &str| (name == "DB_HOST").then(|| "dbhost".to_owned());
    let sources = ConnectSources {
        host: Some("filehost".into()),
        port: Some(9),
        name: Some("filedb".into()),
        user: Some("fileuser".into()),
        env: &env,
        ..ConnectSources::default()
    };
    assert_eq!(
        ConnectOptions::resolve(sources).unwrap().to_string(),
        "fileuser@dbhost:5432/filedb"
    );
}

#[test]
fn a_password_goes_with_its_user_only() {
    let server = strict_server();
    let port = server.port().to_string();
    let environment = |user| {
        vec![
            ("DB_HOST", "127.0.0.1"),
            ("DB_PORT", port.as_str()),
            ("DB_USER", user),
            ("DB_PASSWORD", "canary-pw"),
        ]
    };
    let url = format!("postgresql://scram@127.0.0.1:{port}/postgres");
    assert_eq!(
        user_of(&resolve(Some(&url), &environment("scram"), None).unwrap()),
        "scram"
    );
    let error =
        Session::connect(&resolve(Some(&url), &environment("other"), None).unwrap()).unwrap_err();
    assert!(
        matches!(error, ConnectError::PasswordMissing { .. }),
        "{error:?}"
    );
}

#[test]
fn password_file() {
    let server = strict_server();
    let home = tempfile_dir();
    let file = home.join(".pgpass");
    fs::write(
        &file,
        format!(
            "# comment\nother:*:*:scram:wrong\n127.0.0.1:{}:*:scram:canary-pw\n*:*:*:*:wrong\n",
            server.port()
        ),
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let url = server.tcp_url("scram", "postgres");
    let options = resolve(Some(&url), &[], Some(&home)).unwrap();
    assert_eq!(user_of(&options), "scram");
    assert!(options.warnings().is_empty());

    fs::write(&file, r"127.0.0.1:*:we\:ird:scram:can\ary\-pw").unwrap();
    server.psql("postgres", r#"CREATE DATABASE "we:ird""#);
    assert_eq!(
        user_of(&resolve(Some(&server.tcp_url("scram", "we:ird")), &[], Some(&home)).unwrap()),
        "scram"
    );
    assert!(Session::connect(&resolve(Some(&url), &[], Some(&home)).unwrap()).is_err());

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let options = resolve(Some(&url), &[("PGPASSFILE", file.to_str().unwrap())], None).unwrap();
    assert!(
        options.warnings()[0].contains("chmod 0600"),
        "{:?}",
        options.warnings()
    );
    fs::remove_dir_all(home).unwrap();
}

fn tempfile_dir() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("edms-connect-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn all_ways_to_authenticate() {
    let server = strict_server();
    for user in ["scram", "clear", "digest"] {
        let url = format!(
            "postgresql://{user}:canary-pw@127.0.0.1:{}/postgres",
            server.port()
        );
        assert_eq!(user_of(&ConnectOptions::from_url(&url).unwrap()), user);
    }
    assert_eq!(
        user_of(&ConnectOptions::from_url(&server.url("postgres")).unwrap()),
        "postgres"
    );
    let url = format!(
        "postgresql://scram:canary-pw@127.0.0.1:{}/postgres?channel_binding=require",
        server.port()
    );
    assert_eq!(user_of(&ConnectOptions::from_url(&url).unwrap()), "scram");
}

#[test]
fn tls_modes_mean_what_libpq_means() {
    let server = strict_server();
    let ca = server.ca_file();
    let (ca, port) = (ca.display(), server.port());
    let encrypted = |user: &str, host: &str, parameters: &str| {
        let url = format!("postgresql://{user}@{host}:{port}/postgres?{parameters}");
        let mut session = Session::connect(&ConnectOptions::from_url(&url).unwrap())?;
        let row = session
            .query_one(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
                &[],
            )
            .unwrap();
        Ok::<bool, ConnectError>(row.get(0))
    };
    let is = |expected: bool, user: &str, host: &str, parameters: &str| match encrypted(
        user, host, parameters,
    ) {
        Ok(actual) => assert_eq!(actual, expected, "{user}@{host} {parameters}"),
        Err(error) => panic!("{user}@{host} {parameters}: {error:?}"),
    };
    is(false, "plain_only", "127.0.0.1", "sslmode=disable");
    is(false, "plain_only", "127.0.0.1", "sslmode=allow");
    is(true, "tls_only", "127.0.0.1", "sslmode=allow");
    is(true, "tls_only", "127.0.0.1", "sslmode=prefer");
    is(false, "plain_only", "127.0.0.1", "sslmode=prefer");
    is(true, "tls_only", "127.0.0.1", "sslmode=require");
    is(
        true,
        "tls_only",
        "127.0.0.1",
        &format!("sslmode=verify-ca&sslrootcert={ca}"),
    );
    is(
        true,
        "tls_only",
        "127.0.0.1",
        &format!("sslmode=verify-full&sslrootcert={ca}"),
    );
    is(
        true,
        "tls_only",
        "elsewhere",
        &format!("hostaddr=127.0.0.1&sslmode=verify-ca&sslrootcert={ca}"),
    );
    let (certificate, key) = server.client_certificate();
    let client = format!(
        "sslmode=require&sslcert={}&sslkey={}",
        certificate.display(),
        key.display()
    );
    is(true, "postgres", "127.0.0.1", &client);

    let refused =
        |user: &str, host: &str, parameters: &str| encrypted(user, host, parameters).unwrap_err();
    let error = refused("tls_only", "127.0.0.1", "sslmode=disable");
    assert!(
        matches!(error, ConnectError::NotAllowed { .. }),
        "{error:?}"
    );
    let error = refused(
        "tls_only",
        "elsewhere",
        &format!("hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={ca}"),
    );
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    let error = refused("tls_only", "127.0.0.1", "sslrootcert=system");
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = refused("postgres", "127.0.0.1", &client);
    assert!(
        matches!(error, ConnectError::Certificate { .. }),
        "{error:?}"
    );
}

#[test]
fn each_failure_has_its_own_error() {
    let server = strict_server();
    let port = server.port();
    let error = failure(&format!(
        "postgresql://scram:wrong-canary@127.0.0.1:{port}/postgres"
    ));
    assert!(
        matches!(error, ConnectError::WrongPassword { .. }),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("wrong-canary"));
    let error = failure(&format!("postgresql://scram@127.0.0.1:{port}/postgres"));
    assert!(
        matches!(error, ConnectError::PasswordMissing { .. }),
        "{error:?}"
    );
    let error = failure(&format!(
        "postgresql://scram:canary-pw@127.0.0.1:{port}/missing"
    ));
    assert!(
        matches!(error, ConnectError::NoSuchDatabase { .. }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        format!("127.0.0.1:{port} has no database \"missing\"")
    );
    let error = failure("postgresql://u@127.0.0.1:1/d?connect_timeout=5");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    let error = failure("postgresql://u@/d?host=/nonexistent");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    let error = failure("postgresql://u@no-such-host.invalid/d");
    assert!(
        matches!(error, ConnectError::UnknownHost { .. }),
        "{error:?}"
    );
    assert!(error.hint().is_some());
    let plain = Server::shared();
    let error = failure(&format!(
        "{}?sslmode=require",
        plain.tcp_url("postgres", "postgres")
    ));
    assert!(
        matches!(error, ConnectError::TlsNotOffered { .. }),
        "{error:?}"
    );
}

#[test]
fn the_next_host_is_tried() {
    let server = Server::shared();
    let url = format!(
        "postgresql://postgres@127.0.0.1:1,127.0.0.1:{}/postgres",
        server.port()
    );
    assert_eq!(
        user_of(&ConnectOptions::from_url(&url).unwrap()),
        "postgres"
    );
}
