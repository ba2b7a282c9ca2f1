//! `[[references]]`: every row that names a file has it in the backup.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Site, run, run_json};

/// A site whose rows name files in two ways.
fn site(rules: &str) -> Site {
    let site = Site::empty();
    for (name, content) in [
        ("documents/2026/a.pdf", "one"),
        ("documents/2026/b.pdf", "two"),
        ("media/logo.png", "logo"),
    ] {
        let path = site.storage().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    site.server.psql(
        &site.database,
        "CREATE TABLE documents (id int PRIMARY KEY, file text, sum text);
         INSERT INTO documents VALUES
            (1, '2026/a.pdf', encode(sha256('one'), 'hex')),
            (2, '/app/documents/2026/b.pdf', upper(encode(sha256('two'), 'hex'))),
            (3, '/app/media/logo.png', NULL), (4, NULL, NULL), (5, '', NULL)",
    );
    fs::write(site.path("edms-backup.toml"), rules).unwrap();
    site
}

const RULES: &str = r#"
[[references]]
table = "public.documents"
path_column = "file"
root = "documents"
checksum_column = "sum"
[[references]]
table = "public.documents"
path_column = "file"
when_prefix = "/app/documents/"
strip_prefix = "/app/documents/"
root = "documents"
checksum_column = "sum"
[[references]]
table = "public.documents"
path_column = "file"
when_prefix = "/app/media/"
strip_prefix = "/app/media/"
root = "media"
"#;

fn create(site: &Site, kind: &str) -> Command {
    let mut command = site.create_command(kind);
    command
        .arg("--config")
        .arg(site.path("edms-backup.toml"))
        .arg("--json");
    command
}

#[test]
fn a_row_without_its_file_makes_the_backup_partial_and_is_named() {
    let site = site(RULES);
    let record = run(&mut create(&site, "full")).expect(0).json();
    let closure = &record["closure"];
    assert_eq!(
        (&closure["rows"], &closure["compared"]),
        (&3.into(), &2.into()),
        "{record}"
    );
    for kind in ["missing", "mismatching", "orphaned", "unpicked"] {
        assert_eq!(closure[kind]["count"], 0, "{kind}: {record}");
    }

    site.server.psql(
        &site.database,
        "INSERT INTO documents VALUES (6, '2026/gone.pdf', NULL), (7, '/app/media/logo.png', 'x');
         UPDATE documents SET sum = encode(sha256('other'), 'hex') WHERE id = 2",
    );
    fs::write(site.storage().join("media/unused.png"), "unused").unwrap();
    let record = run(&mut create(&site, "full")).expect(3).json();
    assert_eq!(record["status"], "PARTIAL");
    let first = |kind: &str| record["closure"][kind]["first"][0].clone();
    assert_eq!(first("missing"), "public.documents.file: 2026/gone.pdf");
    assert_eq!(
        first("mismatching"),
        "public.documents.file: /app/documents/2026/b.pdf"
    );
    assert_eq!(first("orphaned"), "files/media/unused.png");
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("2026/gone.pdf"), "{warnings}");
    // The archive says so too, and the list.
    let id = record["id"].as_str().unwrap();
    let repository = site.repository();
    let repository = repository.to_str().unwrap();
    let shown = run_json(0, &["show", id, "--repository", repository]);
    assert_eq!(shown["closure"], record["closure"]);
    let listed = run_json(0, &["list", "--repository", repository]);
    let listed: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["id"] == id)
        .collect();
    assert_eq!(listed[0]["closure"]["missing"]["count"], 1);
    // Nothing to compare in a backup of files alone.
    let record = run(&mut create(&site, "files")).expect(0).json();
    assert_eq!(record["closure"], Value::Null);
}

#[test]
fn rows_that_no_rule_picks_are_counted_and_a_rule_that_cannot_be_stops_the_backup() {
    // The first rule would take every row.
    let only = RULES.replacen(
        "root = \"documents\"\n",
        "root = \"documents\"\nwhen_prefix = \"nothing/\"\n",
        1,
    );
    let unpicking = site(&only);
    let record = run(&mut create(&unpicking, "full")).expect(0).json();
    assert_eq!(record["closure"]["unpicked"]["count"], 1, "{record}");
    assert_eq!(
        record["closure"]["unpicked"]["first"][0],
        "public.documents.file: 2026/a.pdf"
    );
    assert_eq!(record["closure"]["orphaned"]["count"], 1);

    let wrong = site(&RULES.replace("checksum_column = \"sum\"", "checksum_column = \"no_such\""));
    let error = run(&mut create(&wrong, "full")).expect(1).json();
    assert_eq!(error["error"]["code"], "references", "{error}");
    assert!(
        error["error"]["causes"].to_string().contains("no_such"),
        "{error}"
    );
}

#[test]
fn a_link_is_there_without_content_of_its_own() {
    let site = site(RULES);
    let unreadable = site.storage().join("documents/2026/b.pdf");
    fs::remove_file(&unreadable).unwrap();
    // A link has no content of its own to compare, but it is there.
    std::os::unix::fs::symlink("a.pdf", &unreadable).unwrap();
    let record = run(&mut create(&site, "full")).expect(0).json();
    assert_eq!(record["closure"]["compared"], 1, "{record}");
    fs::remove_file(&unreadable).unwrap();
    let record = run(&mut create(&site, "full")).expect(3).json();
    assert_eq!(record["closure"]["missing"]["count"], 1, "{record}");
}

#[test]
fn a_rehearsal_checks_what_was_restored() {
    let site = site(RULES);
    site.server.psql(
        &site.database,
        "INSERT INTO documents VALUES (6, '2026/gone.pdf', NULL)",
    );
    let record = run(&mut create(&site, "full")).expect(3).json();
    let mut command = crate::support::edms();
    command
        .args(["verify", "--rehearse", "--json", "--config"])
        .arg(site.path("edms-backup.toml"))
        .args([record["path"].as_str().unwrap()])
        .env("DATABASE_URL", site.server.url(&site.database));
    // Documents and media are named as for the backup.
    for root in ["documents", "media"] {
        let folder = site.storage().join(root);
        command
            .arg("--files")
            .arg(format!("{root}={}", folder.display()));
    }
    let report = run(&mut command).expect(0).json();
    // What the backup said is what the rehearsal finds: no more is missing.
    let closure = &report["rehearsal"]["closure"];
    assert_eq!(closure["rows"], 4, "{report}");
    assert_eq!(closure["compared"], 2, "{report}");
    assert_eq!(closure["missing"], record["closure"]["missing"], "{report}");
    assert!(
        report["rehearsal"]["notes"]
            .to_string()
            .contains("2026/gone.pdf")
    );
}
