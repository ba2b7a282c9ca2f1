//! The example does what it says.

use std::process::Command;

use testkit::Server;

#[test]
fn backs_up_and_restores() {
    let server = Server::shared();
    let source = server.create_db("embedding");
    server.psql(
        &source,
        "CREATE TABLE letter (id int PRIMARY KEY, body text);
         INSERT INTO letter SELECT n, 'letter ' || n FROM generate_series(1, 1000) n",
    );
    let target = server.create_db("embedding_restored");
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    std::fs::create_dir(&documents).unwrap();
    std::fs::write(documents.join("letter.txt"), "Dear reader").unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_embedding"))
        .arg(server.url(&source))
        .arg(&documents)
        .arg(server.url(&target))
        .arg(&out)
        .output()
        .unwrap();

    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches(": 1000 rows, 1 files").count(), 2, "{said}");
    assert_eq!(
        std::fs::read_to_string(out.join("restored/documents/letter.txt")).unwrap(),
        "Dear reader"
    );
    assert_eq!(server.psql(&target, "SELECT count(*) FROM letter").trim(), "1000");
}
