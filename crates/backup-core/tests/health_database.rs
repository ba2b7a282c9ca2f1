//! The check DATABASE, against a real server.

use backup_core::health::database::{
    self, ChangedCollation, DatabaseFacts, DeadRows, Replica, ReplicationSlot,
};
use backup_core::health::security::DatabaseAccess;
use backup_core::health::{Finding, HealthStatus, Limit, Thresholds};
use backup_db::ConnectOptions;
use testkit::Server;

fn probe(url: &str) -> Result<DatabaseFacts, database::DatabaseProbeError> {
    database::probe(&ConnectOptions::from_url(url).unwrap())
}

fn severity(findings: &[Finding], code: &str) -> HealthStatus {
    findings
        .iter()
        .find(|finding| finding.code == code)
        .unwrap()
        .severity
}

#[test]
fn a_server_in_good_order_is_healthy() {
    let server = Server::shared();
    let database = server.create_db("health");
    let facts = probe(&server.url(&database)).unwrap();
    assert!(facts.version_num >= 140_000);
    assert!(facts.size_bytes > 1_000_000);
    assert!(facts.connections >= 1 && facts.connections < facts.max_connections);
    assert_eq!(facts.changed_collations, []);
    assert!(facts.access.local && facts.access.superuser);
    let mut thresholds = Thresholds::default();
    // Others use the server at the same time, and the machine may be slow.
    thresholds.database.latency_ms = Limit::new(60_000.0, 60_000.0);
    let findings = database::evaluate(&Ok(facts), &thresholds);
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity == HealthStatus::Healthy),
        "{findings:#?}"
    );
}

#[test]
fn trouble_is_found_and_named() {
    let server = Server::shared();
    let database = server.create_db("health");
    server.psql(
        &database,
        "create table rows (n int) with (autovacuum_enabled = off);
         insert into rows select generate_series(1, 2000);
         delete from rows where n > 500;",
    );
    server.psql(
        &database,
        "update pg_database set datcollversion = '1.0' where datname = current_database() and datcollversion is not null;",
    );
    let slot = server.unique_name("slot");
    server.psql(
        &database,
        &format!("select pg_create_physical_replication_slot('{slot}', true)"),
    );
    let mut facts = probe(&server.url(&database)).unwrap();
    // Statistics arrive a little later.
    for _ in 0..100 {
        if facts.dead_rows.iter().any(|table| table.dead == 1500) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        facts = probe(&server.url(&database)).unwrap();
    }
    server.psql(
        &database,
        &format!("select pg_drop_replication_slot('{slot}')"),
    );
    assert_eq!(facts.dead_rows[0].table, "public.rows");
    assert_eq!(
        (facts.dead_rows[0].live, facts.dead_rows[0].dead),
        (500, 1500)
    );
    let found = facts.slots.iter().find(|found| found.name == slot).unwrap();
    assert!(!found.active && found.held_back_bytes.is_some());
    let versioned = server.psql(
        &database,
        "select count(*) from pg_database where datcollversion = '1.0'",
    );
    assert_eq!(facts.changed_collations.is_empty(), versioned.trim() == "0");
    let mut thresholds = Thresholds::default();
    thresholds.database.dead_rows_ignored = 100;
    let findings = database::evaluate(&Ok(facts), &thresholds);
    let dead = findings
        .iter()
        .find(|finding| finding.code == "dead_rows")
        .unwrap();
    assert_eq!(dead.severity, HealthStatus::Critical);
    assert_eq!(dead.message, "1500 dead rows, 75 % of all, never vacuumed");
}

#[test]
fn a_role_without_rights_sees_enough() {
    let server = Server::shared();
    let database = server.create_db("health");
    let role = server.unique_name("plain");
    server.psql(&database, &format!("create role {role} login"));
    let facts = probe(&server.url_as(&role, &database)).unwrap();
    assert!(!facts.access.superuser);
    let findings = database::evaluate(&Ok(facts), &Thresholds::default());
    assert_eq!(
        severity(&findings, "database_unreachable"),
        HealthStatus::Healthy
    );
}

#[test]
fn a_server_that_is_gone_is_critical() {
    let error = probe("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2");
    let findings = database::evaluate(&error, &Thresholds::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, HealthStatus::Critical);
    assert!(
        findings[0]
            .message
            .starts_with("cannot connect to the database: "),
        "{}",
        findings[0].message
    );
    assert!(findings[0].advice.is_some());
}

#[test]
fn limits_are_applied() {
    let facts = DatabaseFacts {
        connect_ms: 1.0,
        latency_ms: 150.0,
        version_num: 180_000,
        size_bytes: 1 << 30,
        connections: 99,
        max_connections: 100,
        hidden_connections: 3,
        longest_transaction_seconds: None,
        oldest_age: 1_000_000_000.0,
        in_recovery: false,
        dead_rows: vec![DeadRows {
            table: "public.small".into(),
            live: 1,
            dead: 9_999,
            vacuum_age_seconds: None,
        }],
        replicas: vec![Replica {
            name: "standby".into(),
            state: "streaming".into(),
            behind_bytes: Some((1_u64 << 30) as f64),
        }],
        slots: vec![ReplicationSlot {
            name: "forgotten".into(),
            active: false,
            held_back_bytes: Some((9_u64 << 30) as f64),
        }],
        changed_collations: vec![ChangedCollation {
            name: "database edms".into(),
            built_with: "2.31".into(),
            now: Some("2.36".into()),
        }],
        access: DatabaseAccess {
            local: true,
            tls: false,
            superuser: false,
        },
    };
    let findings = database::evaluate(&Ok(facts), &Thresholds::default());
    for (code, status) in [
        ("database_latency", HealthStatus::Warning),
        ("database_connections", HealthStatus::Critical),
        ("longest_transaction", HealthStatus::Unknown),
        ("transaction_numbers_used", HealthStatus::Warning),
        ("replica_behind", HealthStatus::Warning),
        ("replication_slot_holds_back", HealthStatus::Critical),
        ("changed_collations", HealthStatus::Warning),
    ] {
        assert_eq!(severity(&findings, code), status, "{code}");
    }
    assert!(
        findings.iter().all(|finding| finding.code != "dead_rows"),
        "too few to matter"
    );
}
