//! Bad input: a clear error with a hint and the right exit code, and nothing half-written left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backup_archive::Digest;
use serde_json::Value;
use testkit::user::{is_root, skipped};
use testkit::{Server, ServerOptions};

use crate::support::{Site, edms, run, text};

/// Runs a command that must fail with this exit code, as JSON; checks that people are told as much. Returns the code name.
#[track_caller]
fn failure(command: &mut Command, exit: i32) -> (String, Value) {
    let done = run(command.arg("--json")).expect(exit);
    let document = done.json();
    let error = document["error"].clone();
    for field in ["code", "message", "hint"] {
        let said = error[field].as_str().unwrap_or_default();
        assert!(!said.is_empty(), "no {field} in {document}");
    }
    assert!(error["causes"].is_array(), "{document}");
    (error["code"].as_str().unwrap_or_default().to_owned(), error)
}

fn assert_nothing_in(folder: &Path) {
    let left: Vec<PathBuf> = walk(folder)
        .into_iter()
        .filter(|path| {
            // The journal tells of the failure.
            path.file_name().is_some_and(|name| {
                !["repository.toml", "audit.jsonl", "audit.jsonl.head"]
                    .iter()
                    .any(|own| name == *own)
            })
        })
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

fn create(kind: &str, repository: &Path) -> Command {
    let mut command = edms();
    command
        .args(["create", kind, "--repository"])
        .arg(repository);
    command
}

#[test]
fn without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("backups");
    let (code, _) = failure(&mut create("database", &repository), 1);
    assert_eq!(code, "no_database");
    let refused = "postgresql://postgres@127.0.0.1:1/nothing";
    let (_, error) = failure(
        create("database", &repository).args(["--database-url", refused]),
        1,
    );
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    let socket = format!("postgresql:///x?host={}", folder.path().display());
    failure(
        create("database", &repository).args(["--database-url", &socket]),
        1,
    );
    let unknown = "postgresql://postgres@no-such-host.invalid/nothing";
    failure(
        create("database", &repository).args(["--database-url", unknown]),
        1,
    );
    assert_nothing_in(&repository);
}

#[test]
fn with_a_wrong_password_or_name() {
    let server = Server::with(ServerOptions {
        password: Some("the right one".into()),
        ..ServerOptions::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("backups");
    let url = server.tcp_url("postgres", "postgres");
    let (_, error) = failure(
        create("database", &repository)
            .args(["--database-url", &url])
            .env("PGPASSWORD", "canary-secret"),
        1,
    );
    assert!(error.to_string().contains("password"), "{error}");
    assert!(!error.to_string().contains("canary-secret"), "{error}");
    let (_, error) = failure(
        create("database", &repository)
            .args([
                "--database-url",
                &server.tcp_url("postgres", "no_such_database"),
            ])
            .env("PGPASSWORD", "the right one"),
        1,
    );
    assert!(error.to_string().contains("no_such_database"), "{error}");
    assert!(!error.to_string().contains("the right one"), "{error}");
    assert_nothing_in(&repository);
}

#[test]
fn with_a_missing_or_emptied_folder() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("backups");
    let (code, error) = failure(
        create("files", &repository).args(["--files", "documents=/no/such/folder"]),
        1,
    );
    assert_eq!(code, "source_unusable");
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
    assert_nothing_in(&repository);
    let emptied = folder.path().join("emptied");
    fs::create_dir(&emptied).unwrap();
    fs::write(emptied.join("file"), "content").unwrap();
    let root = format!("documents={}", emptied.display());
    run(create("files", &repository).args(["--files", &root])).expect(0);
    let before = walk(&repository);
    fs::remove_file(emptied.join("file")).unwrap();
    let (code, error) = failure(create("files", &repository).args(["--files", &root]), 1);
    assert_eq!(code, "source_shrunken");
    assert!(
        error["hint"].to_string().contains("--allow-shrunken"),
        "{error}"
    );
    assert_eq!(walk(&repository), before);
    run(create("files", &repository).args(["--files", &root, "--allow-shrunken"])).expect(0);
    let (code, _) = failure(&mut create("files", &repository), 1);
    assert_eq!(code, "no_files");
}

#[test]
fn with_wrong_usage() {
    for arguments in [
        &["create", "everything"][..],
        &["create", "files", "--files", "no-equals-sign"],
        &["create", "files", "--compression", "gzip", "--level", "99"],
        &["create", "files"],
        &["restore"],
        &["no-such-command"],
        &["list"],
        &["list", "--config", "/no/such/file.toml"],
    ] {
        let done = run(edms().args(arguments).arg("--json")).expect(2);
        assert!(done.json()["error"]["message"].is_string(), "{arguments:?}");
        let done = run(edms().args(arguments)).expect(2);
        assert!(!done.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn with_an_output_file_that_exists() {
    let site = Site::sample();
    let output = site.path("precious.tar.gz");
    fs::write(&output, "precious").unwrap();
    let (code, _) = failure(site.create_command("files").arg("--output").arg(&output), 1);
    assert_eq!(code, "output_exists");
    assert_eq!(fs::read(&output).unwrap(), b"precious");
    let beside = site.path("other.tar.gz.sha256");
    fs::write(&beside, "precious").unwrap();
    let (code, _) = failure(
        site.create_command("files")
            .arg("--output")
            .arg(site.path("other.tar.gz")),
        1,
    );
    assert_eq!(code, "output_exists");
    assert!(!site.path("other.tar.gz").exists());
}

#[test]
fn with_a_source_that_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    for (name, content) in [
        ("empty.tar.gz", &b""[..]),
        (
            "text.tar.gz",
            b"this is no archive at all, only a few words",
        ),
        ("noise.tar.gz", &testkit::tree::noise(1, 100_000)),
    ] {
        let source = folder.path().join(name);
        fs::write(&source, content).unwrap();
        for command in ["verify", "show"] {
            let done = run(edms().arg(command).arg(&source).arg("--json")).expect(1);
            done.json();
        }
        failure(
            edms()
                .args(["restore", "--force", "--target"])
                .arg(&target)
                .arg(&source),
            1,
        );
        assert!(!target.exists());
    }
    let (_, error) = failure(edms().args(["verify", "/no/such/archive.tar.gz"]), 1);
    assert!(
        error.to_string().contains("/no/such/archive.tar.gz"),
        "{error}"
    );
}

#[test]
fn with_an_archive_of_a_future_version() {
    let site = Site::sample();
    let archive = site.archive("files");
    let mut bytes = fs::read(&archive).unwrap();
    let footer = bytes
        .windows(8)
        .rposition(|window| window == b"edmsbkup")
        .expect("a footer");
    bytes[footer + 8] += 1;
    let check = Digest::of(&bytes[footer..footer + 92]);
    bytes[footer + 92..footer + 104].copy_from_slice(&check.as_bytes()[..12]);
    fs::write(&archive, bytes).unwrap();
    let target = site.path("target");
    for command in [
        &["verify"][..],
        &["show"],
        &["restore", "--target", &text(&target)],
    ] {
        let (_, error) = failure(edms().args(command).arg(&archive), 1);
        let said = error.to_string();
        assert!(said.contains("version 2"), "{said}");
    }
    assert!(!target.exists());
}

#[test]
fn with_a_target_that_is_not_empty() {
    let site = Site::sample();
    let archive = site.archive("full");
    let target = site.path("target");
    fs::create_dir_all(target.join("documents")).unwrap();
    fs::write(target.join("documents/mine"), "mine").unwrap();
    let database = site.server.create_db("occupied");
    site.server
        .psql(&database, "CREATE TABLE mine AS SELECT 42 AS answer");
    let restore = || {
        let mut command = edms();
        command
            .args(["restore", "--target"])
            .arg(&target)
            .arg(&archive);
        command
    };
    failure(restore().args(["--only", "files"]), 1);
    assert_eq!(walk(&target), [target.join("documents/mine")]);

    let url = site.server.url(&database);
    let (_, error) = failure(
        restore().args([
            "--only",
            "database",
            "--into",
            "fresh",
            "--database-url",
            &url,
            "--force",
        ]),
        1,
    );
    assert!(error["hint"].is_string(), "{error}");
    assert_eq!(
        site.server.psql(&database, "SELECT * FROM mine").trim(),
        "42"
    );
    assert_eq!(
        site.server.psql(&database, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").trim(),
        "1"
    );
}

#[test]
fn without_space() {
    let site = Site::sample();
    let Some(disk) = SmallDisk::mount(&site.path("disk"), "3m") else {
        return;
    };
    let repository = disk.0.join("backups");
    let mut command = edms();
    command
        .args(["create", "files", "--repository"])
        .arg(&repository)
        .arg("--files")
        .arg(format!(
            "documents={}",
            text(&site.storage().join("documents"))
        ));
    let (code, _) = failure(&mut command, 1);
    assert_eq!(code, "no_space");
    assert_nothing_in(&repository);

    let archive = site.archive("files");
    let target = disk.0.join("target");
    failure(
        edms()
            .args(["restore", "--force", "--target"])
            .arg(&target)
            .arg(&archive),
        1,
    );
    assert_nothing_in(&disk.0.join("target"));
}

/// A tmpfs of a given size, unmounted on drop.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        if !is_root() {
            skipped("without_space", "only root can mount a small tmpfs");
            return None;
        }
        fs::create_dir(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder)
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            skipped("without_space", "a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
