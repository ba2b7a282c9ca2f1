//! The throwaway server does what its users rely on.

use testkit::{Server, ServerOptions, Stop};

#[test]
fn runs_sql_and_comes_back_after_a_crash() {
    let server = Server::start();
    let database = server.create_db("crash");
    server.psql(&database, "CREATE TABLE t AS SELECT 42 AS a");
    server.stop(Stop::Immediate);
    assert!(server.try_psql(&database, "SELECT 1").is_err());
    server.start_again();
    assert_eq!(server.psql(&database, "SELECT a FROM t"), "42");
    assert!(
        server
            .pg_dump(&database, &[])
            .contains("CREATE TABLE public.t")
    );
}

#[test]
fn nothing_is_left_when_it_is_dropped() {
    let server = Server::with(ServerOptions {
        tls: true,
        password: Some("secret".into()),
        ..ServerOptions::default()
    });
    let folder = server.socket_dir().to_owned();
    assert_eq!(server.psql("postgres", "SHOW ssl"), "on");
    drop(server);
    assert!(!folder.exists());
}
