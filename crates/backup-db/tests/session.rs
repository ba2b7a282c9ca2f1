//! One connection: statements, notices, COPY in both directions, cancelling.

use std::time::{Duration, Instant};

use backup_db::{CancelToken, ConnectOptions, CopyInError, Session};
use bytes::Bytes;
use testkit::Server;

fn session(database: &str) -> Session {
    Session::connect(&ConnectOptions::from_url(&Server::shared().url(database)).unwrap()).unwrap()
}

#[test]
fn statements_and_notices() {
    let mut session = session("postgres");
    let sum: i32 = session
        .query_one("SELECT $1::int4 + 1", &[&41])
        .unwrap()
        .get(0);
    assert_eq!(sum, 42);
    session
        .batch("DO $$BEGIN RAISE WARNING 'careful'; END$$; SELECT 1")
        .unwrap();
    assert_eq!(session.take_notices()[0].message, "careful");
    assert_eq!(
        session.query_text("SELECT 1, NULL; SELECT 'a'").unwrap(),
        [vec![Some("1".into()), None], vec![Some("a".into())]]
    );
    let error = session.batch("SELECT * FROM nowhere").unwrap_err();
    assert_eq!(error.sqlstate(), Some("42P01"));
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert!(!error.is_connection_lost());
}

#[test]
fn copy_both_ways() {
    let server = Server::shared();
    let database = server.create_db("copy");
    let mut session = session(&database);
    session.batch("CREATE TABLE t (a int, b text)").unwrap();
    let mut pieces = [
        Bytes::from_static(b"1\tone\n2\tt"),
        Bytes::from_static(b"wo\n"),
    ]
    .into_iter();
    let rows = session
        .copy_in("COPY t FROM STDIN", || {
            Ok::<_, std::io::Error>(pieces.next())
        })
        .unwrap();
    assert_eq!(rows, 2);
    let mut read = Vec::new();
    assert!(
        session
            .copy_out("COPY t TO STDOUT", |row| {
                read.push(row.to_vec());
                true
            })
            .unwrap()
    );
    assert_eq!(read, [b"1\tone\n".to_vec(), b"2\ttwo\n".to_vec()]);

    let mut pieces = [
        Ok(Some(Bytes::from_static(b"3\tthree\n"))),
        Err(std::io::Error::other("lost")),
    ]
    .into_iter();
    let error = session
        .copy_in("COPY t FROM STDIN", || pieces.next().unwrap())
        .unwrap_err();
    assert!(matches!(error, CopyInError::Source(_)));
    let mut pieces = [Bytes::from_static(b"x\ty\n")].into_iter();
    let error = session
        .copy_in("COPY t FROM STDIN", || {
            Ok::<_, std::io::Error>(pieces.next())
        })
        .unwrap_err();
    assert!(
        error.to_string().contains("invalid input syntax"),
        "{error}"
    );
    assert_eq!(server.psql(&database, "SELECT count(*) FROM t"), "2");
    assert!(
        !session
            .copy_out(
                "COPY (SELECT generate_series(1, 10000000)) TO STDOUT",
                |_| false
            )
            .unwrap()
    );
    session.batch("SELECT 1").unwrap();
}

#[test]
fn cancelling_ends_a_running_statement() {
    let mut session = session("postgres");
    let token = CancelToken::new();
    session.cancel_with(token.clone());
    let started = Instant::now();
    let waiter = std::thread::spawn(move || session.batch("SELECT pg_sleep(60)").unwrap_err());
    std::thread::sleep(Duration::from_millis(200));
    token.cancel();
    assert!(waiter.join().unwrap().is_cancelled());
    assert!(started.elapsed() < Duration::from_secs(10));
}
