//! Backups of an application that goes on working: its writers never wait long, and every row of the backup has its file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backup_core::{
    BackupKind, ConnectOptions, CreateOptions, Destination, RestoreOptions, Silent, Status, create,
    restore,
};
use backup_db::Session;
use sha2::{Digest, Sha256};
use testkit::Server;

/// Threads that store documents.
const WRITERS: u32 = 8;

/// No statement of the application may take longer: the dump makes room after three seconds, and looks twice a second.
const LONGEST_STALL: Duration = Duration::from_secs(10);

/// Rows that are there before the backup begins, so that it takes a while.
const BALLAST: u32 = 150_000;

fn digest(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Works as the application does until it is told to stop; returns how long the slowest statement took.
fn write_documents(
    connect: &ConnectOptions,
    storage: &Path,
    writer: u32,
    stop: &AtomicBool,
    stored: &AtomicU64,
) -> Duration {
    let mut session = Session::connect(connect).unwrap();
    let mut slowest = Duration::ZERO;
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("{writer}-{number}.txt");
        let content =
            format!("document {number} of writer {writer}\n").repeat(1 + number as usize % 50);
        // The file first, then the row.
        fs::write(storage.join(&name), &content).unwrap();
        let began = Instant::now();
        session
            .execute(
                "INSERT INTO document (path, digest) VALUES ($1, $2)",
                &[&name, &digest(content.as_bytes())],
            )
            .unwrap();
        slowest = slowest.max(began.elapsed());
        stored.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(3));
    }
    slowest
}

/// A migration after another, each wanting the table for itself; returns how long the slowest had to wait.
fn migrate(connect: &ConnectOptions, stop: &AtomicBool) -> Duration {
    let mut session = Session::connect(connect).unwrap();
    let mut slowest = Duration::ZERO;
    let mut column = 0;
    // Not without end: a dump gives up when the structure never stays the same.
    while column < 3 && !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        session
            .batch(&format!(
                "ALTER TABLE document ADD COLUMN added_{column} int DEFAULT 7"
            ))
            .unwrap();
        slowest = slowest.max(began.elapsed());
        column += 1;
        std::thread::sleep(Duration::from_millis(400));
    }
    slowest
}

#[test]
fn every_row_has_its_file_and_nobody_waits_long() {
    let server = Server::shared();
    let database = server.create_db("living");
    server.psql(
        &database,
        &format!(
            "CREATE TABLE document (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, path text NOT NULL UNIQUE, digest text NOT NULL);
             CREATE TABLE ballast AS SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, {BALLAST}) n"
        ),
    );
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().join("documents");
    fs::create_dir(&storage).unwrap();
    let connect = ConnectOptions::from_url(&server.url(&database)).unwrap();
    let (stop, stored) = (AtomicBool::new(false), AtomicU64::new(0));
    let slowest = Mutex::new(Vec::new());
    let mut options = CreateOptions::new(
        BackupKind::Full,
        Destination::Path(folder.path().join("backup.tar.gz")),
    );
    options.database = Some(connect.clone());
    options.files.insert("documents".into(), storage.clone());
    let record = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (connect, storage, stop, stored, slowest) =
                (&connect, &storage, &stop, &stored, &slowest);
            scope.spawn(move || {
                let took = write_documents(connect, storage, writer, stop, stored);
                slowest.lock().unwrap().push(took);
            });
        }
        while stored.load(Ordering::Relaxed) < 200 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let migration = scope.spawn(|| migrate(&connect, &stop));
        let record = create(&options, &Silent);
        stop.store(true, Ordering::Relaxed);
        slowest.lock().unwrap().push(migration.join().unwrap());
        record
    })
    .unwrap();
    // A file that was being written while it was read is named; its row is not in the backup yet.
    assert!(
        matches!(record.status, Status::Complete | Status::Partial),
        "{record:?}"
    );
    let slowest = slowest.into_inner().unwrap().into_iter().max().unwrap();
    assert!(
        slowest < LONGEST_STALL,
        "the application waited {slowest:?}"
    );

    let restored = server.unique_name("restored");
    let mut options = RestoreOptions::new(record.path);
    options.database = Some(ConnectOptions::from_url(&server.url(&restored)).unwrap());
    options.target = Some(folder.path().join("restored"));
    options.verify = true;
    restore(&options, &Silent).unwrap();
    let rows = server.psql(
        &restored,
        "SELECT path || ' ' || digest FROM document ORDER BY id",
    );
    let rows: Vec<(&str, &str)> = rows.lines().filter_map(|row| row.split_once(' ')).collect();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    let files: PathBuf = folder.path().join("restored/documents");
    for (path, expected) in &rows {
        let content = fs::read(files.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(digest(&content), *expected, "{path}");
    }
    assert_eq!(
        server.psql(&restored, "SELECT count(*) FROM ballast"),
        BALLAST.to_string()
    );
}
