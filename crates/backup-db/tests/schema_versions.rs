//! Every case on servers of other versions, to the same, the next and the newest one. `make test-oracle` runs this.
//!
//! `TEST_PG_BIN_<major>` names the folder of a server's programs, `TEST_PG_CLIENTS` that of a `psql` and `pg_dump` that know all of them.

mod schema_case;

use std::collections::BTreeSet;

use backup_db::{NEWEST_MAJOR, OLDEST_MAJOR};
use schema_case::{Case, round_trip};
use testkit::Server;

#[test]
fn every_case_from_every_version() {
    let servers: Vec<Server> = (OLDEST_MAJOR..=NEWEST_MAJOR)
        .map(|major| {
            Server::of_major(major).unwrap_or_else(|| panic!("no server of version {major}"))
        })
        .collect();
    let last = servers.len() - 1;
    let mut failed = Vec::new();
    for (index, server) in servers.iter().enumerate() {
        for name in Case::names() {
            let case = Case::load(&name);
            if !case.suits(server) {
                continue;
            }
            let targets = BTreeSet::from([index, (index + 1).min(last), last]);
            for target in targets.into_iter().map(|target| &servers[target]) {
                let attempt = std::panic::AssertUnwindSafe(|| round_trip(&case, server, target));
                if std::panic::catch_unwind(attempt).is_err() {
                    let major = schema_case::major;
                    failed.push(format!(
                        "{name} from {} to {}",
                        major(server),
                        major(target)
                    ));
                }
            }
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}
