//! Incremental backups through the command: made, looked into, restored, consolidated.

use std::fs;

use testkit::dump::assert_same_dump;
use testkit::tree::assert_same_tree;

use crate::support::{Site, edms, path_of, run, run_json, text};

#[test]
fn a_chain_with_its_database_is_consolidated_and_dropped() {
    let site = Site::sample();
    let full = site.create("full");
    let documents = site.storage().join("documents");
    fs::write(documents.join("new.txt"), "new").unwrap();
    site.server
        .psql(&site.database, "CREATE TABLE later AS SELECT 1 AS n");
    let files = site.create("incremental");
    assert_eq!((&files["base"], &files["tables"]), (&full["id"], &0.into()));
    let both = site.create_with("incremental", &["--include-database"]);
    assert_eq!(both["base"], files["id"]);
    let repository = text(&site.repository());
    let id = |record: &serde_json::Value| record["id"].as_str().unwrap().to_owned();
    let in_repository = |code, command: &str, more: &[&str]| {
        let arguments = [&[command, "--repository", &repository], more].concat();
        run_json(code, &arguments)
    };
    let shown = in_repository(0, "show", &[&id(&files)]);
    assert_eq!(shown["incremental"]["stored"]["files"], 1);
    assert_eq!(shown["incremental"]["holders"][0]["id"], full["id"]);
    let difference = in_repository(0, "diff", &[&id(&full), &id(&both)]);
    assert_eq!(difference["added"], 1, "{difference}");
    assert_eq!(
        difference["database"]["tables"][0]["change"], "added",
        "{difference}"
    );
    let text_of_difference =
        run(edms().args(["diff", "--repository", &repository, &id(&full), &id(&both)]))
            .expect(0)
            .stdout;
    assert!(
        text_of_difference.contains("+ files/documents/new.txt"),
        "{text_of_difference}"
    );
    let (database, folder, _) = site.restore(&path_of(&both), "both");
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
    assert_same_tree(&documents, &folder.join("documents"));

    // The database of the full backup, the files of the increment.
    let consolidated = in_repository(0, "consolidate", &[&id(&files)]);
    assert_eq!(consolidated["kind"], "full");
    let shown = in_repository(0, "show", &[&id(&consolidated)]);
    assert_eq!(shown["consolidated"]["database_from"], full["id"]);
    assert!(shown["notes"].to_string().contains(&id(&full)), "{shown}");
    let consolidated = in_repository(0, "consolidate", &[&id(&both)]);
    for record in [&full, &files, &both] {
        fs::remove_file(path_of(record)).unwrap();
    }
    let (database, folder, _) = site.restore(&path_of(&consolidated), "alone");
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
    assert_same_tree(&documents, &folder.join("documents"));
}

#[test]
fn a_missing_link_is_partial_and_said() {
    let site = Site::sample();
    let full = site.create("full");
    fs::write(site.storage().join("documents/new.txt"), "new").unwrap();
    let increment = site.create("incremental");
    fs::remove_file(path_of(&full)).unwrap();
    let target = text(&site.path("restored"));
    let archive = text(&path_of(&increment));
    let plan = run_json(0, &["restore", &archive, "--target", &target, "--dry-run"]);
    let full_id = full["id"].as_str().unwrap();
    assert!(plan["warnings"].to_string().contains(full_id), "{plan}");
    let outcome = run_json(3, &["restore", &archive, "--target", &target]);
    assert_eq!(outcome["status"], "PARTIAL");
    let restored = fs::read_to_string(site.path("restored/documents/new.txt")).unwrap();
    assert_eq!(restored, "new");
    let report = run_json(1, &["verify", &archive]);
    assert!(report["damaged"].to_string().contains(full_id), "{report}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let site = Site::sample();
    let refused = run(site.create_command("incremental").arg("--json")).expect(1);
    assert_eq!(refused.json()["error"]["code"], "no_repository");
    assert!(!site.repository().exists());
    let refused = run(site.create_command("full").args(["--paranoid", "--json"])).expect(2);
    assert!(
        refused.json()["error"]["message"]
            .to_string()
            .contains("--paranoid")
    );
    let full = site.create("full");
    let refused = run_json(
        1,
        &[
            "consolidate",
            "--repository",
            &text(&site.repository()),
            &text(&path_of(&full)),
        ],
    );
    assert_eq!(refused["error"]["code"], "not_incremental");
}
