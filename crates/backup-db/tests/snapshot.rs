//! Dumps of live databases: rows, large objects, locks, and everything that can go wrong.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use backup_db::{
    CancelToken, ConnectOptions, DumpError, DumpStats, RowDigest, Snapshot, SnapshotOptions,
};
use testkit::{Server, Stop};

fn connect(server: &Server, database: &str) -> ConnectOptions {
    ConnectOptions::from_url(&server.url(database)).unwrap()
}

fn small() -> SnapshotOptions {
    SnapshotOptions {
        jobs: NonZeroUsize::new(3).unwrap(),
        segment_bytes: 20_000,
        part_bytes: 100_000,
        lock_timeout: Duration::from_millis(300),
        ..SnapshotOptions::default()
    }
}

/// Reads everything; rows sorted, by table.
fn read_all(snapshot: Snapshot) -> (BTreeMap<String, Vec<String>>, DumpStats) {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut parts = Vec::new();
    for segment in snapshot.segments() {
        let segment = segment.unwrap();
        let table = &snapshot.tables()[segment.table];
        let text = String::from_utf8(segment.data.to_vec()).unwrap();
        assert_eq!(text.lines().count() as u64, segment.rows);
        rows.entry(table.name.clone())
            .or_default()
            .extend(text.lines().map(str::to_owned));
        parts.push((segment.table, segment.part, segment.sequence));
    }
    let count = parts.len();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), count, "no two segments have the same name");
    rows.values_mut().for_each(|rows| rows.sort());
    for piece in snapshot.large_object_pieces() {
        piece.unwrap();
    }
    let stats = snapshot.finish().unwrap();
    (rows, stats)
}

#[test]
fn all_rows_once_with_their_digest() {
    let server = Server::shared();
    let database = server.create_db("rows");
    server.psql(
        &database,
        "CREATE TABLE big AS SELECT i, md5(i::text) AS t FROM generate_series(1, 20000) i; DELETE FROM big WHERE i % 7 = 0;
         CREATE TABLE gone (a int, b text, c int GENERATED ALWAYS AS (a + 1) STORED); ALTER TABLE gone DROP COLUMN a CASCADE;
         INSERT INTO gone VALUES (E'tab\\tline\\nback\\\\slash'), (NULL), ('');
         CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
         CREATE TABLE empty (a int);
         CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
         CREATE TABLE part (a int) PARTITION BY LIST (a); CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1); INSERT INTO part VALUES (1);
         CREATE TABLE \"O'dd \"\"na.me\" (\"a b\" int); INSERT INTO \"O'dd \"\"na.me\" VALUES (9);",
    );
    let snapshot = Snapshot::open(&connect(server, &database), &small()).unwrap();
    server.psql(
        &database,
        "INSERT INTO big VALUES (0, 'too late'); DELETE FROM parent",
    );
    let (rows, stats) = read_all(snapshot);
    assert_eq!(rows["big"].len(), 20_000 - 20_000 / 7);
    assert!(!rows["big"].iter().any(|row| row.contains("too late")));
    assert_eq!(rows["gone"], ["", "\\N", "tab\\tline\\nback\\\\slash"]);
    assert_eq!(rows["nothing"], ["", ""]);
    assert_eq!(
        (&rows["parent"][..], &rows["child"][..]),
        (&["1".to_owned()][..], &["2".to_owned()][..])
    );
    assert_eq!(rows["part_1"], ["1"]);
    assert_eq!(rows["O'dd \"na.me"], ["9"]);
    assert!(!rows.contains_key("part") && !rows.contains_key("empty"));
    assert!(
        stats
            .tables
            .iter()
            .any(|table| table.name == "empty" && table.rows == 0)
    );
    for table in &stats.tables {
        let mut digest = RowDigest::default();
        let of_table = rows.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        of_table
            .iter()
            .for_each(|row| digest.add_row(row.as_bytes()));
        assert_eq!(
            (table.rows, table.digest),
            (of_table.len() as u64, digest),
            "{}",
            table.name
        );
    }
}

#[test]
fn a_large_table_is_read_by_several_connections() {
    let server = Server::shared();
    let database = server.create_db("parallel");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT repeat('x', 500) FROM generate_series(1, 5000)",
    );
    let snapshot = Snapshot::open(&connect(server, &database), &small()).unwrap();
    let mut parts: Vec<u32> = snapshot
        .segments()
        .map(|segment| segment.unwrap().part)
        .collect();
    parts.dedup();
    assert!(
        parts.windows(2).any(|pair| pair[0] > pair[1]),
        "parts come mixed: {parts:?}"
    );
    assert!(snapshot.finish().is_ok());
}

#[test]
fn wide_rows() {
    let server = Server::shared();
    let database = server.create_db("wide");
    server.psql(&database, "CREATE TABLE t AS SELECT i, repeat('wide', 15000000) AS w FROM generate_series(1, 2) i; INSERT INTO t VALUES (3, 'narrow')");
    let snapshot = Snapshot::open(&connect(server, &database), &small()).unwrap();
    let mut segments: Vec<(u64, usize)> = snapshot
        .segments()
        .map(Result::unwrap)
        .map(|segment| (segment.rows, segment.data.len()))
        .collect();
    segments.sort_unstable();
    assert_eq!(segments, [(1, 9), (1, 60_000_003), (1, 60_000_003)]);
}

#[test]
fn large_objects_of_all_sizes() {
    let server = Server::shared();
    let database = server.create_db("large");
    server.psql(
        &database,
        "SELECT lo_from_bytea(100, ''); SELECT lo_from_bytea(101, '\\x00ff');
         SELECT lo_from_bytea(102, decode(repeat('ab', 65536), 'hex')); SELECT lo_from_bytea(103, decode(repeat('cd', 300000), 'hex'))",
    );
    let options = SnapshotOptions {
        segment_bytes: 100_000,
        ..small()
    };
    let snapshot = Snapshot::open(&connect(server, &database), &options).unwrap();
    assert_eq!(snapshot.large_objects(), [100, 101, 102, 103]);
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for piece in snapshot.large_object_pieces() {
        let piece = piece.unwrap();
        let size = sizes.entry(piece.oid).or_default();
        assert_eq!(piece.offset, *size as u64);
        *size += piece.data.len();
    }
    assert_eq!(
        sizes.into_iter().collect::<Vec<_>>(),
        [(100, 0), (101, 2), (102, 65536), (103, 300_000)]
    );
    assert_eq!(snapshot.segments().count(), 0);
    let stats = snapshot.finish().unwrap();
    assert_eq!(
        (stats.large_objects.count, stats.large_objects.bytes),
        (4, 365_538)
    );
}

#[test]
fn a_dump_that_was_not_read_to_its_end_is_no_dump() {
    let server = Server::shared();
    let database = server.create_db("unread");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT generate_series(1, 100000)",
    );
    let snapshot = Snapshot::open(&connect(server, &database), &small()).unwrap();
    assert!(snapshot.segments().next().unwrap().is_ok());
    assert!(matches!(snapshot.finish(), Err(DumpError::Incomplete)));
}

#[test]
fn whoever_holds_a_table_is_named() {
    let server = Server::shared();
    let database = server.create_db("locked");
    server.psql(
        &database,
        "CREATE TABLE free (a int); CREATE TABLE \"Held\" (a int)",
    );
    let mut holder = backup_db::Session::connect(&connect(server, &database)).unwrap();
    holder
        .batch("SET application_name = 'migration'; BEGIN; LOCK TABLE \"Held\"")
        .unwrap();
    let error = Snapshot::open(&connect(server, &database), &small())
        .err()
        .unwrap();
    let DumpError::LockTimeout { table, blocker } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(table, "\"public\".\"Held\"");
    assert_eq!(blocker.as_ref().unwrap().application, "migration");
    assert!(error.to_string().contains("LOCK TABLE \"Held\""), "{error}");
    holder.batch("ROLLBACK").unwrap();
    Snapshot::open(&connect(server, &database), &small()).unwrap();
}

#[test]
fn a_dump_makes_room_for_migrations() {
    let server = Server::shared();
    let database = server.create_db("room");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT i, repeat('x', 1000) FROM generate_series(1, 1000) i",
    );
    let options = SnapshotOptions {
        patience: Some(Duration::from_millis(500)),
        ..small()
    };
    let snapshot = Snapshot::open(&connect(server, &database), &options).unwrap();
    let mut segments = snapshot.segments();
    assert!(segments.next().unwrap().is_ok());
    let started = Instant::now();
    server.psql(&database, "ALTER TABLE t ADD COLUMN more int");
    assert!(started.elapsed() < Duration::from_secs(10));
    let error = segments.find_map(Result::err).unwrap();
    assert!(
        matches!(&error, DumpError::MadeRoom { table, .. } if table == "\"public\".\"t\""),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert!(snapshot.finish().is_err());
}

#[test]
fn row_security_never_hides_rows_silently() {
    let server = Server::shared();
    let database = server.create_db("rls");
    let role = server.unique_name("reader");
    server.psql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a = 1); GRANT SELECT ON t TO {role}"
        ),
    );
    let options = ConnectOptions::from_url(&server.url_as(&role, &database)).unwrap();
    let snapshot = Snapshot::open(&options, &small()).unwrap();
    let error = snapshot.segments().find_map(Result::err).unwrap();
    assert!(
        matches!(&error, DumpError::RowSecurity { table, .. } if table == "\"public\".\"t\""),
        "{error:?}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn tables_that_may_not_be_read_are_named() {
    let server = Server::shared();
    let database = server.create_db("denied");
    let role = server.unique_name("nobody");
    server.psql(
        &database,
        &format!("CREATE ROLE {role} LOGIN; CREATE TABLE secret (a int)"),
    );
    let options = ConnectOptions::from_url(&server.url_as(&role, &database)).unwrap();
    let error = Snapshot::open(&options, &small()).err().unwrap();
    assert!(matches!(error, DumpError::Permission { .. }), "{error:?}");
    assert!(error.to_string().contains("secret"), "{error}");
}

#[test]
fn timeouts_of_the_role_do_not_apply() {
    let server = Server::shared();
    let database = server.create_db("timeouts");
    let role = server.unique_name("hasty");
    server.psql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET statement_timeout = '200ms'; ALTER ROLE {role} SET idle_in_transaction_session_timeout = '200ms';
             CREATE VIEW v AS SELECT 1; CREATE TABLE t AS SELECT i FROM generate_series(1, 200000) i; GRANT SELECT ON t TO {role}"
        ),
    );
    let options = ConnectOptions::from_url(&server.url_as(&role, &database)).unwrap();
    let snapshot = Snapshot::open(&options, &small()).unwrap();
    let mut rows = 0;
    for segment in snapshot.segments().map(Result::unwrap) {
        if rows == 0 {
            std::thread::sleep(Duration::from_secs(1));
        }
        rows += segment.rows;
    }
    assert_eq!(rows, 200_000);
    assert!(snapshot.finish().is_ok());
}

#[test]
fn cancelling() {
    let server = Server::shared();
    let database = server.create_db("cancelled");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i",
    );
    let options = SnapshotOptions {
        cancel: CancelToken::new(),
        ..small()
    };
    let snapshot = Snapshot::open(&connect(server, &database), &options).unwrap();
    let mut segments = snapshot.segments();
    assert!(segments.next().unwrap().is_ok());
    options.cancel.cancel();
    let error = segments.find_map(Result::err).unwrap();
    assert!(matches!(error, DumpError::Cancelled), "{error:?}");
}

#[test]
fn a_server_that_dies_is_an_error() {
    let server = Server::start();
    let database = server.create_db("dying");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT i, repeat('x', 1000) FROM generate_series(1, 100000) i",
    );
    let snapshot = Snapshot::open(&connect(&server, &database), &small()).unwrap();
    let mut segments = snapshot.segments();
    assert!(segments.next().unwrap().is_ok());
    server.stop(Stop::Immediate);
    let error = segments.find_map(Result::err).unwrap();
    assert!(matches!(error, DumpError::ServerLost(_)), "{error:?}");
    drop(segments);
    assert!(matches!(snapshot.finish(), Err(DumpError::Incomplete)));
}

#[test]
fn a_hot_standby() {
    let server = Server::start();
    let database = server.create_db("followed");
    server.psql(
        &database,
        "CREATE TABLE t AS SELECT i, repeat('x', 500) FROM generate_series(1, 2000) i; CREATE UNLOGGED TABLE fleeting AS SELECT 1 AS a; SELECT lo_from_bytea(1, '\\x01')",
    );
    let standby = server.standby();
    let snapshot = Snapshot::open(&connect(&standby, &database), &small()).unwrap();
    assert!(snapshot.server().in_recovery);
    assert!(
        snapshot
            .warnings()
            .iter()
            .any(|warning| warning.contains("fleeting")),
        "{:?}",
        snapshot.warnings()
    );
    let (rows, stats) = read_all(snapshot);
    assert_eq!(rows["t"].len(), 2000);
    assert_eq!(stats.large_objects.count, 1);
}
