//! Every folder of `cases/` makes a database; its dump, restored, must look the same to `pg_dump`.

mod schema_case;

use schema_case::{Case, round_trip};
use testkit::Server;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        /// So that no folder is forgotten.
        #[test]
        fn every_case_is_listed() {
            let mut listed = vec![$(stringify!($name).to_owned()),*];
            listed.sort();
            assert_eq!(Case::names(), listed);
        }
    };
}

cases! {
    constraints, cycles, database, extensions, foreign_data, functions, indexes, inheritance, large_objects, names, partitions, privileges,
    replication, rls, sequences, tables, text_search, triggers, types, version_15, version_16, version_17, version_18, views,
}

fn check(name: &str) {
    let case = Case::load(name);
    let server = Server::shared();
    if !case.suits(server) {
        eprintln!("skipped: the server is older than case {name}");
        return;
    }
    round_trip(&case, server, server);
}
