//! Memory stays below 200 MiB and does not grow with what is backed up. `EDMS_TEST_LARGE=1` uses full sizes: 2 GiB of files,
//! a table of 1 GiB.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::tree::{noise, prose};

use crate::support::{Site, edms, path_of, text};

const MIB: u64 = 1 << 20;

fn is_large() -> bool {
    std::env::var_os("EDMS_TEST_LARGE").is_some()
}

/// Runs a command that must succeed. Returns its largest resident size in MiB and its output.
#[track_caller]
fn peak(command: &mut Command) -> (u64, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().expect("the child").is_none() {
        let high_water = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        });
        peak_kib = high_water.unwrap_or(0).max(peak_kib);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{output:?}");
    assert!(peak_kib > 0, "it ended too soon to be measured");
    (
        peak_kib / 1024,
        String::from_utf8(output.stdout).expect("text"),
    )
}

/// The larger input may take this much more, in MiB: allocators and page tables are not exact.
const TOLERANCE: u64 = 20;

#[track_caller]
fn assert_flat(what: &str, small: u64, large: u64) {
    eprintln!("{what}: {small} MiB, with twice the input {large} MiB");
    assert!(large < 200, "{what}: {large} MiB");
    assert!(
        large <= small + TOLERANCE,
        "{what}: {small} MiB, with twice the input {large} MiB"
    );
}

#[test]
fn memory_does_not_grow_with_files() {
    let size = if is_large() { 1024 } else { 200 } * MIB;
    let site = Site::empty();
    let measure = |name: &str, size: u64| {
        let store = site.path(name);
        write_store(&store, size);
        let archive = site.path(&format!("{name}.tar.gz"));
        let (create, _) = peak(
            edms()
                .args(["create", "files", "--json", "--files"])
                .arg(format!("store={}", text(&store)))
                .arg("--output")
                .arg(&archive),
        );
        let target = site.path(&format!("{name}-restored"));
        let (restore, _) = peak(
            edms()
                .args(["restore", "--json", "--force", "--target"])
                .arg(&target)
                .arg(&archive),
        );
        let (verify, _) = peak(edms().args(["verify", "--json"]).arg(&archive));
        for folder in [&store, &target] {
            fs::remove_dir_all(folder).unwrap();
        }
        fs::remove_file(archive).unwrap();
        [create, restore, verify]
    };
    let small = measure("small", size);
    let large = measure("large", 2 * size);
    for (number, what) in ["create files", "restore files", "verify files"]
        .into_iter()
        .enumerate()
    {
        assert_flat(what, small[number], large[number]);
    }
}

/// One file of half the size, the rest in files of 5 to 900 KiB; a fifth compresses.
fn write_store(folder: &Path, size: u64) {
    fs::create_dir(folder).unwrap();
    let (block, words) = (noise(1, MIB as usize), prose(2, MIB as usize));
    let mut large = File::create(folder.join("large.pdf")).unwrap();
    for _ in 0..size / 2 / MIB {
        large.write_all(&block).unwrap();
    }
    let mut written = 0;
    for number in 0.. {
        if written >= size / 2 {
            break;
        }
        let len = 5_000 + (number * 7_919 % 900) * 1_000;
        let content = if number % 5 == 0 { &words } else { &block };
        let subfolder = folder.join(format!("{:02}", number % 50));
        fs::create_dir_all(&subfolder).unwrap();
        fs::write(subfolder.join(format!("{number}.bin")), &content[..len]).unwrap();
        written += len as u64;
    }
}

#[test]
fn memory_does_not_grow_with_a_table() {
    let rows = if is_large() { 750_000 } else { 120_000 };
    let measure = |rows: u32| {
        let site = Site::empty();
        site.server.psql(
            &site.database,
            &format!(
                "CREATE TABLE wide AS SELECT n AS id, repeat(md5(n::text), 21) AS text, now() AS at FROM generate_series(1, {rows}) AS n"
            ),
        );
        let (create, record) = peak(site.create_command("database").arg("--json"));
        let archive: PathBuf = path_of(&serde_json::from_str(&record).expect("one document"));
        let restored = site.server.unique_name("restored");
        let (restore, _) = peak(
            edms()
                .args([
                    "restore",
                    "--json",
                    "--force",
                    "--database-url",
                    &site.server.url(&restored),
                ])
                .arg(&archive),
        );
        [create, restore]
    };
    let small = measure(rows);
    let large = measure(2 * rows);
    for (number, what) in ["create database", "restore database"]
        .into_iter()
        .enumerate()
    {
        assert_flat(what, small[number], large[number]);
    }
}

#[test]
fn memory_of_an_increment_does_not_grow_with_the_number_of_files() {
    let files = if is_large() { 100_000 } else { 3_000 };
    let site = Site::empty();
    let measure = |name: &str, files: u32| {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .expect("a folder");
        let store = folder.path().join("store");
        for number in 0..files {
            let subfolder = store.join(format!("{:04}", number / 1000));
            if number % 1000 == 0 {
                fs::create_dir_all(&subfolder).unwrap();
            }
            fs::write(subfolder.join(format!("{number}.txt")), name).unwrap();
        }
        // Younger files are hashed.
        std::thread::sleep(Duration::from_millis(2_200));
        let repository = site.path(name);
        let create = |kind: &str| {
            let mut command = edms();
            command
                .args(["create", kind, "--json", "--repository"])
                .arg(&repository)
                .arg("--files")
                .arg(format!("store={}", text(&store)));
            command
        };
        peak(&mut create("files"));
        let (unchanged, record) = peak(&mut create("incremental"));
        let record: serde_json::Value = serde_json::from_str(&record).expect("one document");
        assert_eq!(
            (&record["files"], &record["bytes_read"]),
            (&files.into(), &0.into())
        );
        let (verify, _) = peak(edms().args(["verify", "--json"]).arg(path_of(&record)));
        [unchanged, verify]
    };
    let small = measure("small", files);
    let large = measure("large", 10 * files);
    for (number, what) in ["create incremental", "verify an increment"]
        .into_iter()
        .enumerate()
    {
        eprintln!(
            "{what}: {} MiB, with ten times the files {} MiB",
            small[number], large[number]
        );
        assert!(large[number] < 100 && large[number] <= small[number] + TOLERANCE);
    }
}
