//! What runs by itself, through the command line: wiring, exit codes, JSON.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{edms, run};

/// A configured site without a database.
struct Unattended {
    folder: TempDir,
}

impl Unattended {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::write(folder.path().join("documents/one"), "one").unwrap();
        let config =
            format!("[repository]\npath = \"backups\"\n[files]\ndocuments = \"documents\"\n{more}");
        fs::write(folder.path().join("edms-backup.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = edms();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    #[track_caller]
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        run(self.command(arguments).arg("--json"))
            .expect(code)
            .json()
    }

    #[track_caller]
    fn text(&self, code: i32, arguments: &[&str]) -> String {
        run(&mut self.command(arguments)).expect(code).stdout
    }
}

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

#[test]
fn removal_asks_refuses_and_explains() {
    let site = Unattended::new(
        "[[schedule]]\nname = \"daily\"\nbackup_type = \"FILES\"\nfrequency = \"DAILY\"\nmax_backups = 2\nkeep_minimum = 1\n",
    );
    let create = ["create", "files", "--configuration", "daily"];
    let first = site.json(0, &create);
    let manual = site.json(0, &["create", "files"]);
    site.json(0, &["pin", id(&manual), "--reason", "case 17"]);
    let error = site.json(1, &["delete", id(&manual), "--force"]);
    assert_eq!(error["error"]["code"], "pinned");
    assert!(error["error"]["message"].to_string().contains("case 17"));
    // There is nobody to ask.
    let second = site.json(0, &create);
    let error = site.json(1, &["delete", id(&second)]);
    assert_eq!(error["error"]["code"], "not_confirmed");
    site.json(0, &["delete", id(&second), "--force"]);
    let error = site.json(1, &["delete", id(&first)]);
    assert_eq!(error["error"]["code"], "last_good_backup");
    let error = site.json(1, &["delete", "20000101T000000Z", "--force"]);
    assert_eq!(error["error"]["code"], "no_such_backup");

    let listed = site.json(0, &["list"]);
    let pinned: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["pinned"])
        .collect();
    assert!(
        pinned.contains(&&Value::Bool(true)) && pinned.len() == 2,
        "{listed}"
    );
    let text = site.text(0, &["prune", "--dry-run"]);
    assert!(
        text.contains("pinned") && text.contains("2 to keep, 0 to drop"),
        "{text}"
    );
    site.json(0, &["unpin", id(&manual)]);
    let plan = site.json(0, &["prune"]);
    assert_eq!(plan["deleted"], Value::Array(Vec::new()), "{plan}");
    // By the environment also what no configuration made.
    let done = run(site
        .command(&["prune", "--json", "--dry-run"])
        .env("BACKUP_RETENTION_DAYS", "soon"));
    assert_eq!(done.expect(2).json()["error"]["code"], "config_value");
    assert_eq!(
        site.json(2, &["prune", "--configuration", "none"])["error"]["code"],
        "no_such_configuration"
    );
}

#[test]
fn the_journal_is_shown_and_checked() {
    let site = Unattended::new("");
    let record = site.json(0, &["create", "files"]);
    site.json(0, &["verify", id(&record)]);
    site.json(1, &["verify", "nothing/there"]);
    let target = site.path("restored").display().to_string();
    site.json(0, &["restore", id(&record), "--target", &target]);
    let lines = site.json(0, &["audit"]);
    let actions: Vec<_> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{} {}", line["action"], line["result"]))
        .collect();
    assert_eq!(
        actions,
        [
            r#""create" "success""#,
            r#""verify" "success""#,
            r#""verify" "failure""#,
            r#""restore" "success""#
        ]
    );
    assert_eq!(lines[0]["who"]["face"], "cli");
    assert!(site.text(0, &["audit"]).contains("create"));
    assert_eq!(site.json(0, &["audit", "--verify"])["entries"], 4);

    let journal = site.path("backups/audit.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("failure", "success", 1)).unwrap();
    let report = site.json(1, &["audit", "--verify"]);
    assert_eq!(report["problems"][0]["kind"]["code"], "edited", "{report}");
    assert!(site.text(1, &["audit", "--verify"]).contains("NOT INTACT"));
}

#[test]
fn what_is_due_runs_and_the_exit_code_is_that_of_the_worst() {
    let entry = |name: &str, kind: &str| {
        format!(
            "[[schedule]]\nname = \"{name}\"\nbackup_type = \"{kind}\"\nfrequency = \"HOURLY\"\n"
        )
    };
    let site = Unattended::new(&(entry("files", "FILES") + &entry("broken", "DATABASE")));
    let list = site.json(0, &["schedule", "list"]);
    assert_eq!(list[0]["is_due"], true, "{list}");
    let runs = site.json(1, &["schedule", "run-due"]);
    assert_eq!(runs["runs"][0]["status"], "COMPLETE", "{runs}");
    assert_eq!(runs["runs"][0]["result"]["configuration"], "files");
    assert_eq!(runs["runs"][1]["status"], "FAILED");
    assert_eq!(runs["runs"][1]["error"]["code"], "no_database");
    let runs = site.json(0, &["schedule", "run-due"]);
    assert_eq!(runs["runs"], Value::Array(Vec::new()));
    site.json(0, &["schedule", "disable", "broken"]);
    let list = site.json(0, &["schedule", "list"]);
    assert_eq!(list[1]["enabled"], false, "{list}");
    assert_eq!(list[0]["last_run"]["status"], "COMPLETE");
    let error = site.json(2, &["schedule", "enable", "no such"]);
    assert!(
        error["error"]["hint"].to_string().contains("files, broken"),
        "{error}"
    );
    assert_eq!(site.json(0, &["audit"])[0]["who"]["face"], "schedule");
}

#[test]
fn a_schedule_that_cannot_be_is_said_when_the_file_is_read() {
    for (wrong, said) in [
        ("frequency = \"SOMETIMES\"", "SOMETIMES"),
        ("frequency = \"DAILY\"\nschedule_time = \"25:00\"", "25:00"),
        ("frequency = \"DAILY\"\ntime_zone = \"Nowhere\"", "Nowhere"),
        ("frequency = \"WEEKLY\"\nweekday = \"someday\"", "someday"),
        ("frequency = \"MONTHLY\"\nmonth_day = 32", "32"),
        ("frequency = \"DAILY\"\nkeep_minimum = 0", "keep_minimum"),
    ] {
        let site = Unattended::new(&format!(
            "[[schedule]]\nname = \"x\"\nbackup_type = \"FILES\"\n{wrong}\n"
        ));
        let error = site.json(2, &["config", "check"]);
        assert!(error["error"].to_string().contains(said), "{error}");
    }
}

#[test]
fn default_configurations_and_their_timer_are_set_up_and_removed() {
    let site = Unattended::new("");
    let created = site.json(
        0,
        &[
            "schedule",
            "create-defaults",
            "--time-zone",
            "Europe/Berlin",
        ],
    );
    assert_eq!(
        created["disabled"].as_array().map(Vec::len),
        Some(3),
        "{created}"
    );
    // Stand-ins of the system's programs, which write down what they are asked.
    let programs = site.path("bin");
    fs::create_dir(&programs).unwrap();
    for (name, script) in [
        ("systemctl", "echo \"$*\" >> \"$0.log\""),
        (
            "crontab",
            "if [ \"$1\" = -l ]; then cat \"$0.table\" 2>/dev/null || { echo 'no crontab for me' >&2; exit 1; }; else cat > \"$0.table\"; fi",
        ),
    ] {
        let path = programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        testkit::tree::set_mode(&path, 0o755);
    }
    let units = site.path("units");
    fs::create_dir(&units).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let setup = |arguments: &[&str]| {
        let done = run(site
            .command(&["schedule", "setup"])
            .args(arguments)
            .env("PATH", &path));
        done.expect(0)
    };
    let folder = units.display().to_string();
    setup(&["--systemd", "--unit-folder", &folder]);
    let service = fs::read_to_string(units.join("edms-backup.service")).unwrap();
    assert!(service.contains("schedule run-due"), "{service}");
    assert!(
        service.contains(&site.path("edms-backup.toml").display().to_string()),
        "{service}"
    );
    assert!(units.join("edms-backup.timer").exists());
    setup(&["--systemd", "--unit-folder", &folder, "--remove"]);
    assert_eq!(fs::read_dir(&units).unwrap().count(), 0);
    setup(&["--cron"]);
    let table = fs::read_to_string(programs.join("crontab.table")).unwrap();
    assert!(
        table.contains("*/5 * * * *") && table.contains("run-due"),
        "{table}"
    );
    setup(&["--cron", "--remove"]);
    assert_eq!(
        fs::read_to_string(programs.join("crontab.table")).unwrap(),
        ""
    );
    run(&mut site.command(&["schedule", "setup"])).expect(2);
}

#[test]
fn health_has_an_exit_code_and_three_formats() {
    let site = Unattended::new(
        "[health.backup_system]\nlast_complete_hours = { warning = 1000, critical = 2000 }\n",
    );
    let report = site.json(1, &["health", "--check", "BACKUP_SYSTEM"]);
    assert_eq!(report["status"], "CRITICAL", "{report}");
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(1));
    site.json(0, &["create", "files"]);
    let report = site.json(3, &["health", "--check", "backup_system"]);
    assert_eq!(report["status"], "WARNING", "{report}");
    let text = site.text(3, &["health", "--check", "BACKUP_SYSTEM"]);
    assert!(text.contains("schedule create-defaults"), "{text}");
    let metrics = run(&mut site.command(&["health", "--format", "prometheus"])).stdout;
    assert!(metrics.contains("# TYPE"), "{metrics}");
    for check in ["DATABASE", "STORAGE", "APPLICATION", "BACKUP_SYSTEM"] {
        assert!(metrics.contains(check), "{check}: {metrics}");
    }
    run(&mut site.command(&["health", "--check", "WEATHER"])).expect(2);
}

#[test]
fn long_work_is_told_in_lines_of_json() {
    let site = Unattended::new("");
    let done = run(&mut site.command(&["create", "files", "--json", "--events"])).expect(0);
    assert_eq!(done.json()["status"], "COMPLETE");
    let events: Vec<Value> = done
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    assert_eq!(events[0]["event"], "phase");
    assert!(
        events.iter().any(|event| event["phase"] == "verifying"),
        "{events:?}"
    );
}

#[test]
fn records_are_made_anew() {
    let site = Unattended::new("");
    let record = site.json(0, &["create", "files"]);
    fs::remove_file(site.path(&format!("backups/backups/{}.toml", id(&record)))).unwrap();
    let rebuilt = site.json(0, &["catalogue", "rebuild"]);
    assert_eq!(rebuilt["written"][0], record["id"], "{rebuilt}");
    assert!(
        site.text(0, &["catalogue", "rebuild"])
            .contains("1 were right")
    );
    fs::write(
        site.path("backups/backups/20260101T000000Z-files-00000000.tar.gz"),
        "x",
    )
    .unwrap();
    assert_eq!(
        site.json(3, &["catalogue", "rebuild"])["unreadable"][0]["error"]["code"],
        "repository_io"
    );
}
