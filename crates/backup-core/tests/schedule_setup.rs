//! Units, crontab lines and the default entries.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use backup_core::ConfigFile;
use backup_core::retention::RetentionPolicy;
use backup_core::schedule::systemd::{self, UnitOptions, Units};
use backup_core::schedule::{
    Available, Frequency, Runner, Scheduled, SetupError, crontab, default_entries, to_toml,
};

/// Remembers what it was asked to run; `crontab` works on a text.
#[derive(Default)]
struct Scripted {
    calls: Vec<String>,
    crontab: Option<String>,
    fails: bool,
}

impl Runner for Scripted {
    fn run(&mut self, program: &str, arguments: &[&str], input: &str) -> io::Result<String> {
        self.calls
            .push(format!("{program} {}", arguments.join(" ")));
        match (program, arguments) {
            _ if self.fails => Err(io::Error::other("exit status: 1: refused")),
            ("crontab", ["-l"]) => self
                .crontab
                .clone()
                .ok_or_else(|| io::Error::other("exit status: 1: no crontab for root")),
            ("crontab", ["-"]) => {
                self.crontab = Some(input.to_owned());
                Ok(String::new())
            }
            _ => Ok(String::new()),
        }
    }
}

fn options() -> UnitOptions {
    UnitOptions {
        program: "/usr/local/bin/edms-backup".into(),
        arguments: [
            "--config",
            "/etc/edms backup/100%$.toml",
            "schedule",
            "run-due",
        ]
        .map(str::to_owned)
        .to_vec(),
        writable: vec!["/var/backups/edms".into()],
        user: None,
        environment_file: Some("/etc/edms-backup/environment".into()),
    }
}

#[test]
fn units_are_hardened_and_quoted() {
    let units = Units::render(&options()).unwrap();
    for line in [
        r#"ExecStart=/usr/local/bin/edms-backup --config "/etc/edms backup/100%%$$.toml" schedule run-due"#,
        "ReadWritePaths=/var/backups/edms",
        "EnvironmentFile=-/etc/edms-backup/environment",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
    ] {
        assert!(
            units.service.lines().any(|found| found == line),
            "{line} is not in\n{}",
            units.service
        );
    }
    assert!(units.timer.contains("Persistent=true"));
    let as_user = UnitOptions {
        user: Some("edms".into()),
        writable: vec!["/tmp/repository".into()],
        ..options()
    };
    let service = Units::render(&as_user).unwrap().service;
    assert!(service.contains("User=edms\nCapabilityBoundingSet=\n"));
    assert!(
        !service.contains("PrivateTmp"),
        "a private /tmp would hide the repository"
    );
}

#[test]
fn nothing_can_add_a_line_to_a_unit_or_a_crontab() {
    let breaking = UnitOptions {
        user: Some("edms\nExecStartPre=/bin/evil".into()),
        ..options()
    };
    assert!(matches!(
        Units::render(&breaking),
        Err(SetupError::Unwritable(_))
    ));
    let relative = UnitOptions {
        program: "edms-backup".into(),
        ..options()
    };
    assert!(matches!(
        Units::render(&relative),
        Err(SetupError::NotAbsolute(_))
    ));
    assert!(crontab::line(Path::new("/bin/true"), &["a\nb"]).is_err());
}

#[test]
fn systemd_has_nothing_against_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let real = UnitOptions {
        program: "/bin/true".into(),
        ..options()
    };
    systemd::install(
        folder.path(),
        &Units::render(&real).unwrap(),
        &mut Scripted::default(),
    )
    .unwrap();
    let units = [systemd::SERVICE, systemd::TIMER].map(|name| folder.path().join(name));
    let Ok(output) = Command::new("systemd-analyze")
        .arg("verify")
        .args(&units)
        .output()
    else {
        eprintln!("skipped: no systemd-analyze on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_us: Vec<_> = said
        .lines()
        .filter(|line| line.contains("edms-backup"))
        .collect();
    assert!(about_us.is_empty(), "{said}");
}

#[test]
fn units_are_installed_and_removed_again() {
    let folder = tempfile::tempdir().unwrap();
    let units = Units::render(&options()).unwrap();
    let mut runner = Scripted::default();
    for _ in 0..2 {
        systemd::install(folder.path(), &units, &mut runner).unwrap();
    }
    assert_eq!(
        runner.calls[..2],
        [
            "systemctl daemon-reload",
            "systemctl enable --now edms-backup.timer"
        ]
    );
    assert_eq!(
        fs::read_to_string(folder.path().join(systemd::TIMER)).unwrap(),
        units.timer
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no temporary file is left"
    );
    runner.calls.clear();
    for _ in 0..2 {
        systemd::remove(folder.path(), &mut runner).unwrap();
    }
    assert_eq!(
        runner.calls,
        [
            "systemctl disable --now edms-backup.timer",
            "systemctl daemon-reload"
        ]
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_failing_systemctl_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Scripted {
        fails: true,
        ..Scripted::default()
    };
    let error = systemd::install(
        folder.path(),
        &Units::render(&options()).unwrap(),
        &mut runner,
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "`systemctl daemon-reload` failed");
}

#[test]
fn the_crontab_keeps_what_is_not_ours() {
    let mut runner = Scripted::default();
    let line = crontab::line(Path::new("/usr/bin/edms-backup"), &["schedule", "run-due"]).unwrap();
    assert_eq!(line, "*/5 * * * * /usr/bin/edms-backup schedule run-due");
    crontab::install(&line, &mut runner).unwrap();
    crontab::remove(&mut runner).unwrap();
    assert_eq!(runner.crontab.as_deref(), Some(""));

    let others = "MAILTO=me\n0 1 * * * /bin/other";
    runner.crontab = Some(others.to_owned());
    crontab::install("old line", &mut runner).unwrap();
    crontab::install(&line, &mut runner).unwrap();
    let text = runner.crontab.clone().unwrap();
    assert!(text.starts_with(&format!("{others}\n# BEGIN edms-backup")));
    assert!(text.contains(&line) && !text.contains("old line"));
    crontab::remove(&mut runner).unwrap();
    assert_eq!(runner.crontab, Some(format!("{others}\n")));
}

#[test]
fn a_damaged_block_in_the_crontab_takes_nothing_with_it() {
    let text = crontab::with_line("", "x");
    let cut = text.replace("# END edms-backup\n", "0 1 * * * /bin/other\n");
    assert!(crontab::without_line(&cut).contains("/bin/other"));
}

#[test]
fn the_shell_of_cron_gets_each_argument_whole() {
    let arguments = ["it's", "100%", "a b", "", "$(reboot)"];
    let line = crontab::line(
        Path::new("/usr/bin/printf"),
        &[&["[%s]"], &arguments[..]].concat(),
    )
    .unwrap();
    let command = line.strip_prefix("*/5 * * * * ").unwrap();
    // What cron does to a line: an escaped per cent sign loses its backslash.
    assert!(!command.replace(r"\%", "").contains('%'));
    let output = Command::new("sh")
        .args(["-c", &command.replace(r"\%", "%")])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "[it's][100%][a b][][$(reboot)]"
    );
}

#[test]
fn default_entries_are_off_where_something_is_missing() {
    let all = Available {
        database: true,
        files: true,
        repository: true,
    };
    let entries = default_entries(all, "Europe/Berlin");
    assert_eq!(
        entries.iter().map(|entry| entry.name).collect::<Vec<_>>(),
        [
            "daily_full_backup",
            "hourly_incremental",
            "weekly_full_backup",
            "monthly_export"
        ]
    );
    // What is written is what the program reads.
    let config: ConfigFile = toml::from_str(&to_toml(&entries)).unwrap();
    let scheduled: Vec<_> = config
        .schedule
        .iter()
        .map(|entry| Scheduled::from_entry(entry).unwrap())
        .collect();
    assert_eq!(scheduled[2].schedule.frequency, Frequency::Weekly);
    assert_eq!(scheduled[2].schedule.zone, chrono_tz::Europe::Berlin);
    let policy = RetentionPolicy::from_entries(&config.schedule, Some(30)).unwrap();
    assert_eq!(
        policy
            .rules(Some("weekly_full_backup"))
            .unwrap()
            .keep_weekly,
        Some(8)
    );
    assert_eq!(policy.rules(None).unwrap().retention_days, Some(30));
    assert!(
        policy
            .rules(Some("hourly_incremental"))
            .is_some_and(|rules| !rules.is_unlimited())
    );

    let text = to_toml(&default_entries(
        Available {
            database: false,
            ..all
        },
        "UTC",
    ));
    assert!(
        text.starts_with(
            "# turned off: it needs a [database]\n[[schedule]]\nname = \"daily_full_backup\"\n"
        ),
        "{text}"
    );
    let config: ConfigFile = toml::from_str(&text).unwrap();
    assert_eq!(
        config
            .schedule
            .iter()
            .filter(|entry| entry.enabled)
            .map(|entry| entry.name.as_str())
            .collect::<Vec<_>>(),
        ["hourly_incremental"]
    );
}
