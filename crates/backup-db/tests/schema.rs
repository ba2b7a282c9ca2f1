//! What a schema's script promises besides restoring: a guard, records that fit the text, an order that stays.

use backup_db::{
    ConnectOptions, MemoryDump, ObjectKind, READ_SETTINGS, Record, RestoreOptions, Schema,
    SchemaError, Script, ScriptError, Section, Session, Snapshot, SnapshotOptions, restore_fresh,
};
use testkit::Server;

fn read_as(server: &Server, user: &str, database: &str) -> Result<Script, SchemaError> {
    let options = ConnectOptions::from_url(&server.url_as(user, database)).unwrap();
    let mut session = Session::connect(&options).unwrap();
    session
        .batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .unwrap();
    session.batch(READ_SETTINGS).unwrap();
    Schema::read(&mut session).map(|schema| schema.script)
}

fn restore(server: &Server, source: &str, target: &str) {
    let connect = |database| ConnectOptions::from_url(&server.url(database)).unwrap();
    let snapshot = Snapshot::open(&connect(source), &SnapshotOptions::default()).unwrap();
    let dump = MemoryDump::take(snapshot).unwrap();
    restore_fresh(&connect(target), &dump, &RestoreOptions::default(), &()).unwrap();
}

fn read(server: &Server, database: &str) -> Script {
    read_as(server, "postgres", database).unwrap()
}

fn not_covered(outcome: Result<Script, SchemaError>) -> Vec<String> {
    match outcome {
        Err(SchemaError::NotCovered { objects }) => objects,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn find<'a>(script: &'a Script, kind: ObjectKind, name: &str) -> (usize, &'a Record) {
    script
        .records()
        .iter()
        .enumerate()
        .find(|(_, record)| record.kind == kind && record.name == name)
        .unwrap_or_else(|| panic!("no {} {name}", kind.label()))
}

#[test]
fn an_object_that_no_query_finds_is_named() {
    let server = Server::shared();
    let database = server.create_db("uncovered");
    // Whatever a superuser puts among the system's own objects is in none of the user's schemas.
    server.psql(
        &database,
        "SET allow_system_table_mods = on;
         CREATE FUNCTION pg_catalog.smuggled(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE TABLE information_schema.hidden (a integer)",
    );
    let objects = not_covered(read_as(server, "postgres", &database));
    assert!(
        objects
            .iter()
            .any(|object| object.contains("smuggled(integer)")),
        "{objects:?}"
    );
    assert!(
        objects
            .iter()
            .any(|object| object.contains("information_schema.hidden")),
        "{objects:?}"
    );
}

#[test]
fn what_the_role_may_not_read_is_named() {
    let server = Server::shared();
    let database = server.create_db("unreadable");
    let role = server.unique_name("reader");
    server.psql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN;
             CREATE FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN DATA WRAPPER w TO {role}; CREATE SERVER secret_server FOREIGN DATA WRAPPER w; ALTER SERVER secret_server OWNER TO {role};
             CREATE USER MAPPING FOR PUBLIC SERVER secret_server OPTIONS (password 'x'); CREATE USER MAPPING FOR {role} SERVER secret_server;
             CREATE USER MAPPING FOR postgres SERVER secret_server OPTIONS (password 'x')"
        ),
    );
    let objects = not_covered(read_as(server, &role, &database));
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert!(objects[0].contains("secret_server"), "{objects:?}");
    server.psql(
        &database,
        "DROP USER MAPPING FOR postgres SERVER secret_server",
    );
    assert!(read_as(server, &role, &database).is_ok());
    server.psql(
        &database,
        "CREATE SUBSCRIPTION quiet CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    );
    let objects = not_covered(read_as(server, &role, &database));
    assert!(objects[0].contains("quiet"), "{objects:?}");
}

#[test]
fn an_empty_database_has_nothing_to_make() {
    let server = Server::shared();
    let database = server.create_db("empty");
    assert_eq!(read(server, &database).records(), []);
}

#[test]
fn records_survive_storing_and_fit_the_text() {
    let server = Server::shared();
    let database = server.create_db("stored");
    let role = server.unique_name("Owner of \"it\"");
    let quoted = format!("\"{}\"", role.replace('"', "\"\""));
    server.psql(
        &database,
        &format!(
            "CREATE ROLE {quoted}; CREATE TABLE t (a integer PRIMARY KEY); ALTER TABLE t OWNER TO {quoted};
             GRANT SELECT ON t TO {quoted} WITH GRANT OPTION; CREATE POLICY p ON t TO {quoted}"
        ),
    );
    let script = read(server, &database);
    let stored = Script::from_parts(
        script.pre_data().to_owned(),
        script.post_data().to_owned(),
        &script.records_to_jsonl(),
    )
    .unwrap();
    assert_eq!(stored, script);
    for kind in [ObjectKind::Owner, ObjectKind::Policy] {
        let record = script.records().iter().find(|record| record.kind == kind);
        let record = record.unwrap();
        assert_eq!(script.roles(record), [role.as_str()]);
        let renamed = script.sql_with_roles(record, |_| "New \"one\"".to_owned());
        assert!(renamed.contains("TO \"New \"\"one\"\"\""), "{renamed}");
        assert!(!renamed.contains(&quoted), "{renamed}");
    }
    let (table, _) = find(&script, ObjectKind::Table, "t");
    let (_, owner) = find(&script, ObjectKind::Owner, "t");
    assert_eq!(owner.parent, Some(table as u32));
    let (_, key) = find(&script, ObjectKind::KeyConstraint, "t_pkey");
    assert_eq!(key.section, Section::PostData);
    assert!(key.dependencies.contains(&(table as u32)));
}

#[test]
fn a_record_that_points_outside_the_text_is_refused() {
    let server = Server::shared();
    let database = server.create_db("outside");
    server.psql(&database, "CREATE TABLE t (a integer)");
    let script = read(server, &database);
    let jsonl = script.records_to_jsonl();
    let refused = |pre_data: &str, jsonl: &str| {
        Script::from_parts(pre_data.to_owned(), script.post_data().to_owned(), jsonl).unwrap_err()
    };
    let cut = &script.pre_data()[..script.pre_data().len() - 20];
    assert!(matches!(
        refused(cut, &jsonl),
        ScriptError::OutOfRange { .. }
    ));
    let far = jsonl.replace("\"dependencies\":[0]", "\"dependencies\":[77]");
    assert_ne!(far, jsonl);
    assert!(matches!(
        refused(script.pre_data(), &far),
        ScriptError::OutOfRange { .. }
    ));
    assert!(matches!(
        refused(script.pre_data(), "{}\n"),
        ScriptError::Line { line: 1, .. }
    ));
}

/// The order does not depend on when objects were made.
#[test]
fn equal_databases_give_equal_scripts() {
    let server = Server::shared();
    let (one, other) = (server.create_db("order"), server.create_db("order"));
    server.psql(
        &one,
        "CREATE SCHEMA s; CREATE TABLE s.b (x integer, y integer); CREATE TABLE s.a (x integer);
         CREATE INDEX i ON s.b (x); CREATE INDEX h ON s.a (x); CREATE TYPE s.t AS ENUM ('x'); CREATE FUNCTION s.f() RETURNS s.t LANGUAGE sql AS 'SELECT NULL::s.t'",
    );
    server.psql(
        &other,
        "CREATE SCHEMA s; CREATE TYPE s.t AS ENUM ('x'); CREATE FUNCTION s.f() RETURNS s.t LANGUAGE sql AS 'SELECT NULL::s.t';
         CREATE TABLE s.a (x integer); CREATE INDEX h ON s.a (x); CREATE TABLE s.b (x integer, y integer); CREATE INDEX i ON s.b (x)",
    );
    assert_eq!(read(server, &one), read(server, &other));
}

/// Both texts are complete scripts: psql loads them, the rows in between.
#[test]
fn psql_loads_the_texts() {
    let server = Server::shared();
    let (source, target) = (server.create_db("by_psql"), server.create_db("by_psql"));
    server.psql(
        &source,
        "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);
         CREATE VIEW v AS SELECT id, name, count(*) FROM t GROUP BY id; CREATE MATERIALIZED VIEW m AS SELECT * FROM v",
    );
    let script = read(server, &source);
    server.psql(&target, script.pre_data());
    server.psql(&target, script.post_data());
    testkit::dump::assert_same_dump(&server.pg_dump(&source, &[]), &server.pg_dump(&target, &[]));
}

/// A tablespace is selected outside the record's own SQL: whoever runs records singly decides whether to keep it.
#[test]
fn tablespaces_stand_beside_the_records() {
    let server = Server::shared();
    let (source, target) = (server.create_db("space"), server.create_db("space"));
    if server.psql(&source, "SHOW server_version_num").as_str() < "150000" {
        eprintln!("skipped: tablespaces in place come with 15");
        return;
    }
    server.psql(
        &source,
        "SET allow_in_place_tablespaces = on; CREATE TABLESPACE \"Other Space\" LOCATION ''",
    );
    server.psql(
        &source,
        "CREATE TABLE t (id integer PRIMARY KEY USING INDEX TABLESPACE \"Other Space\", a integer) TABLESPACE \"Other Space\";
         CREATE INDEX i ON t (a) TABLESPACE \"Other Space\" WHERE a > 0; CREATE TABLE not_there (a integer);
         CREATE MATERIALIZED VIEW m TABLESPACE \"Other Space\" AS SELECT 1 AS x;
         CREATE TABLE p (a integer) PARTITION BY LIST (a) TABLESPACE \"Other Space\"",
    );
    let script = read(server, &source);
    for (kind, name) in [
        (ObjectKind::Table, "t"),
        (ObjectKind::KeyConstraint, "t_pkey"),
        (ObjectKind::Index, "i"),
        (ObjectKind::MaterializedView, "m"),
        (ObjectKind::Table, "p"),
    ] {
        let (_, record) = find(&script, kind, name);
        assert_eq!(record.tablespace.as_deref(), Some("Other Space"), "{name}");
        assert!(!script.sql(record).contains("Other Space"));
    }
    assert_eq!(
        find(&script, ObjectKind::Table, "not_there").1.tablespace,
        None
    );
    let restored = server.create_db("space");
    restore(server, &source, &restored);
    testkit::dump::assert_same_dump(
        &server.pg_dump(&source, &[]),
        &server.pg_dump(&restored, &[]),
    );
    server.psql(&target, script.pre_data());
    server.psql(&target, script.post_data());
    testkit::dump::assert_same_dump(&server.pg_dump(&source, &[]), &server.pg_dump(&target, &[]));
}

/// Functions may rely on the application's search path; an index on one must come back all the same.
#[test]
fn functions_that_name_no_schema_do_not_stop_a_restore() {
    let server = Server::shared();
    let (source, target) = (server.create_db("path"), server.create_db("path"));
    server.psql(
        &source,
        "CREATE SCHEMA app;
         CREATE FUNCTION app.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
         CREATE FUNCTION public.folded(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain($1); END';
         CREATE TABLE app.documents (title text); INSERT INTO app.documents VALUES ('A'), ('B');
         SET search_path = public, app; CREATE INDEX by_title ON app.documents (public.folded(title));
         CREATE MATERIALIZED VIEW app.titles AS SELECT public.folded(title) FROM app.documents",
    );
    restore(server, &source, &target);
    testkit::dump::assert_same_dump(&server.pg_dump(&source, &[]), &server.pg_dump(&target, &[]));
}

#[test]
fn objects_that_cannot_be_ordered_are_named() {
    let server = Server::shared();
    let database = server.create_db("circular");
    // A generated column cannot be added to its table later, and the function needs the table's rows.
    server.psql(
        &database,
        "CREATE TABLE ring (a integer, b integer);
         CREATE FUNCTION of_row(ring) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         ALTER TABLE ring DROP COLUMN b;
         ALTER TABLE ring ADD COLUMN b integer GENERATED ALWAYS AS (of_row(NULL::ring)) STORED",
    );
    match read_as(server, "postgres", &database) {
        Err(SchemaError::Circular { objects }) => {
            assert!(objects.iter().any(|object| object.contains("ring")));
            assert!(objects.iter().any(|object| object.contains("of_row")));
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}
