//! DATABASE: the PostgreSQL server and the database.

mod probe;

pub use probe::{DatabaseProbeError, probe};

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};
use super::quantity;
use super::security::DatabaseAccess;
use super::thresholds::{DatabaseThresholds, Limit, Thresholds};

/// Transaction numbers there are before old ones must be frozen.
const TRANSACTION_NUMBERS: f64 = 2_147_483_648.0;

/// What is known of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseFacts {
    /// How long it took to connect, in milliseconds.
    pub connect_ms: f64,
    /// A round trip on the open connection, in milliseconds.
    pub latency_ms: f64,
    /// Version as a number: 150004.
    pub version_num: u32,
    /// Size of the database in bytes.
    pub size_bytes: u64,
    /// Connections of clients.
    pub connections: u64,
    /// Connections that are allowed.
    pub max_connections: u64,
    /// Connections of others that our role may not look into.
    pub hidden_connections: u64,
    /// Age of the longest open transaction, in seconds.
    pub longest_transaction_seconds: Option<f64>,
    /// Transactions (or members of shared locks) since the oldest row that is not frozen.
    pub oldest_age: f64,
    /// Whether this is a standby.
    pub in_recovery: bool,
    /// The tables with the most dead rows.
    pub dead_rows: Vec<DeadRows>,
    /// Replicas of this server.
    pub replicas: Vec<Replica>,
    /// Replication slots.
    pub slots: Vec<ReplicationSlot>,
    /// Collations whose rules changed, and how.
    pub changed_collations: Vec<ChangedCollation>,
    /// How it is reached; for the check SECURITY.
    pub access: DatabaseAccess,
}

/// Rows of a table that are dead.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadRows {
    /// `schema.table`.
    pub table: String,
    /// Rows that live.
    pub live: u64,
    /// Rows that are dead and take up room.
    pub dead: u64,
    /// Seconds since it was last vacuumed; `None`: never.
    pub vacuum_age_seconds: Option<f64>,
}

/// A replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica {
    /// Its name or address.
    pub name: String,
    /// `streaming`, `catchup`, …
    pub state: String,
    /// How much of the log it has not replayed.
    pub behind_bytes: Option<f64>,
}

/// A replication slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicationSlot {
    /// Its name.
    pub name: String,
    /// Whether somebody uses it.
    pub active: bool,
    /// How much of the log the server keeps for it.
    pub held_back_bytes: Option<f64>,
}

/// A collation whose rules changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCollation {
    /// `database NAME` or `collation SCHEMA.NAME`.
    pub name: String,
    /// The version that indexes were built with.
    pub built_with: String,
    /// The version that is there now.
    pub now: Option<String>,
}

/// Judges the database, or that there was no getting at it.
pub fn evaluate(
    facts: &Result<DatabaseFacts, DatabaseProbeError>,
    thresholds: &Thresholds,
) -> Vec<Finding> {
    let limits = &thresholds.database;
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => return vec![unreachable(error)],
    };
    let mut findings = vec![
        REACHABLE.healthy("the server answers".to_owned()).value(0.0),
        LATENCY
            .graded(
                facts.latency_ms,
                limits.latency_ms,
                format!("a round trip takes {:.1} ms", facts.latency_ms),
                "Look at the load of the server and at the network between.",
            )
            .value(facts.latency_ms / 1000.0),
        SIZE.healthy(format!("the database has {}", quantity::bytes(facts.size_bytes)))
            .value(facts.size_bytes as f64),
        connections(facts, limits),
        transaction(facts, limits),
        WRAPAROUND.graded(
            facts.oldest_age / TRANSACTION_NUMBERS,
            limits.wraparound_ratio,
            format!(
                "{} of the transaction numbers are in use",
                quantity::percent(facts.oldest_age / TRANSACTION_NUMBERS)
            ),
            "Autovacuum cannot freeze old rows: end old transactions, prepared ones and unused replication slots, then run VACUUM (FREEZE).",
        ),
    ];
    findings.extend(
        facts
            .dead_rows
            .iter()
            .filter_map(|table| dead_rows(table, limits)),
    );
    findings.extend(facts.replicas.iter().map(|replica| behind(replica, limits)));
    findings.extend(facts.slots.iter().map(|slot| held_back(slot, limits)));
    findings.push(collations(&facts.changed_collations));
    findings
}

const REACHABLE: Measure = Measure {
    check: Check::Database,
    code: "database_unreachable",
    unit: Unit::Flag,
    title: "Whether the database cannot be reached.",
};
const LATENCY: Measure = Measure {
    check: Check::Database,
    code: "database_latency",
    unit: Unit::Seconds,
    title: "A round trip to the database.",
};
const SIZE: Measure = Measure {
    check: Check::Database,
    code: "database_size",
    unit: Unit::Bytes,
    title: "Size of the database.",
};
const CONNECTIONS: Measure = Measure {
    check: Check::Database,
    code: "database_connections",
    unit: Unit::Ratio,
    title: "Connections in use, as part of those that are allowed.",
};
const TRANSACTION: Measure = Measure {
    check: Check::Database,
    code: "longest_transaction",
    unit: Unit::Seconds,
    title: "Age of the longest open transaction.",
};
const WRAPAROUND: Measure = Measure {
    check: Check::Database,
    code: "transaction_numbers_used",
    unit: Unit::Ratio,
    title: "Transaction numbers in use, as part of all; at 1 the server stops.",
};
const DEAD_ROWS: Measure = Measure {
    check: Check::Database,
    code: "dead_rows",
    unit: Unit::Ratio,
    title: "Dead rows, as part of all rows of a table.",
};
const REPLICA: Measure = Measure {
    check: Check::Database,
    code: "replica_behind",
    unit: Unit::Bytes,
    title: "How much of the log a replica has not replayed.",
};
const SLOT: Measure = Measure {
    check: Check::Database,
    code: "replication_slot_holds_back",
    unit: Unit::Bytes,
    title: "How much of the log is kept for a replication slot.",
};
const COLLATIONS: Measure = Measure {
    check: Check::Database,
    code: "changed_collations",
    unit: Unit::Count,
    title: "Collations whose rules changed under existing indexes.",
};

fn unreachable(error: &DatabaseProbeError) -> Finding {
    REACHABLE.flagged(
        HealthStatus::Critical,
        format!("{error}: {}", error.reason()),
        "Is the server running, and do host, name and password in the configuration fit?",
    )
}

fn connections(facts: &DatabaseFacts, limits: &DatabaseThresholds) -> Finding {
    let ratio = facts.connections as f64 / facts.max_connections.max(1) as f64;
    CONNECTIONS.graded(
        ratio,
        limits.connections_ratio,
        format!("{} of {} connections in use", facts.connections, facts.max_connections),
        "Find who holds them (pg_stat_activity), use a pool, or raise max_connections: a backup needs a few of its own.",
    )
}

fn transaction(facts: &DatabaseFacts, limits: &DatabaseThresholds) -> Finding {
    let minutes = Limit::new(
        limits.transaction_minutes.warning * 60.0,
        limits.transaction_minutes.critical * 60.0,
    );
    match facts.longest_transaction_seconds {
        Some(seconds) => TRANSACTION.graded(
            seconds,
            minutes,
            format!("the longest transaction is open for {}", quantity::duration(seconds)),
            "Find it in pg_stat_activity and end it (pg_terminate_backend): it keeps dead rows alive and may block migrations.",
        ),
        None if facts.hidden_connections > 0 => TRANSACTION.judged(
            HealthStatus::Unknown,
            "our role may not see the transactions of others".to_owned(),
            "GRANT pg_read_all_stats to the role that makes backups.",
        ),
        None => TRANSACTION.healthy("no transaction is open".to_owned()).value(0.0),
    }
}

fn dead_rows(table: &DeadRows, limits: &DatabaseThresholds) -> Option<Finding> {
    if table.dead < limits.dead_rows_ignored {
        return None;
    }
    let vacuumed = match table.vacuum_age_seconds {
        Some(seconds) => format!("last vacuumed {} ago", quantity::duration(seconds)),
        None => "never vacuumed".to_owned(),
    };
    let ratio = table.dead as f64 / (table.dead + table.live) as f64;
    let finding = DEAD_ROWS.graded(
        ratio,
        limits.dead_rows_ratio,
        format!("{} dead rows, {} of all, {vacuumed}", table.dead, quantity::percent(ratio)),
        "Run VACUUM on the table, and see what keeps autovacuum from it: old transactions, or its settings.",
    );
    Some(finding.of(&table.table))
}

fn behind(replica: &Replica, limits: &DatabaseThresholds) -> Finding {
    let finding = match replica.behind_bytes {
        Some(bytes) => REPLICA.graded(
            bytes,
            limits.replication_bytes,
            format!(
                "{}, {} behind",
                replica.state,
                quantity::bytes(bytes.max(0.0) as u64)
            ),
            "Look at the load of the replica and at the network between.",
        ),
        None => REPLICA.judged(
            HealthStatus::Unknown,
            format!("{}, how far behind is not known", replica.state),
            "GRANT pg_read_all_stats to the role that makes backups.",
        ),
    };
    finding.of(&replica.name)
}

fn held_back(slot: &ReplicationSlot, limits: &DatabaseThresholds) -> Finding {
    let use_of_it = if slot.active { "in use" } else { "not in use" };
    let finding = match slot.held_back_bytes {
        Some(bytes) => SLOT.graded(
            bytes,
            limits.replication_bytes,
            format!("{use_of_it}, holds back {} of the log", quantity::bytes(bytes.max(0.0) as u64)),
            "Start what uses the slot, or drop it (pg_drop_replication_slot) before the log fills the disk.",
        ),
        None => SLOT.healthy(format!("{use_of_it}, holds back nothing")).value(0.0),
    };
    finding.of(&slot.name)
}

fn collations(changed: &[ChangedCollation]) -> Finding {
    let finding = match changed.first() {
        None => COLLATIONS.healthy("collations are as they were".to_owned()),
        Some(first) => COLLATIONS.judged(
            HealthStatus::Warning,
            format!(
                "{} was built with version {} and now is {}{}",
                first.name,
                first.built_with,
                first.now.as_deref().unwrap_or("gone"),
                if changed.len() > 1 {
                    format!(", and {} more", changed.len() - 1)
                } else {
                    String::new()
                }
            ),
            "Text indexes may be wrong: REINDEX DATABASE, then ALTER DATABASE … (or ALTER COLLATION …) REFRESH VERSION.",
        ),
    };
    finding.value(changed.len() as f64)
}
