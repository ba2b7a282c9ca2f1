//! Back up, verify, restore elsewhere, compare: the main job.

use std::fs;

use testkit::dump::assert_same_dump;
use testkit::tree::{assert_same_tree, set_mtime};

use crate::support::{Site, edms, path_of, run, run_json, text};

#[test]
fn a_restored_site_equals_its_source() {
    let site = Site::sample();
    let record = site.create("full");
    let archive = path_of(&record);
    assert_eq!(record["status"], "COMPLETE");
    assert_eq!(record["kind"], "full");
    assert_eq!(
        record["warnings"].as_array().map(Vec::len),
        Some(0),
        "{record}"
    );

    let verified = run_json(0, &["verify", &text(&archive)]);
    assert_eq!(verified["status"], "ok", "{verified}");
    assert_eq!(verified["damaged"].as_array().map(Vec::len), Some(0));

    let mut rehearsal = edms();
    rehearsal
        .args(["verify", "--rehearse", "--json"])
        .arg(&archive)
        .env("DATABASE_URL", site.server.url(&site.database));
    let proven = run(&mut rehearsal).expect(0).json();
    assert_eq!(proven["rehearsed"], true, "{proven}");
    assert_eq!(proven["rehearsal"]["rows"], record["rows"], "{proven}");

    let (database, target, result) = site.restore(&archive, "restored");
    assert_eq!(result["tables"], record["tables"]);
    assert_eq!(result["rows"], record["rows"]);
    assert_eq!(result["files"], record["files"]);
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
    assert_same_tree(&site.storage().join("documents"), &target.join("documents"));
    assert_same_tree(&site.storage().join("media"), &target.join("media"));
}

#[test]
fn sequences_continue_and_the_application_goes_on() {
    let site = Site::sample();
    let (database, _, _) = site.restore(&site.archive("database"), "goes_on");
    let insert = "INSERT INTO documents (uuid, title, document_type_id, author_id, created_at)
         VALUES (md5('new')::uuid, 'after the restore', 10, 1, now()) RETURNING id, document_number";
    let expected = site.server.psql(&site.database, insert);
    assert_eq!(site.server.psql(&database, insert), expected);
    assert_eq!(expected.trim(), "221|DOC-5000");
    let types = "INSERT INTO document_types (code, name, retention) VALUES ('NEW', 'new', '1 day') RETURNING id";
    assert_eq!(site.server.psql(&database, types).trim(), "50");
    let audited = "SELECT count(*) FROM audit_trail WHERE action = 'INSERT' AND object_id = '221'";
    assert_eq!(
        site.server.psql(&database, audited).trim(),
        "1",
        "the trigger works"
    );
    let large_object = "SELECT md5(lo_get(content)) FROM scanned_originals ORDER BY document_id";
    assert_eq!(
        site.server.psql(&database, large_object),
        site.server.psql(&site.database, large_object)
    );
}

#[test]
fn every_kind_and_compression_restores() {
    let site = Site::sample();
    for compression in ["gzip", "zstd", "none"] {
        let record = site.create_with("full", &["--compression", compression]);
        let archive = path_of(&record);
        let ending = match compression {
            "gzip" => ".tar.gz",
            "zstd" => ".tar.zst",
            _ => ".tar",
        };
        assert!(text(&archive).ends_with(ending), "{archive:?}");
        let (database, target, _) = site.restore(&archive, "kind");
        assert_same_dump(&site.dump(&site.database), &site.dump(&database));
        assert_same_tree(&site.storage().join("media"), &target.join("media"));
    }
}

#[test]
fn parts_are_restored_alone() {
    let site = Site::sample();
    let archive = text(&site.archive("full"));
    let target = text(&site.path("only-files"));
    let files = run_json(
        0,
        &[
            "restore", &archive, "--only", "files", "--target", &target, "--force",
        ],
    );
    assert_eq!(files["rows"], 0, "{files}");
    assert_same_tree(
        &site.storage().join("documents"),
        &site.path("only-files/documents"),
    );

    let database = site.server.unique_name("only_database");
    let url = site.server.url(&database);
    run_json(
        0,
        &[
            "restore",
            &archive,
            "--only",
            "database",
            "--database-url",
            &url,
            "--force",
        ],
    );
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));

    let target = text(&site.path("glob"));
    run_json(
        0,
        &[
            "restore",
            &archive,
            "--only",
            "files",
            "--path",
            "media/logos",
            "--target",
            &target,
            "--force",
        ],
    );
    assert_same_tree(
        &site.storage().join("media/logos"),
        &site.path("glob/media/logos"),
    );
    assert!(!site.path("glob/documents").exists());
    assert!(!site.path("glob/media/odd").exists());
}

#[test]
fn a_table_is_restored_alone() {
    let site = Site::sample();
    let archive = text(&site.archive("database"));
    let database = site.server.unique_name("one_table");
    let url = site.server.url(&database);
    run_json(
        0,
        &[
            "restore",
            &archive,
            "--table",
            "public.workflow_states",
            "--database-url",
            &url,
            "--force",
        ],
    );
    let rows = "SELECT * FROM workflow_states ORDER BY code";
    assert_eq!(
        site.server.psql(&database, rows),
        site.server.psql(&site.database, rows)
    );
    let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    assert_eq!(site.server.psql(&database, tables).trim(), "1");
}

#[test]
fn the_same_site_gives_the_same_file_archive() {
    let site = Site::sample();
    let make = |name: &str, jobs: &str| {
        let output = site.path(name);
        run(site
            .create_command("files")
            .args(["--jobs", jobs, "--output"])
            .arg(&output))
        .expect(0);
        fs::read(output).expect("the archive")
    };
    let entries = |archive: &str| {
        let listing = std::process::Command::new("tar")
            .arg("-tvzf")
            .arg(site.path(archive))
            .output()
            .expect("tar runs");
        String::from_utf8(listing.stdout)
            .expect("text")
            .replace("manifest.toml", "")
    };
    make("one.tar.gz", "1");
    make("two.tar.gz", "4");
    let without_manifest = |listing: String| {
        listing
            .lines()
            .filter(|line| line.contains(" files/"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        without_manifest(entries("one.tar.gz")),
        without_manifest(entries("two.tar.gz"))
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let site = Site::sample();
    let archive = text(&site.archive("full"));
    let database = site.server.create_db("untouched");
    let before = site.dump(&database);
    let target = site.path("untouched");
    run_json(
        0,
        &[
            "restore",
            &archive,
            "--dry-run",
            "--database-url",
            &site.server.url(&database),
            "--target",
            &text(&target),
        ],
    );
    assert_same_dump(&before, &site.dump(&database));
    assert!(!target.exists());
}

#[test]
fn what_is_in_a_backup_can_be_looked_at() {
    let site = Site::sample();
    let record = site.create("full");
    let archive = text(&path_of(&record));
    let repository = text(&site.repository());
    let listed = run_json(0, &["list", "--repository", &repository]);
    let listed = listed.as_array().expect("an array of records");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], record["id"]);
    assert_eq!(listed[0]["status"], "COMPLETE");

    let id = record["id"].as_str().expect("an id");
    let shown = run_json(0, &["show", id, "--repository", &repository]);
    assert_eq!(shown["id"], record["id"], "{shown}");

    let content = run(edms().args(["cat", &archive, "files/media/odd/CASE"])).expect(0);
    assert_eq!(content.stdout, "CASE");
    let missing = run(edms().args(["cat", &archive, "files/nothing"])).expect(1);
    assert!(
        missing.stderr.contains("files/nothing"),
        "{}",
        missing.stderr
    );
}

#[test]
fn sha256_beside_the_archive_agrees() {
    let site = Site::sample();
    let record = site.create("files");
    let archive = path_of(&record);
    let check = std::process::Command::new("sha256sum")
        .arg("-c")
        .arg(format!("{}.sha256", archive.file_name().unwrap().display()))
        .current_dir(archive.parent().unwrap())
        .output()
        .expect("sha256sum runs");
    assert!(check.status.success(), "{check:?}");
    let line = fs::read_to_string(format!("{}.sha256", archive.display())).unwrap();
    assert!(line.starts_with(record["sha256"].as_str().unwrap()));
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&archive), 0o600);
    assert_eq!(mode(archive.parent().unwrap()), 0o700);
}

#[test]
fn a_later_backup_has_later_content() {
    let site = Site::sample();
    site.create("full");
    fs::write(site.storage().join("documents/new.txt"), "new").unwrap();
    set_mtime(&site.storage().join("documents"), 1_700_000_001, 0);
    site.server.psql(
        &site.database,
        "UPDATE documents SET title = 'changed' WHERE id = 1",
    );
    let (database, target, _) = site.restore(&site.archive("full"), "later");
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
    assert_same_tree(&site.storage().join("documents"), &target.join("documents"));
}
