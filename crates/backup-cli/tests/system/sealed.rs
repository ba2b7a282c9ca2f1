//! Sealed backups: made with a recipient alone, read by seeking with the identity, opened by Debian's `age` and opened when `age` made them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::dump::assert_same_dump;
use testkit::tree::assert_same_tree;

use crate::support::{Site, edms, path_of, run, run_json, text};

/// A new identity and its recipient.
fn key(site: &Site, name: &str) -> (String, String) {
    let path = site.path(name);
    let key = run_json(0, &["key", "generate", "--output", &text(&path)]);
    assert_eq!(key["path"], text(&path));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    (text(&path), key["recipient"].as_str().unwrap().to_owned())
}

fn sealed(site: &Site, kind: &str, recipient: &str) -> PathBuf {
    let record = site.create_with(kind, &["--recipient", recipient]);
    assert_eq!(record["status"], "COMPLETE", "{record}");
    let archive = path_of(&record);
    assert!(text(&archive).ends_with(".tar.gz.age"), "{archive:?}");
    archive
}

/// A command that reads a backup, with the key that opens it.
fn with_key(code: i32, identity: &str, arguments: &[&str]) -> serde_json::Value {
    run_json(code, &[arguments, &["--identity-file", identity]].concat())
}

#[track_caller]
fn shell(script: &str) {
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-ec", script])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn everything_works_on_a_sealed_backup_with_its_identity() {
    let site = Site::sample();
    let (identity, recipient) = key(&site, "key");
    let archive = text(&sealed(&site, "full", &recipient));

    let verified = with_key(0, &identity, &["verify", &archive]);
    assert_eq!(verified["status"], "ok");
    assert!(verified["entries"].as_u64().unwrap() > 30);
    assert_eq!(with_key(0, &identity, &["show", &archive])["kind"], "full");
    let listed = run_json(0, &["list", "--repository", &text(&site.repository())]);
    assert_eq!(listed[0]["path"], archive);

    let database = site.server.unique_name("unsealed");
    let target = site.path("unsealed");
    let restored = with_key(
        0,
        &identity,
        &[
            "restore",
            &archive,
            "--target",
            &text(&target),
            "--database-url",
            &site.server.url(&database),
            "--force",
            "--verify",
        ],
    );
    assert_eq!(restored["verified"], true, "{restored}");
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
    assert_same_tree(&site.storage().join("media"), &target.join("media"));
    let one = site.path("one");
    with_key(
        0,
        &identity,
        &[
            "restore",
            &archive,
            "--only",
            "files",
            "--path",
            "media/logos",
            "--target",
            &text(&one),
            "--force",
        ],
    );
    assert_same_tree(
        &site.storage().join("media/logos"),
        &one.join("media/logos"),
    );
}

#[test]
fn without_the_key_only_the_sum_is_compared() {
    let site = Site::sample();
    let (_, recipient) = key(&site, "key");
    let (other, _) = key(&site, "other");
    let archive = text(&sealed(&site, "files", &recipient));
    assert_eq!(
        run_json(0, &["verify", "--quick", &archive])["status"],
        "ok"
    );
    for arguments in [
        &["verify", archive.as_str()][..],
        &["show", &archive],
        &["restore", &archive, "--target", "/nonexistent/x", "--force"],
    ] {
        let error = run_json(1, arguments);
        assert_eq!(error["error"]["code"], "sealed", "{arguments:?}: {error}");
        let error = with_key(1, &other, arguments);
        assert_eq!(
            error["error"]["code"], "wrong_key",
            "{arguments:?}: {error}"
        );
    }
    // The key is looked for where the configuration says as well.
    let config = site.path("config.toml");
    fs::write(
        &config,
        format!(
            "[encryption]\nidentity_file = {:?}\n",
            text(&site.path("key"))
        ),
    )
    .unwrap();
    run_json(0, &["verify", &archive, "--config", &text(&config)]);
    // A key file that others can read is refused by name.
    fs::set_permissions(site.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = with_key(2, &text(&site.path("key")), &["verify", &archive]);
    assert_eq!(error["error"]["code"], "key_file", "{error}");
}

#[test]
fn age_opens_ours_and_ours_opens_what_age_sealed() {
    let site = Site::sample();
    let (identity, recipient) = key(&site, "key");
    let (second, also) = key(&site, "second");
    let record = site.create_with("files", &["--recipient", &recipient, "--recipient", &also]);
    let ours = text(&path_of(&record));
    for identity in [&identity, &second] {
        let target = text(&site.path(&format!(
            "by-age-{}",
            Path::new(identity).file_name().unwrap().display()
        )));
        shell(&format!(
            "mkdir {target}; age -d -i {identity} {ours} | tar -xz -C {target}"
        ));
        shell(&format!(
            "diff -r --no-dereference {} {target}/files/documents",
            text(&site.storage().join("documents"))
        ));
    }
    let open = text(&site.archive("files"));
    let by_age = text(&site.path("by-age.tar.gz.age"));
    shell(&format!("age -r {recipient} -o {by_age} {open}"));
    assert_eq!(with_key(0, &identity, &["verify", &by_age])["status"], "ok");
    shell(&format!(
        "cd {} && sha256sum -c --quiet {}.sha256",
        text(&site.repository().join("backups")),
        ours
    ));
}

#[test]
fn a_passphrase_seals_and_opens() {
    let site = Site::sample();
    let passphrase = site.path("passphrase");
    fs::write(&passphrase, "correct horse CANARY\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let file = text(&passphrase);
    let record = site.create_with("files", &["--passphrase-file", &file]);
    let archive = text(&path_of(&record));
    run_json(0, &["verify", &archive, "--passphrase-file", &file]);
    fs::write(&passphrase, "wrong\n").unwrap();
    let error = run_json(1, &["verify", &archive, "--passphrase-file", &file]);
    assert_eq!(error["error"]["code"], "wrong_key", "{error}");
    fs::write(&passphrase, "").unwrap();
    let done = run(site
        .create_command("files")
        .args(["--json", "--passphrase-file", &file]));
    assert_eq!(done.expect(2).json()["error"]["code"], "passphrase");
}

#[test]
fn damage_costs_only_what_it_hits() {
    let site = Site::sample();
    let (identity, recipient) = key(&site, "key");
    let archive = sealed(&site, "files", &recipient);
    let whole = fs::read(&archive).unwrap();
    let damaged = site.path("damaged.tar.gz.age");
    let path = text(&damaged);
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let report = with_key(1, &identity, &["verify", &path]);
    assert_eq!(report["status"], "damaged");
    let hit = report["damaged"].as_array().unwrap().len();
    assert!(hit >= 1, "{report}");
    let target = text(&site.path("rest"));
    let rest = with_key(
        3,
        &identity,
        &["restore", &path, "--target", &target, "--force"],
    );
    assert_eq!(rest["status"], "PARTIAL");
    assert!(rest["files"].as_u64().unwrap() >= 10, "{rest}");
    // The end is lost: what comes before it is still there.
    fs::write(&damaged, &whole[..whole.len() * 3 / 4]).unwrap();
    with_key(1, &identity, &["verify", &path]);
    // Without its header nothing can be opened, and that is said.
    let mut bytes = whole;
    bytes[40] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let error = with_key(1, &identity, &["verify", &path]);
    let code = error["error"]["code"].as_str().unwrap();
    assert!(
        ["seal_header_damaged", "wrong_key"].contains(&code),
        "{error}"
    );
}

#[test]
fn a_configured_recipient_seals_every_backup() {
    let site = Site::sample();
    let (identity, recipient) = key(&site, "key");
    let recipients = site.path("recipients.txt");
    fs::write(&recipients, format!("# backup\n{recipient}\n")).unwrap();
    let config = site.path("config.toml");
    fs::write(
        &config,
        "[encryption]\nrecipients_file = \"recipients.txt\"\n",
    )
    .unwrap();
    let record = site.create_with("files", &["--config", &text(&config)]);
    let archive = text(&path_of(&record));
    assert!(archive.ends_with(".tar.gz.age"));
    with_key(0, &identity, &["verify", &archive]);
    fs::write(&recipients, "age1nonsense\n").unwrap();
    let done = run(site
        .create_command("files")
        .args(["--json", "--config", &text(&config)]));
    assert_eq!(done.expect(2).json()["error"]["code"], "key_malformed");
    assert_eq!(
        run(edms().args(["key", "generate", "--output", &identity]))
            .expect(2)
            .code,
        2
    );
}
