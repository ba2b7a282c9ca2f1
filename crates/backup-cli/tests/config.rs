//! What the command makes of a configuration whose keys cannot be used.

use std::fs;
use std::process::Command;

#[test]
fn a_configuration_that_wants_sealing_makes_no_open_archive() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("edms-backup.toml");
    fs::write(
        &config,
        "[repository]\npath = \"repository\"\n[files]\ndocuments = \".\"\n[encryption]\nrecipients_file = \"recipients.txt\"\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_edms-backup"))
            .env_clear()
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .output()
            .unwrap()
    };

    let output = run(&["create", "files", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("key_file") && said.contains("recipients.txt"),
        "{said}"
    );
    assert!(!folder.path().join("repository").exists());

    let output = run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("[encryption]") && said.contains("recipients.txt"),
        "{said}"
    );
}
