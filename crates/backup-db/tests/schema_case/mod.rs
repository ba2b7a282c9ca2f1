//! One case: a script that makes a database, and the round trip that it must survive.

use std::fs;
use std::path::PathBuf;

use backup_db::{
    ConnectOptions, DatabaseContents, MemoryDump, RestoreOptions, SchemaComparison, Snapshot,
    SnapshotOptions, restore_fresh,
};
use testkit::Server;
use testkit::dump::assert_same_dump;

/// A folder of `cases/`.
pub(crate) struct Case {
    name: String,
    setup: String,
}

impl Case {
    /// The names of all cases, sorted.
    pub(crate) fn names() -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn load(name: &str) -> Self {
        let setup = fs::read_to_string(folder().join(name).join("setup.sql")).unwrap();
        Self {
            name: name.to_owned(),
            setup,
        }
    }

    /// Whether the server knows what the case uses.
    pub(crate) fn suits(&self, server: &Server) -> bool {
        let oldest = self.setup.lines().find_map(|line| {
            line.strip_prefix("-- minimum version: ")?
                .parse::<u32>()
                .ok()
        });
        oldest.is_none_or(|oldest| major(server) >= oldest)
    }

    /// The roles that it uses, which are not part of a dump.
    fn roles(&self) -> impl Iterator<Item = &str> {
        self.setup
            .lines()
            .filter(|line| line.starts_with("DO $$ BEGIN CREATE ROLE "))
    }
}

/// The server's major version.
pub(crate) fn major(server: &Server) -> u32 {
    let number = server.psql("postgres", "SHOW server_version_num");
    number.trim().parse::<u32>().unwrap() / 10_000
}

/// Dumps the case's database, restores it, and compares rows and `pg_dump`'s view of both.
pub(crate) fn round_trip(case: &Case, from: &Server, to: &Server) {
    let source = from.create_db(&case.name);
    from.psql(&source, &case.setup);
    for role in case.roles() {
        to.psql("postgres", role);
    }
    let target = to.create_db(&format!("{}_restored", case.name));
    let snapshot = Snapshot::open(&connect(from, &source), &SnapshotOptions::default()).unwrap();
    let dump = MemoryDump::take(snapshot).unwrap();
    let options = RestoreOptions {
        verify: true,
        ..RestoreOptions::default()
    };
    restore_fresh(&connect(to, &target), &dump, &options, &()).unwrap();
    assert_same_dump(
        &expected(case, from, &source, to),
        &to.pg_dump_of(&to.url(&target), &[]),
    );
    assert_eq!(settings(from, &source), settings(to, &target));
    let restored =
        DatabaseContents::read(&connect(to, &target), &SnapshotOptions::default(), &|_| {})
            .unwrap();
    let differences =
        DatabaseContents::of_dump(&dump).differences(&restored, SchemaComparison::default());
    assert!(differences.is_empty(), "{differences:#?}");
}

/// What `pg_dump` should print of the restored database: the same as of the source, or, as servers of different versions word views and name
/// constraints differently, the same as of a copy that `pg_dump` and `psql` made on the target's server.
fn expected(case: &Case, from: &Server, source: &str, to: &Server) -> String {
    let dump = to.pg_dump_of(&from.url(source), &[]);
    if major(from) == major(to) {
        return dump;
    }
    let copy = to.create_db(&format!("{}_copy", case.name));
    match to.try_psql(&copy, &dump) {
        Ok(_) => to.pg_dump_of(&to.url(&copy), &[]),
        // It does not survive its own way: then ours must be the same as the source.
        Err(_) => dump,
    }
}

/// What `pg_dump` leaves to others: settings and comment of the database itself.
fn settings(server: &Server, database: &str) -> String {
    server.psql(
        database,
        "SELECT shobj_description(d.oid, 'pg_database'), d.datconnlimit, (SELECT string_agg(coalesce(r.rolname, '-') || s.setconfig::text, '; ' ORDER BY r.rolname)
           FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid)
           FROM pg_database d WHERE d.datname = current_database()",
    )
}

fn connect(server: &Server, database: &str) -> ConnectOptions {
    ConnectOptions::from_url(&server.url(database)).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}
