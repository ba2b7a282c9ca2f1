//! What is known before a restore touches anything. Missing roles, owners, encodings and extensions are in `restore.rs`, beside what is done about
//! them.

use backup_db::{
    ConnectOptions, MemoryDump, Preflight, Problem, RestoreOptions, Session, TableName, preflight,
    preflight_replace, preflight_swap,
};
use testkit::{Server, ServerOptions};

mod support;

use support::{Broken, connect, connect_as, dump, options, sample};

/// A server with a dump of the sample's database and the target of a restore.
struct Scene {
    server: &'static Server,
    dump: MemoryDump,
    target: String,
}

impl Scene {
    fn with_target(name: &str) -> Self {
        let server = Server::shared();
        Self {
            server,
            dump: dump(&connect(server, &sample(server))),
            target: server.create_db(name),
        }
    }

    fn connect(&self) -> ConnectOptions {
        connect(self.server, &self.target)
    }

    fn look(&self, source: &Broken<'_>, options: &RestoreOptions) -> Preflight {
        preflight(&self.connect(), source, options).unwrap()
    }
}

#[test]
fn the_disk_of_the_server_has_room() {
    let scene = Scene::with_target("room");
    let as_it_is = Broken::claiming(&scene.dump, |_| {});
    let found = scene.look(&as_it_is, &options());
    assert_eq!(found.problems, []);
    assert!(found.bytes > 1_000_000, "{}", found.bytes);

    let huge = Broken::claiming(&scene.dump, |server| server.size_bytes = 1 << 60);
    let found = scene.look(&huge, &options());
    assert!(
        matches!(found.problems[..], [Problem::NoSpace { needed_bytes, free_bytes }] if needed_bytes == 1 << 60 && free_bytes > 0),
        "{:?}",
        found.problems
    );
    // Of a database that is huge, a table of a few rows still fits.
    let one = RestoreOptions {
        tables: vec![TableName {
            schema: "public".into(),
            name: "events_1".into(),
        }],
        ..options()
    };
    let large = Broken::claiming(&scene.dump, |server| server.size_bytes = 1 << 44);
    assert_eq!(scene.look(&large, &one).problems, []);
}

#[test]
fn servers_of_other_versions() {
    let scene = Scene::with_target("versions");
    let newer = Broken::claiming(&scene.dump, |server| server.version_num = 990_000);
    let found = scene.look(&newer, &options());
    assert!(
        matches!(
            found.problems[..],
            [Problem::OlderServer {
                source_major: 99,
                ..
            }]
        ),
        "{:?}",
        found.problems
    );
    let forced = RestoreOptions {
        any_version: true,
        ..options()
    };
    let found = scene.look(&newer, &forced);
    assert_eq!(found.problems, []);
    assert!(
        found
            .warnings
            .iter()
            .any(|text| text.contains("PostgreSQL 99"))
    );
}

#[test]
fn collations_that_differ_are_told() {
    let scene = Scene::with_target("sorting");
    let warned = |change: &dyn Fn(&mut backup_db::ServerInfo), word: &str| {
        let found = scene.look(&Broken::claiming(&scene.dump, change), &options());
        assert_eq!(found.problems, []);
        assert!(
            found.warnings.iter().any(|text| text.contains(word)),
            "{word}: {:?}",
            found.warnings
        );
    };
    warned(
        &|server| server.collate = "de_DE.UTF-8".into(),
        "de_DE.UTF-8",
    );
    warned(&|server| server.ctype = "tr_TR.UTF-8".into(), "sorts by");
    let icu = Server::with(ServerOptions::default());
    if icu
        .try_psql("postgres", "CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'")
        .is_err()
    {
        testkit::user::skipped("versions of collations", "this server has no ICU");
        return;
    }
    let dump = dump(&connect(&icu, "icu"));
    let older = Broken::claiming(&dump, |server| {
        server.collation_version = Some("1.0".into())
    });
    let found = preflight(&connect(&icu, "icu"), &older, &options()).unwrap();
    assert!(
        found
            .warnings
            .iter()
            .any(|text| text.contains("the backup's was 1.0")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn tablespaces_that_are_not_there_are_told() {
    let server = Server::start();
    let folder = server.socket_dir().join("space");
    let made = server.run_as("mkdir").arg(&folder).status().unwrap();
    assert!(made.success());
    server.psql(
        "postgres",
        &format!("CREATE TABLESPACE fast LOCATION '{}'", folder.display()),
    );
    let source = server.create_db("spaced");
    server.psql(
        &source,
        "CREATE TABLE t (a int) TABLESPACE fast; INSERT INTO t VALUES (1)",
    );
    let dump = dump(&connect(&server, &source));
    server.psql("postgres", &format!("DROP DATABASE {source}"));
    server.psql("postgres", "DROP TABLESPACE fast");
    let target = connect(&server, &server.unique_name("plain"));
    let found = preflight(&target, &dump, &options()).unwrap();
    assert!(
        matches!(&found.warnings[..], [text] if text.contains("\"fast\"")),
        "{:?}",
        found.warnings
    );
    backup_db::restore_fresh(&target, &dump, &options(), &()).unwrap();
}

#[test]
fn sessions_and_whoever_may_end_them() {
    let scene = Scene::with_target("used");
    let (owner, other) = (
        scene.server.unique_name("owner"),
        scene.server.unique_name("other"),
    );
    scene.server.psql(
        "postgres",
        &format!(
            "CREATE ROLE {owner} LOGIN CREATEDB; CREATE ROLE {other} LOGIN; ALTER DATABASE {} OWNER TO {owner}",
            scene.target
        ),
    );
    let quiet = preflight_swap(&scene.connect(), &scene.dump, &options(), "q").unwrap();
    assert_eq!(quiet.warnings, Vec::<String>::new());
    let _guest = Session::connect(&connect_as(scene.server, &other, &scene.target)).unwrap();
    let bare = RestoreOptions {
        owners: false,
        privileges: false,
        ..options()
    };
    let as_owner = connect_as(scene.server, &owner, &scene.target);
    let swap = preflight_swap(&as_owner, &scene.dump, &bare, "q").unwrap();
    let text = swap.warnings.join("\n");
    assert!(text.contains(&format!("1 of \"{other}\"")), "{text}");
    assert!(text.contains("are ended"), "{text}");
    assert!(
        text.contains(&format!("cannot end sessions of {other}")),
        "{text}"
    );
    let replace = preflight_replace(&as_owner, &scene.dump, &bare).unwrap();
    let text = replace.warnings.join("\n");
    assert!(
        text.contains("have to wait") && !text.contains("cannot end"),
        "{text}"
    );
}

#[test]
fn what_keeps_a_database_from_being_exchanged() {
    let server = Server::with(ServerOptions {
        settings: vec![
            "max_prepared_transactions = 2".into(),
            "wal_level = logical".into(),
        ],
        ..ServerOptions::default()
    });
    let dump = dump(&connect(&server, &sample(&server)));
    let live = server.create_db("live");
    // In this order: making a slot waits for whoever has not ended.
    for sql in [
        "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')",
        "BEGIN; CREATE TABLE t (a int); PREPARE TRANSACTION 'pending'",
    ] {
        server.psql(&live, sql);
    }
    let target = connect(&server, &live);
    let found = preflight_swap(&target, &dump, &options(), "q").unwrap();
    assert_eq!(
        found.problems,
        [Problem::PreparedTransactions {
            database: live.clone(),
            transactions: vec!["pending".into()],
        }]
    );
    assert!(
        found.problems[0]
            .hint()
            .unwrap()
            .contains("ROLLBACK PREPARED")
    );
    assert!(
        found.warnings.iter().any(|text| text.contains("feed")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn privileges_that_are_missing() {
    let scene = Scene::with_target("closed");
    let role = scene.server.unique_name("visitor");
    scene
        .server
        .psql("postgres", &format!("CREATE ROLE {role} LOGIN"));
    let bare = RestoreOptions {
        owners: false,
        privileges: false,
        ..options()
    };
    let visitor = connect_as(scene.server, &role, &scene.target);
    let found = preflight(&visitor, &scene.dump, &bare).unwrap();
    assert_eq!(
        found.problems,
        [Problem::CannotCreateObjects {
            database: scene.target.clone(),
            role: role.clone(),
        }]
    );
    let found = preflight_swap(&visitor, &scene.dump, &bare, "q").unwrap();
    assert!(
        matches!(
            &found.problems[..],
            [
                Problem::CannotCreateDatabase { .. },
                Problem::NotDatabaseOwner { .. }
            ]
        ),
        "{:?}",
        found.problems
    );
    // Nothing that needs a superuser, and says so.
    scene
        .server
        .psql(&scene.target, "CREATE EXTENSION pg_stat_statements");
    let dump = dump(&scene.connect());
    let found = preflight(
        &connect_as(scene.server, &role, &scene.server.unique_name("none")),
        &dump,
        &bare,
    )
    .unwrap();
    assert!(
        found.problems.contains(&Problem::ExtensionNotTrusted {
            name: "pg_stat_statements".into()
        }),
        "{:?}",
        found.problems
    );
}
