//! Killed backups: nothing half-written is ever taken for a backup, and nothing needs to be cleaned by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Server, ServerOptions, Stop};

use crate::support::{Site, edms, path_of, run, run_json, text};

/// SIGKILL at this many moments.
const KILLS: u32 = 50;

#[test]
fn a_killed_backup_leaves_no_backup_and_no_trace() {
    let site = Site::sample();
    site.create("full");
    kill_at_many_moments(&site, || site.create_command("full"));
}

#[test]
fn a_killed_increment_leaves_no_backup_and_no_trace() {
    let site = Site::sample();
    site.create("full");
    kill_at_many_moments(&site, || site.create_command("incremental"));
}

#[test]
fn a_killed_consolidation_leaves_no_backup_and_no_trace() {
    let site = Site::sample();
    site.create("full");
    let increment = site.create("incremental");
    kill_at_many_moments(&site, || {
        let mut command = edms();
        command
            .args(["consolidate", "--repository"])
            .arg(site.repository())
            .arg(path_of(&increment));
        command
    });
}

/// Kills what `command` gives at moments spread over its run. Whatever has the name of an archive verifies with all that it needs, and the
/// next run finds nothing to be cleaned up by hand.
#[track_caller]
fn kill_at_many_moments(site: &Site, command: impl Fn() -> Command) {
    let start = Instant::now();
    run(&mut command()).expect(0);
    let whole = start.elapsed();
    let mut known = archives(&site.repository());
    let mut finished = 0;
    for kill in 0..KILLS {
        let mut child = command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        // Spread over the whole run, and a little beyond: publishing is at its end.
        let at = whole.mul_f64(1.1 * f64::from((kill * 37) % KILLS) / f64::from(KILLS));
        std::thread::sleep(at);
        child.kill().expect("SIGKILL");
        child.wait().expect("the end");
        for archive in &archives(&site.repository()) - &known {
            finished += 1;
            let report = run_json(0, &["verify", "--chain", &text(&archive)]);
            assert_eq!(report["status"], "ok");
            known.insert(archive);
        }
    }
    assert!(finished < KILLS, "no kill came in time");
    run(&mut command()).expect(0);
    let all = archives(&site.repository());
    assert!(all.is_superset(&known) && all.len() == known.len() + 1);
    let listed = run_json(0, &["list", "--repository", &text(&site.repository())]);
    assert_eq!(listed.as_array().map(Vec::len), Some(all.len()), "{listed}");
    assert_eq!(strangers(&site.repository(), &all), Vec::<PathBuf>::new());
}

#[test]
fn a_killed_backup_to_a_path_is_cleaned_up_by_the_next() {
    let site = Site::sample();
    let folder = site.path("out");
    fs::create_dir(&folder).unwrap();
    let command = |name: &str| {
        let mut command = site.create_command("full");
        command.arg("--output").arg(folder.join(name));
        command
    };
    for _ in 0..5 {
        let mut child = command("one.tar.gz").stdout(Stdio::null()).spawn().unwrap();
        wait_for(|| fs::read_dir(&folder).unwrap().count() > 0, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(folder.join("one.tar.gz")).ok();
        fs::remove_file(folder.join("one.tar.gz.sha256")).ok();
    }
    run(&mut command("two.tar.gz")).expect(0);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["two.tar.gz", "two.tar.gz.sha256"]);
}

#[test]
fn a_server_lost_in_mid_copy_is_a_failed_backup() {
    let server = Server::with(ServerOptions::default());
    let database = server.create_db("lost");
    server.psql(
        &database,
        "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 400000) AS n",
    );
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("backups");
    let mut command = edms();
    command
        .args(["create", "database", "--json", "--repository"])
        .arg(&repository)
        .env("DATABASE_URL", server.url(&database))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_for(|| partial_bytes(&repository) > 1 << 20, &mut child);
    server.stop(Stop::Immediate);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert!(said["error"]["message"].is_string(), "{said}");
    assert_eq!(archives(&repository), BTreeSet::new());
    assert_eq!(
        strangers(&repository, &BTreeSet::new()),
        Vec::<PathBuf>::new()
    );
}

/// Waits until `condition` holds; panics when the child ends before that.
fn wait_for(condition: impl Fn() -> bool, child: &mut Child) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it never happened"
        );
        if let Some(status) = child.try_wait().unwrap() {
            assert!(condition(), "ended too early: {status}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Bytes of all files in the folder where work is in progress.
fn partial_bytes(repository: &Path) -> u64 {
    files(&repository.join("running"))
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// What has the name of an archive.
fn archives(repository: &Path) -> BTreeSet<PathBuf> {
    files(&repository.join("backups"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "gz"))
        .collect()
}

/// Files in a repository that are neither a known archive, nor beside one, nor the repository's own.
fn strangers(repository: &Path, known: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let stems: BTreeSet<String> = known
        .iter()
        .map(|path| text(path).trim_end_matches(".tar.gz").to_owned())
        .collect();
    files(repository)
        .into_iter()
        .filter(|path| {
            let stem = text(path);
            let stem = stem
                .trim_end_matches(".sha256")
                .trim_end_matches(".toml")
                .trim_end_matches(".tar.gz");
            !stems.contains(stem)
                && path.file_name().is_some_and(|name| {
                    !["repository.toml", "audit.jsonl", "audit.jsonl.head"]
                        .iter()
                        .any(|own| name == *own)
                })
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}
