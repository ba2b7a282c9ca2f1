//! Dumps into fresh databases, and what is left when that fails: nothing.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backup_db::{
    CancelToken, ConnectOptions, DumpSource, Problem, RestoreError, RestoreOptions,
    RestoreProgress, RestoreStats, RestoreStep, TableName, restore_fresh,
};
use bytes::Bytes;
mod support;

use support::{Action, Broken, SAMPLE, assert_equal, connect, connect_as, dump, options, sample};
use testkit::dump::assert_same_dump;
use testkit::{Server, ServerOptions, Stop};

fn restore(
    connect: &ConnectOptions,
    source: &dyn DumpSource,
    options: &RestoreOptions,
) -> Result<RestoreStats, RestoreError> {
    restore_fresh(connect, source, options, &())
}

/// Everything that an error says.
fn chain(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        (*error).source()
    })
    .map(ToString::to_string)
    .collect::<Vec<_>>()
    .join(": ")
}

fn is_empty(server: &Server, database: &str) -> bool {
    server.psql(
        database,
        "SELECT count(*) = 0 FROM (SELECT oid FROM pg_class WHERE oid >= 16384 UNION ALL SELECT oid FROM pg_proc WHERE oid >= 16384
           UNION ALL SELECT oid FROM pg_type WHERE oid >= 16384 UNION ALL SELECT oid FROM pg_namespace WHERE oid >= 16384
           UNION ALL SELECT oid FROM pg_extension WHERE oid >= 16384 UNION ALL SELECT oid FROM pg_largeobject_metadata
           UNION ALL SELECT oid FROM pg_default_acl UNION ALL SELECT oid FROM pg_cast WHERE oid >= 16384) x",
    ) == "t"
}

#[test]
fn into_a_new_and_into_an_empty_database() {
    let server = Server::shared();
    let source = sample(server);
    let dump = dump(&connect(server, &source));
    let (new, empty) = (server.unique_name("new"), server.create_db("empty"));
    let stats = restore(&connect(server, &new), &dump, &options()).unwrap();
    assert!(stats.created && stats.verified);
    assert_eq!((stats.rows, stats.large_objects), (25_001, 1));
    assert!(
        !restore(&connect(server, &empty), &dump, &options())
            .unwrap()
            .created
    );
    for database in [new, empty] {
        assert_equal(server, &source, &database, &[]);
        assert_eq!(server.psql(&database, "INSERT INTO app.documents (owner, title, size) VALUES (1, 'next', 1) RETURNING id, title"), "20002|NEXT");
        assert_eq!(
            server.psql(
                &database,
                "SELECT count(*) FROM pg_stats WHERE tablename = 'documents'"
            ),
            "7"
        );
    }
}

#[test]
fn values_at_the_edges() {
    let server = Server::shared();
    let source = server.create_db("edges");
    server.psql(
        &source,
        r#"CREATE TABLE v (a float8, b float4, c numeric, d timestamptz, e date, f interval, g text, h bytea, i jsonb, j json, k inet, l cidr, m macaddr,
             n uuid, o money, p bit(3), q varbit, r int4range, s tstzrange, t point, u box, v tsvector, w xml, x char(5), y "char", z time with time zone,
             aa int8, ab name, ac pg_lsn, ad text[][], af oid, ag polygon, ah int4multirange);"#,
    );
    server.psql(
        &source,
        r#"INSERT INTO v (a, b, c, d, e, f) VALUES ('NaN', 'Infinity', 'NaN', 'infinity', '-infinity', '-178000000 years'), (1e-307, 3.4028235e38, '-0.000000000000000000000000000001', '4713-01-01 00:00:00 BC', '5874897-12-31', '1 mon -1 day 00:00:00.000001'),
             ('-0', 1.1754944e-38, 1e1000, '294276-12-31 23:59:59.999999+00', '0001-01-01', '0'), (0.1 + 0.2::float8, 16777217, 0.0, '2024-03-31 02:30 Europe/Berlin', '9999-12-31', '-1 year 2 mons -3 days 4:5:6.7');
           INSERT INTO v (g, h, i, j) VALUES ('', '', 'null', '{"a" : 1 , "a":2}'), (E'\t\n\r\\\b\f\v', '\x00', '"\\u0001"', '1e1000'), (E'\\.\n\\N', decode(repeat('5c0a', 1000), 'hex'), '12345678901234567890123456789', '"\ud83d\ude00"'),
             (U&'\200F\00E9\0065\0301\+01F600', '\xdeadbeef', '{}', '[]'), (repeat(E'x\n', 100000), NULL, NULL, NULL), (NULL, NULL, NULL, NULL), ('\N', NULL, NULL, NULL);
           INSERT INTO v (k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, af, ag, ah) VALUES ('fe80::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '-92233720368547758.08', B'101', B'', 'empty', '(,2024-01-01]', '(1e300,-0)', '(1,1),(0,0)', 'a:1A fat:2B,4C', '<a>b</a><c/>', 'a ', 'x', '24:00:00-15:59', -9223372036854775808, 'n', '16/B374D848', '{{NULL,"NULL"},{"\\","\""}}', 4294967295, '((0,0),(1,1))', '{[1,2),[5,6)}');"#,
    );
    let dump = dump(&connect(server, &source));
    let target = server.unique_name("edges");
    restore(&connect(server, &target), &dump, &options()).unwrap();
    assert_equal(server, &source, &target, &[]);
}

#[test]
fn a_row_of_sixty_megabytes() {
    let server = Server::shared();
    let source = server.create_db("wide");
    server.psql(
        &source,
        "CREATE TABLE w AS SELECT repeat(md5('x'), 1900000) AS a",
    );
    let dump = dump(&connect(server, &source));
    let target = server.unique_name("wide");
    assert!(
        restore(&connect(server, &target), &dump, &options())
            .unwrap()
            .verified
    );
    assert_eq!(server.psql(&target, "SELECT length(a) FROM w"), "60800000");
}

#[test]
fn a_database_with_objects_is_refused_and_left_alone() {
    let server = Server::shared();
    let dump = dump(&connect(server, &sample(server)));
    for setup in [
        "CREATE TABLE precious AS SELECT 1 AS a",
        "CREATE FUNCTION precious() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA precious",
        "CREATE EXTENSION fuzzystrmatch",
        "SELECT lo_create(1)",
        "CREATE TYPE precious AS ENUM ()",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO public",
    ] {
        let target = server.create_db("taken");
        server.psql(&target, setup);
        let before = server.pg_dump(&target, &[]);
        let error = restore(&connect(server, &target), &dump, &options()).unwrap_err();
        let RestoreError::Preflight { problems } = &error else {
            panic!("{setup}: {error:?}")
        };
        assert!(
            matches!(problems[..], [Problem::NotEmpty { .. }]),
            "{setup}: {problems:?}"
        );
        assert!(error.hint().unwrap().contains("--into swap"));
        assert_same_dump(&before, &server.pg_dump(&target, &[]));
    }
}

#[test]
fn ordinary_roles_on_both_sides() {
    let server = Server::shared();
    let (old, new) = (server.unique_name("old"), server.unique_name("new"));
    server.psql(
        "postgres",
        &format!("CREATE ROLE {old} LOGIN CREATEDB; CREATE ROLE \"{new} role\" LOGIN CREATEDB"),
    );
    let source = server.unique_name("owned");
    server.psql(
        "postgres",
        &format!("CREATE DATABASE {source} OWNER {old} TEMPLATE template0"),
    );
    let as_old = server
        .client("psql")
        .args([
            "-qXv",
            "ON_ERROR_STOP=1",
            "-c",
            &SAMPLE.replace("CURRENT_DB", &source),
        ])
        .arg(server.url_as(&old, &source))
        .status()
        .unwrap();
    assert!(as_old.success());
    server.psql(
        &source,
        &format!("GRANT SELECT ON app.users TO {old}; GRANT SELECT ON app.users TO public"),
    );
    let dump = dump(&connect_as(server, &old, &source));

    // The same role: everything as it was.
    let same = server.unique_name("same");
    restore(&connect_as(server, &old, &same), &dump, &options()).unwrap();
    assert_equal(server, &source, &same, &[]);

    // Another role cannot give objects away, unless the old one is mapped or owners are left out.
    let other = format!("{new} role");
    let target = server.unique_name("other");
    let url = server.url_as(&format!("{new}%20role"), &target);
    let connect = ConnectOptions::from_url(&url).unwrap();
    let error = restore(&connect, &dump, &options()).unwrap_err();
    assert!(
        matches!(&error, RestoreError::Preflight { problems } if matches!(problems[..], [Problem::NotMemberOfOwner { .. }])),
        "{error:?}"
    );
    let mapped = RestoreOptions {
        role_map: BTreeMap::from([(old.clone(), other.clone())]),
        ..options()
    };
    restore(&connect, &dump, &mapped).unwrap();
    let expected = server
        .pg_dump(&source, &[])
        .replace(&format!("{old};"), &format!("\"{other}\";"))
        .replace(&format!("Owner: {old}"), &format!("Owner: {other}"));
    assert_same_dump(&expected, &server.pg_dump(&target, &[]));

    let without = RestoreOptions {
        owners: false,
        privileges: false,
        ..options()
    };
    let target = server.unique_name("bare");
    restore(
        &ConnectOptions::from_url(&server.url_as(&format!("{new}%20role"), &target)).unwrap(),
        &dump,
        &without,
    )
    .unwrap();
    assert_equal(server, &source, &target, &["--no-owner", "--no-privileges"]);
}

#[test]
fn every_problem_is_found_before_anything_is_touched() {
    let server = Server::shared();
    let gone = server.unique_name("gone");
    let source = server.create_db("problems");
    server.psql(
        &source,
        &format!("CREATE ROLE {gone}; CREATE TABLE t (a int); ALTER TABLE t OWNER TO {gone}"),
    );
    let dump = dump(&connect(server, &source));
    server.psql(&source, &format!("DROP TABLE t; DROP ROLE {gone}"));
    let poor = server.unique_name("poor");
    server.psql("postgres", &format!("CREATE ROLE {poor} LOGIN"));
    let target = server.unique_name("nowhere");
    let error = restore(&connect_as(server, &poor, &target), &dump, &options()).unwrap_err();
    let RestoreError::Preflight { problems } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        problems[..],
        [
            Problem::CannotCreateDatabase {
                database: target.clone(),
                role: poor
            },
            Problem::RoleMissing { name: gone }
        ]
    );
    assert!(server.try_psql(&target, "SELECT 1").is_err());
}

#[test]
fn selected_tables_with_what_they_need() {
    let server = Server::shared();
    let source = sample(server);
    let dump = dump(&connect(server, &source));
    let target = server.unique_name("selected");
    let table = |name: &str| TableName {
        schema: "app".into(),
        name: name.into(),
    };
    let selected = RestoreOptions {
        tables: vec![table("documents")],
        ..options()
    };
    let stats = restore(&connect(server, &target), &dump, &selected).unwrap();
    assert_eq!((stats.tables, stats.rows), (1, 20_000));
    assert!(
        stats
            .warnings
            .iter()
            .any(|warning| warning.contains("foreign key")),
        "{:?}",
        stats.warnings
    );
    assert_eq!(server.psql(&target, "INSERT INTO app.documents (owner, title, size) VALUES (1, 'next', 1) RETURNING id, title, double"), "20002|NEXT|2");
    assert_eq!(
        server.psql(
            &target,
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'app'"
        ),
        "3"
    );
    assert_eq!(server.psql(&target, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind IN ('r', 'v', 'm') AND oid >= 16384"), "documents");

    let both = RestoreOptions {
        tables: vec![table("users"), table("documents")],
        ..options()
    };
    let target = server.unique_name("selected");
    let stats = restore(&connect(server, &target), &dump, &both).unwrap();
    assert_eq!(stats.warnings, Vec::<String>::new());
    assert_eq!(
        server.psql(
            &target,
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
        ),
        "2"
    );

    let missing = RestoreOptions {
        tables: vec![table("nothing")],
        ..options()
    };
    let error = restore(
        &connect(server, &server.unique_name("none")),
        &dump,
        &missing,
    )
    .unwrap_err();
    assert!(
        matches!(error, RestoreError::NoSuchTable { .. }),
        "{error:?}"
    );
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let server = Server::shared();
    let dump = dump(&connect(server, &sample(server)));
    let unreadable = |_| Err("the disk is on fire".into());
    let malformed = |_| Ok(Bytes::from_static(b"not\ta row\n"));
    let lost = |data: Bytes| {
        let first = data.iter().position(|byte| *byte == b'\n').unwrap();
        Ok(data.slice(first + 1..))
    };
    let changed = |data: Bytes| {
        let mut data = data.to_vec();
        let at = data.iter().rposition(u8::is_ascii_digit).unwrap();
        data[at] = if data[at] == b'0' { b'1' } else { b'0' };
        Ok(Bytes::from(data))
    };

    let actions: [(Action<'_>, &str); 4] = [
        (&unreadable, "on fire"),
        (&malformed, "cannot load the rows"),
        (&lost, "rows"),
        (&changed, ""),
    ];
    for (action, text) in actions {
        let (new, existing) = (server.unique_name("failed"), server.create_db("failed"));
        for target in [&new, &existing] {
            let error = restore(
                &connect(server, target),
                &Broken::new(&dump, 5, action),
                &options(),
            )
            .unwrap_err();
            assert!(chain(&error).contains(text), "{}", chain(&error));
            assert!(
                !matches!(error, RestoreError::LeftBehind { .. }),
                "{error:?}"
            );
        }
        assert!(
            server.try_psql(&new, "SELECT 1").is_err(),
            "the database that was created is dropped"
        );
        assert!(
            is_empty(server, &existing),
            "{}",
            server.pg_dump(&existing, &["-s"])
        );
        assert!(
            restore(&connect(server, &existing), &dump, &options()).is_ok(),
            "and can be used again"
        );
    }
}

#[test]
fn a_failing_object_is_named() {
    let server = Server::shared();
    let source = server.create_db("unloadable");
    server.psql(
        &source,
        "CREATE TABLE fine (a int); CREATE FUNCTION f() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN current_database() = 'CURRENT'; END$$;
         CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE INDEX the_index ON t ((1 / (CASE WHEN f() THEN 1 ELSE a - a END)));"
            .replace("CURRENT", &source)
            .as_str(),
    );
    let dump = dump(&connect(server, &source));
    let target = server.create_db("unloadable");
    let error = restore(&connect(server, &target), &dump, &options()).unwrap_err();
    let text = chain(&error);
    assert!(
        text.contains("cannot create index public.the_index")
            && text.contains("division by zero")
            && text.contains("22012"),
        "{text}"
    );
    assert!(is_empty(server, &target));
}

#[test]
fn cancelling() {
    struct Canceller(CancelToken, AtomicU64);
    impl RestoreProgress for Canceller {
        fn step(&self, step: RestoreStep, _total: u64) {
            if step == RestoreStep::PostData {
                self.0.cancel();
            }
        }
        fn advance(&self, amount: u64) {
            self.1.fetch_add(amount, Ordering::Relaxed);
        }
    }
    let server = Server::shared();
    let dump = dump(&connect(server, &sample(server)));
    let target = server.unique_name("cancelled");
    let options = options();
    let progress = Canceller(options.cancel.clone(), AtomicU64::new(0));
    let error = restore_fresh(&connect(server, &target), &dump, &options, &progress).unwrap_err();
    assert!(matches!(error, RestoreError::Cancelled), "{error:?}");
    assert!(progress.1.load(Ordering::Relaxed) > 1_000_000);
    assert!(server.try_psql(&target, "SELECT 1").is_err());
}

#[test]
fn a_server_that_dies_is_an_error_that_says_what_is_left() {
    let server = Server::start();
    let dump = dump(&connect(&server, &sample(&server)));
    let target = server.create_db("dying");
    let stop = |data| {
        server.stop(Stop::Immediate);
        std::thread::sleep(Duration::from_millis(100));
        Ok(data)
    };
    let error = restore(
        &connect(&server, &target),
        &Broken::new(&dump, 5, &stop),
        &options(),
    )
    .unwrap_err();
    let RestoreError::LeftBehind {
        database, source, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(*database, target);
    assert!(
        matches!(**source, RestoreError::ServerLost(_)),
        "{source:?}"
    );
    assert!(error.hint().unwrap().contains("DROP DATABASE"));
    // The server comes back with a half filled database, which nobody takes for a restored one.
    server.start_again();
    let again = restore(&connect(&server, &target), &dump, &options()).unwrap_err();
    assert!(matches!(again, RestoreError::Preflight { .. }), "{again:?}");
}

#[test]
fn other_encodings() {
    let server = Server::with(ServerOptions::default());
    server.psql(
        "postgres",
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    );
    server.psql("latin", "CREATE TABLE \"größe\" AS SELECT 'é'::text AS a");
    server.psql(
        "postgres",
        "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'",
    );
    server.psql(
        "bytes",
        "CREATE TABLE t (a text); COPY t FROM PROGRAM 'printf \"\\377\\376x\\\\n\"'",
    );
    for database in ["latin", "bytes"] {
        let dump = dump(&connect(&server, database));
        let target = format!("{database}_restored");
        restore(&connect(&server, &target), &dump, &options()).unwrap();
        assert_equal(&server, database, &target, &["--encoding=SQL_ASCII"]);
    }
    let error = restore(
        &connect(&server, &server.create_db("utf8")),
        &dump(&connect(&server, "bytes")),
        &options(),
    )
    .unwrap_err();
    assert!(
        matches!(&error, RestoreError::Preflight { problems } if matches!(problems[..], [Problem::Encoding { .. }])),
        "{error:?}"
    );
}
