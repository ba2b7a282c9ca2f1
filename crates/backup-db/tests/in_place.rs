//! Tables, schemas and rows alone, into a database that is in use.

use backup_db::{
    MemoryDump, Parts, Problem, RestoreError, RestoreOptions, Session, Strategy, TableName,
    choose_strategy, preflight_replace, preflight_swap, restore_fresh, restore_replace,
};
use testkit::Server;
use testkit::dump::assert_same_dump;

mod support;

use support::{Broken, assert_equal, connect, connect_as, dump, options, sample};

/// A dump of the sample's database, and a copy of it in which things have happened.
struct Scene {
    server: &'static Server,
    dump: MemoryDump,
    source: String,
    live: String,
}

impl Scene {
    fn after(changes: &str) -> Self {
        let server = Server::shared();
        let source = sample(server);
        // Foreign keys and triggers of the sample, and an application's own.
        server.psql(
            &source,
            "CREATE TABLE app.versions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document int NOT NULL REFERENCES app.documents);
             COMMENT ON CONSTRAINT versions_document_fkey ON app.versions IS 'checked';
             INSERT INTO app.versions (document) SELECT 1 + i % 20000 FROM generate_series(1, 3000) i;
             ALTER TABLE app.documents ENABLE ALWAYS TRIGGER touch;
             UPDATE app.documents SET title = lower(title)",
        );
        let dump = dump(&connect(server, &source));
        let live = server.unique_name("used");
        restore_fresh(&connect(server, &live), &dump, &options(), &()).unwrap();
        server.psql(&live, changes);
        Self {
            server,
            dump,
            source,
            live,
        }
    }

    fn restore(&self, options: &RestoreOptions) -> Result<backup_db::RestoreStats, RestoreError> {
        restore_replace(&connect(self.server, &self.live), &self.dump, options, &())
    }

    fn dumped(&self) -> String {
        self.server.pg_dump(&self.live, &[])
    }

    fn is_as_the_source(&self) {
        assert_equal(self.server, &self.source, &self.live, &[]);
    }
}

fn table(schema: &str, name: &str) -> TableName {
    TableName {
        schema: schema.into(),
        name: name.into(),
    }
}

fn of_tables(names: &[&str]) -> RestoreOptions {
    RestoreOptions {
        tables: names.iter().map(|name| table("app", name)).collect(),
        ..options()
    }
}

fn rows_alone() -> RestoreOptions {
    RestoreOptions {
        parts: Parts::Data,
        ..options()
    }
}

#[test]
fn one_table_gets_its_rows_back_and_everything_else_stays() {
    let scene = Scene::after(
        "UPDATE app.documents SET title = 'gone'; DELETE FROM app.documents WHERE id > 20000; SELECT setval('app.documents_id_seq', 99999);
         CREATE TABLE mine AS SELECT 1 AS a",
    );
    let selected = of_tables(&["documents"]);
    assert_eq!(
        choose_strategy(&connect(scene.server, &scene.live), &scene.dump, &selected).unwrap(),
        Strategy::Replace
    );
    let stats = scene.restore(&selected).unwrap();
    assert!(stats.verified);
    assert_eq!((stats.tables, stats.rows), (1, 20_000));
    scene.server.psql(&scene.live, "DROP TABLE mine");
    // Foreign keys with their comments, triggers with their states, sequences: all of it.
    scene.is_as_the_source();
}

#[test]
fn a_table_that_was_dropped_comes_back_with_what_it_needs() {
    let scene = Scene::after("DROP TABLE app.versions; UPDATE app.users SET name = name || '!'");
    let stats = scene.restore(&of_tables(&["versions"])).unwrap();
    assert_eq!((stats.tables, stats.rows), (1, 3_000));
    assert_eq!(
        scene.server.psql(
            &scene.live,
            "INSERT INTO app.versions (document) VALUES (1) RETURNING id"
        ),
        "3001"
    );
    assert_eq!(
        scene.server.psql(
            &scene.live,
            "SELECT count(*) FROM app.users WHERE name LIKE '%!'"
        ),
        "5000"
    );
    let error = scene
        .server
        .try_psql(
            &scene.live,
            "INSERT INTO app.versions (document) VALUES (-1)",
        )
        .unwrap_err();
    assert!(error.contains("versions_document_fkey"), "{error}");
}

#[test]
fn rows_alone_replace_all_rows() {
    let scene = Scene::after(
        "DELETE FROM app.versions; UPDATE app.users SET boss = 1; DELETE FROM events; INSERT INTO app.documents (owner, size) VALUES (1, 5)",
    );
    let stats = scene.restore(&rows_alone()).unwrap();
    assert_eq!(stats.warnings, Vec::<String>::new());
    scene.is_as_the_source();
}

#[test]
fn a_schema_and_a_partitioned_table() {
    let scene =
        Scene::after("DROP SCHEMA app CASCADE; DELETE FROM events; CREATE TABLE mine (a int)");
    let schema = RestoreOptions {
        schemas: vec!["app".into()],
        ..options()
    };
    scene.restore(&schema).unwrap();
    let parted = RestoreOptions {
        tables: vec![table("public", "events")],
        ..options()
    };
    let stats = scene.restore(&parted).unwrap();
    assert_eq!((stats.tables, stats.rows), (1, 1));
    scene.server.psql(&scene.live, "DROP TABLE mine");
    scene.is_as_the_source();
    let unknown = RestoreOptions {
        schemas: vec!["nowhere".into()],
        ..options()
    };
    let error = scene.restore(&unknown).unwrap_err();
    assert!(
        matches!(error, RestoreError::NoSuchSchema { .. }),
        "{error:?}"
    );
}

#[test]
fn a_foreign_key_that_would_not_hold_takes_everything_back() {
    // Of the users that documents belong to, half are gone.
    let scene = Scene::after(
        "DELETE FROM app.versions; DELETE FROM app.documents; UPDATE app.users SET boss = NULL; DELETE FROM app.users WHERE id > 2500",
    );
    let before = scene.dumped();
    let error = scene.restore(&of_tables(&["documents"])).unwrap_err();
    let RestoreError::Object { kind, name, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*kind, "foreign key");
    assert!(name.contains("documents_owner_fkey"), "{name}");
    assert_same_dump(&before, &scene.dumped());
}

#[test]
fn any_failure_leaves_what_was_there() {
    let scene = Scene::after("UPDATE app.documents SET title = 'kept'");
    let before = scene.dumped();
    let unreadable = |_| Err("the disk is on fire".into());
    let broken = Broken::new(&scene.dump, 3, &unreadable);
    let target = connect(scene.server, &scene.live);
    restore_replace(&target, &broken, &of_tables(&["documents"]), &()).unwrap_err();
    assert_same_dump(&before, &scene.dumped());
}

#[test]
fn readers_of_other_tables_do_not_wait() {
    let scene = Scene::after("UPDATE app.documents SET title = 'old'");
    let mut reader = Session::connect(&connect(scene.server, &scene.live)).unwrap();
    reader.batch("SET lock_timeout = '200ms'").unwrap();
    let read = std::sync::Mutex::new(reader);
    // While rows are loaded.
    let look = |data| {
        std::thread::scope(|scope| {
            let count = || {
                read.lock()
                    .unwrap()
                    .query_text("SELECT count(*) FROM events")
            };
            scope.spawn(count).join().unwrap().unwrap();
        });
        Ok(data)
    };
    let watched = Broken::new(&scene.dump, 1, &look);
    let target = connect(scene.server, &scene.live);
    restore_replace(&target, &watched, &of_tables(&["documents"]), &()).unwrap();
    scene.is_as_the_source();
}

#[test]
fn what_cannot_be_is_said_before_anything_is_touched() {
    let scene = Scene::after(
        "DROP TABLE app.versions; ALTER TABLE app.documents DROP COLUMN tags; CREATE ROLE someone_of_in_place; ALTER TABLE app.users OWNER TO someone_of_in_place",
    );
    let role = scene.server.unique_name("stranger");
    scene.server.psql(
        &scene.live,
        &format!(
            "CREATE ROLE {role} LOGIN; GRANT ALL ON DATABASE {} TO {role}",
            scene.live
        ),
    );
    let target = connect(scene.server, &scene.live);
    let problems = |options: &RestoreOptions| {
        preflight_replace(&target, &scene.dump, options)
            .unwrap()
            .problems
    };
    assert_eq!(
        problems(&rows_alone()),
        [
            Problem::ColumnsMissing {
                table: "\"app\".\"documents\"".into(),
                columns: vec!["tags".into()],
            },
            Problem::TablesMissing {
                tables: vec!["\"app\".\"versions\"".into()],
            }
        ]
    );
    let as_stranger = connect_as(scene.server, &role, &scene.live);
    let found = preflight_replace(&as_stranger, &scene.dump, &of_tables(&["users"])).unwrap();
    assert!(
        found.problems.iter().any(
            |problem| matches!(problem, Problem::NotObjectOwner { objects, .. } if objects.iter().any(|object| object == "table app.users"))
        ),
        "{:?}",
        found.problems
    );
    let part = preflight_swap(&target, &scene.dump, &of_tables(&["users"]), "q").unwrap();
    assert_eq!(part.problems, [Problem::PartInsteadOfWhole]);
    let schema_alone = RestoreOptions {
        parts: Parts::Schema,
        ..options()
    };
    assert!(problems(&schema_alone).contains(&Problem::PartInsteadOfWhole));
    assert_eq!(
        choose_strategy(&target, &scene.dump, &schema_alone).unwrap(),
        Strategy::Fresh
    );
    scene.server.psql(
        &scene.live,
        "ALTER TABLE app.users OWNER TO postgres; DROP ROLE someone_of_in_place",
    );
}

#[test]
fn the_schema_alone_and_then_its_rows() {
    let scene = Scene::after("");
    let schema_alone = RestoreOptions {
        parts: Parts::Schema,
        ..options()
    };
    let bare = connect(scene.server, &scene.server.unique_name("bare"));
    let stats = restore_fresh(&bare, &scene.dump, &schema_alone, &()).unwrap();
    assert_eq!((stats.tables, stats.rows), (0, 0));
    assert_equal(
        scene.server,
        &scene.source,
        bare.database(),
        &["--schema-only", "--no-comments"],
    );
    assert_eq!(
        scene
            .server
            .psql(bare.database(), "SELECT count(*) FROM app.documents"),
        "0"
    );
    let alone = restore_fresh(
        &connect(scene.server, &scene.server.unique_name("rows")),
        &scene.dump,
        &rows_alone(),
        &(),
    );
    assert!(
        matches!(&alone, Err(RestoreError::Preflight { problems }) if problems[..] == [Problem::RowsAlone]),
        "{alone:?}"
    );
    restore_replace(&bare, &scene.dump, &rows_alone(), &()).unwrap();
    assert_equal(
        scene.server,
        &scene.source,
        bare.database(),
        &["--no-blobs", "--no-comments"],
    );
}
