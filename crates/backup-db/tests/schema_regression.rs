//! PostgreSQL's own regression database, dumped and restored. `make test-oracle` runs this.
//!
//! `TEST_REGRESSION_URL` names it; the roles of its tests are in its server, so it is restored there. `TEST_PG_CLIENTS` may name the folder of
//! `pg_dump`.

use backup_db::{
    ConnectOptions, DatabaseContents, MemoryDump, RestoreOptions, SchemaComparison, Session,
    Snapshot, SnapshotOptions, restore_fresh,
};
use testkit::dump::assert_same_dump;

#[test]
fn the_regression_database_survives() {
    let url = std::env::var("TEST_REGRESSION_URL").expect("TEST_REGRESSION_URL");
    let source = ConnectOptions::from_url(&url).unwrap();
    let database = format!("regression_restored_{}", std::process::id());
    let mut session = Session::connect(&source).unwrap();
    session
        .batch(&format!("CREATE DATABASE {database} TEMPLATE template0"))
        .unwrap();
    let restored_url = in_database(&url, &database);

    let snapshot = Snapshot::open(&source, &SnapshotOptions::default()).unwrap();
    let dump = MemoryDump::take(snapshot).unwrap();
    let options = RestoreOptions {
        verify: true,
        ..RestoreOptions::default()
    };
    let target = ConnectOptions::from_url(&restored_url).unwrap();
    restore_fresh(&target, &dump, &options, &()).unwrap();
    let restored = DatabaseContents::read(&target, &SnapshotOptions::default(), &|_| {}).unwrap();
    let differences =
        DatabaseContents::of_dump(&dump).differences(&restored, SchemaComparison::default());
    assert!(differences.is_empty(), "{differences:#?}");
    assert_same_dump(&pg_dump(&url), &pg_dump(&restored_url));

    let mut restored = Session::connect(&target).unwrap();
    drop_subscriptions(&mut restored);
    drop(restored);
    session
        .batch(&format!("DROP DATABASE {database} WITH (FORCE)"))
        .unwrap();
}

/// The URL with another database.
fn in_database(url: &str, database: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = path.rsplit_once('/').expect("a path");
    format!("{server}/{database}?{query}")
}

fn pg_dump(url: &str) -> String {
    testkit::dump::print(&mut testkit::client::given("pg_dump"), url, &[])
}

/// They keep their database from being dropped.
fn drop_subscriptions(session: &mut Session) {
    let names = session
        .query_text("SELECT quote_ident(subname) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .unwrap();
    for name in names.into_iter().flatten().flatten() {
        for action in ["DISABLE", "SET (slot_name = NONE)"] {
            session
                .batch(&format!("ALTER SUBSCRIPTION {name} {action}"))
                .unwrap();
        }
        session.batch(&format!("DROP SUBSCRIPTION {name}")).unwrap();
    }
}
