//! Restores over a living system that are killed: after `recover`, database and files are both old or both new, and `undo` works.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::support::{Site, edms, run, text};

/// Calls to kill at: those that change the file system, and those that talk to the server. Each is counted by itself, in each thread.
const CALLS: [&str; 7] = [
    "renameat",
    "renameat2",
    "fsync",
    "unlinkat",
    "mkdirat",
    "write",
    "sendto",
];

/// Moments spread over the whole restore, and as many at its end, where both systems change hands.
const MOMENTS: usize = 5;

struct Scene {
    site: Site,
    archive: String,
}

impl Scene {
    /// Backed up when database and file said `old`; they say `new` now.
    fn changed() -> Self {
        let site = Site::empty();
        fs::create_dir(site.storage().join("documents")).unwrap();
        site.server.psql(
            &site.database,
            "CREATE TABLE letter AS SELECT 'old' AS body; CREATE INDEX ON letter (body)",
        );
        fs::write(letter(&site), "old").unwrap();
        let archive = text(&site.archive("full"));
        site.server
            .psql(&site.database, "UPDATE letter SET body = 'new'");
        fs::write(letter(&site), "new").unwrap();
        fs::write(site.storage().join("documents/added.txt"), "new").unwrap();
        Self { site, archive }
    }

    fn state(&self) -> (String, String, bool) {
        (
            self.site
                .server
                .psql(&self.site.database, "SELECT body FROM letter"),
            fs::read_to_string(letter(&self.site)).unwrap(),
            self.site.storage().join("documents/added.txt").exists(),
        )
    }

    /// The part of the command line that names the site.
    fn on_site(&self, command: &mut Command) {
        let documents = self.site.storage().join("documents");
        command
            .args(["--files", &format!("documents={}", documents.display())])
            .env("DATABASE_URL", self.site.server.url(&self.site.database));
    }

    /// Restores under `strace` with these options.
    fn restore(&self, options: &[String]) -> ExitStatus {
        let restore = edms();
        let mut command = Command::new("strace");
        command
            .args(["-f", "-qq"])
            .args(options)
            .arg(restore.get_program())
            .args([
                "restore",
                &self.archive,
                "--into",
                "swap",
                "--force",
                "--jobs",
                "1",
            ])
            .env("HOME", "/nonexistent")
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.on_site(&mut command);
        command.status().expect("strace")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = edms();
        command.args(arguments);
        self.on_site(&mut command);
        command
    }

    /// Takes the restore back, when the site has it, and forgets it.
    fn take_back(&self) {
        let kept = self.site.server.psql(
            "postgres",
            &format!("SELECT substring(datname FROM '__edms_old_(.*)') FROM pg_database WHERE datname LIKE '{}\\_\\_edms\\_old%'", self.site.database),
        );
        run(&mut self.command(&["undo", &kept])).expect(0);
        assert_eq!(self.state(), new(), "after undo");
        run(&mut self.command(&["forget", &kept])).expect(0);
    }
}

fn letter(site: &Site) -> std::path::PathBuf {
    site.storage().join("documents/letter.txt")
}

fn old() -> (String, String, bool) {
    ("old".into(), "old".into(), false)
}

fn new() -> (String, String, bool) {
    ("new".into(), "new".into(), true)
}

/// How often a traced call is made by the thread that makes most of them.
fn count(trace: &Path) -> usize {
    let trace = fs::read_to_string(trace).unwrap();
    let threads: BTreeSet<&str> = trace
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let of = |thread: &str| {
        let calls = trace
            .lines()
            .filter(|line| line.split(' ').next() == Some(thread));
        calls
            .filter(|line| line.contains('(') && !line.contains("resumed"))
            .count()
    };
    threads.into_iter().map(of).max().unwrap_or(0)
}

#[test]
fn database_and_files_are_both_old_or_both_new() {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    if !works.is_ok_and(|status| status.success()) {
        testkit::user::skipped("killed restores", "strace is not there, or may not trace");
        return;
    }
    let scene = Scene::changed();
    let trace = scene.site.path("trace");
    let (mut killed, mut forward) = (0, 0);
    for calls in CALLS {
        let all = scene.restore(&[
            "-o".into(),
            text(&trace),
            "-e".into(),
            format!("trace={calls}"),
        ]);
        assert!(all.success());
        assert_eq!(scene.state(), old());
        scene.take_back();
        let total = count(&trace);
        let spread = (0..MOMENTS).map(|moment| 1 + moment * total / MOMENTS);
        let moments: BTreeSet<usize> = spread
            .chain(total.saturating_sub(MOMENTS).max(1)..=total)
            .collect();
        for moment in moments {
            let inject = format!("inject={calls}:signal=KILL:when={moment}");
            let status = scene.restore(&["-o".into(), "/dev/null".into(), "-e".into(), inject]);
            killed += u32::from(status.signal().is_some() || !status.success());
            run(&mut scene.command(&["recover"])).expect(0);
            let state = scene.state();
            assert!(
                state == old() || state == new(),
                "killed at call {moment} of {calls}: {state:?}"
            );
            if state == old() {
                forward += 1;
                scene.take_back();
            }
            let databases = format!(
                "SELECT count(*) FROM pg_database WHERE datname LIKE '{}%'",
                scene.site.database
            );
            assert_eq!(
                scene.site.server.psql("postgres", &databases),
                "1",
                "killed at call {moment} of {calls}"
            );
        }
    }
    assert!(killed >= 20, "only {killed} restores were killed");
    assert!(forward >= 1, "none was killed after the exchange");
}
