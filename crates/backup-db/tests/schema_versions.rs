//! Every case on servers of other versions, to the same and to the newest one.
//!
//! `TEST_PG_BIN_<major>` names the folder of a server's programs, `TEST_PG_CLIENTS` that of a `psql` and `pg_dump` that know all of them.

mod schema_case;

use schema_case::{Case, round_trip};
use testkit::Server;

#[test]
#[ignore = "needs servers of several versions"]
fn every_case_from_every_version() {
    let servers: Vec<Server> = (14..=18).filter_map(Server::of_major).collect();
    let newest = servers.last().expect("at least one server");
    let mut failed = Vec::new();
    for (index, server) in servers.iter().enumerate() {
        for name in Case::names() {
            let case = Case::load(&name);
            if !case.suits(server) {
                continue;
            }
            let mut targets = vec![server];
            if index + 1 < servers.len() {
                targets.push(newest);
            }
            for target in targets {
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
