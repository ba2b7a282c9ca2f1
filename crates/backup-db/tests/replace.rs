//! Restores in place, in one transaction.

use backup_db::{Problem, RestoreError, RestoreOptions, Session, restore_replace};
use bytes::Bytes;
use testkit::Server;
use testkit::dump::assert_same_dump;

mod support;

use support::{Broken, SAMPLE, assert_equal, connect, connect_as, dump, options, sample};

/// What has to go: objects of many kinds, some of them with the names of the sample's.
const OTHER: &str = r#"
CREATE SCHEMA app; CREATE SCHEMA rest; CREATE EXTENSION hstore SCHEMA rest; CREATE EXTENSION pg_trgm SCHEMA rest;
CREATE TABLE app.documents (other int); INSERT INTO app.documents VALUES (1); CREATE TABLE app."quoted ""name" (h rest.hstore);
CREATE VIEW v AS SELECT * FROM app.documents; CREATE MATERIALIZED VIEW mv AS SELECT 1; CREATE SEQUENCE s;
CREATE TYPE composite AS (a int, b text); CREATE DOMAIN d AS composite; CREATE FUNCTION f(composite) RETURNS d LANGUAGE sql AS 'SELECT $1::d';
CREATE AGGREGATE agg (int) (SFUNC = int4pl, STYPE = int); CREATE PROCEDURE p() LANGUAGE sql AS ''; CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
CREATE COLLATION c FROM "C"; SELECT lo_create(1), lo_create(2);
"#;

fn other(server: &Server) -> String {
    let database = server.create_db("other");
    server.psql(&database, OTHER);
    server.psql(
        &database,
        "CREATE CAST (composite AS int) WITH INOUT; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE ft (a int) SERVER s;
         CREATE PUBLICATION pub FOR ALL TABLES; CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple); CREATE TABLE parts (a int) PARTITION BY LIST (a); CREATE TABLE parts_1 PARTITION OF parts DEFAULT;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         REVOKE ALL ON SCHEMA public FROM PUBLIC; COMMENT ON SCHEMA public IS 'mine'",
    );
    database
}

#[test]
fn everything_is_replaced() {
    let server = Server::shared();
    let (source, target) = (sample(server), other(server));
    let stats = restore_replace(
        &connect(server, &target),
        &dump(&connect(server, &source)),
        &options(),
        &(),
    )
    .unwrap();
    assert!(stats.verified);
    assert_equal(server, &source, &target, &[]);
}

#[test]
fn a_second_time_over_itself() {
    let server = Server::shared();
    let source = sample(server);
    let dump = dump(&connect(server, &source));
    let target = server.create_db("twice");
    for _ in 0..2 {
        restore_replace(&connect(server, &target), &dump, &options(), &()).unwrap();
        assert_equal(server, &source, &target, &[]);
    }
}

#[test]
fn any_failure_leaves_what_was_there() {
    let server = Server::shared();
    let target = other(server);
    server.psql(&target, "DROP EXTENSION pg_trgm; CREATE EXTENSION pg_trgm");
    let dump = dump(&connect(server, &sample(server)));
    let before = server.pg_dump(&target, &[]);
    let unreadable = |_| Err("the disk is on fire".into());
    let malformed = |_| Ok(Bytes::from_static(b"not\ta row\n"));
    let changed = |data: Bytes| {
        let mut data = data.to_vec();
        let at = data.iter().rposition(u8::is_ascii_digit).unwrap();
        data[at] = if data[at] == b'0' { b'1' } else { b'0' };
        Ok(Bytes::from(data))
    };
    let actions: [support::Action<'_>; 3] = [&unreadable, &malformed, &changed];
    for action in actions {
        restore_replace(
            &connect(server, &target),
            &Broken::new(&dump, 5, action),
            &options(),
            &(),
        )
        .unwrap_err();
        assert_same_dump(&before, &server.pg_dump(&target, &[]));
    }
    let cancelled = options();
    cancelled.cancel.cancel();
    let error = restore_replace(&connect(server, &target), &dump, &cancelled, &()).unwrap_err();
    assert!(matches!(error, RestoreError::Cancelled), "{error:?}");
    assert_same_dump(&before, &server.pg_dump(&target, &[]));
}

#[test]
fn a_role_without_any_rights_but_on_its_own_objects() {
    let server = Server::shared();
    let (role, other) = (server.unique_name("owner"), server.unique_name("stranger"));
    server.psql(
        "postgres",
        &format!("CREATE ROLE {role} LOGIN; CREATE ROLE {other} LOGIN"),
    );
    let mut databases = Vec::new();
    for name in ["source", "target"] {
        let database = server.unique_name(name);
        server.psql(
            "postgres",
            &format!("CREATE DATABASE {database} OWNER {role} TEMPLATE template0"),
        );
        let sql = format!(
            "SET SESSION AUTHORIZATION {role}; {}",
            SAMPLE.replace("CURRENT_DB", &database)
        );
        server.psql(&database, &sql);
        databases.push(database);
    }
    let [source, target] = [&databases[0], &databases[1]];
    server.psql(target, "TRUNCATE app.documents, app.users; DROP VIEW app.recent; ALTER TABLE app.users ADD more int");
    let dump = dump(&connect_as(server, &role, source));
    restore_replace(&connect_as(server, &role, target), &dump, &options(), &()).unwrap();
    assert_equal(server, source, target, &[]);

    server.psql(
        target,
        &format!("CREATE TABLE strange (a int); ALTER TABLE strange OWNER TO {other}"),
    );
    let error =
        restore_replace(&connect_as(server, &role, target), &dump, &options(), &()).unwrap_err();
    let RestoreError::Preflight { problems } = &error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(&problems[..], [Problem::NotObjectOwner { objects, .. }] if objects == &["table strange"]),
        "{problems:?}"
    );
}

#[test]
fn readers_wait_and_then_see_the_new_rows() {
    let server = Server::shared();
    let source = sample(server);
    let target = server.create_db("readers");
    let dump = dump(&connect(server, &source));
    restore_replace(
        &connect(server, &target),
        &dump,
        &RestoreOptions::default(),
        &(),
    )
    .unwrap();
    server.psql(&target, "TRUNCATE app.documents");
    let mut reader = Session::connect(&connect(server, &target)).unwrap();
    std::thread::scope(|scope| {
        let restore =
            scope.spawn(|| restore_replace(&connect(server, &target), &dump, &options(), &()));
        while !restore.is_finished() {
            let Ok(rows) = reader.query_text("SELECT count(*) FROM app.documents") else {
                continue;
            };
            let count = rows[0][0].clone().unwrap();
            assert!(count == "0" || count == "20000", "{count}");
        }
        restore.join().unwrap().unwrap();
    });
    assert_eq!(
        server.psql(&target, "SELECT count(*) FROM app.documents"),
        "20000"
    );
}
