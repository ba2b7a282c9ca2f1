//! How fast a database is dumped and restored: `cargo run --release --example throughput -- URL [TARGET_URL]`.
//!
//! Rows are kept in memory when there is a target to restore into (so it should be small), and dropped otherwise.

use std::error::Error;
use std::time::Instant;

use backup_db::{ConnectOptions, MemoryDump, RestoreOptions, Snapshot, SnapshotOptions, restore_fresh};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let source = ConnectOptions::from_url(&arguments.next().ok_or("usage: throughput URL [TARGET_URL]")?)?;
    let started = Instant::now();
    let snapshot = Snapshot::open(&source, &SnapshotOptions::default())?;
    println!("snapshot and schema: {:.2} s", started.elapsed().as_secs_f64());

    let started = Instant::now();
    let Some(target) = arguments.next() else {
        let (mut rows, mut bytes) = (0, 0);
        for segment in snapshot.segments() {
            let segment = segment?;
            rows += segment.rows;
            bytes += segment.data.len();
        }
        report("dump", started, rows, bytes as u64);
        return Ok(());
    };
    let dump = MemoryDump::take(snapshot)?;
    println!("dump: {:.2} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let stats = restore_fresh(&ConnectOptions::from_url(&target)?, &dump, &RestoreOptions::default(), &())?;
    report("restore", started, stats.rows, stats.bytes);
    Ok(())
}

fn report(what: &str, started: Instant, rows: u64, bytes: u64) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{what}: {seconds:.2} s, {rows} rows, {:.0} MB, {:.0} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / seconds);
}
