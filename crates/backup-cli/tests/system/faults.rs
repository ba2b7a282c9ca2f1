//! SIGKILL, ENOSPC and EIO at the n-th system call that changes something, for every n.
//!
//! strace injects them. It counts in each thread by itself, so a fault comes at the n-th call of the first thread that gets so far.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use backup_core::{
    BackupId, BackupKind, CreateOptions, Destination, Repository, Silent, VerifyOptions,
    VerifyStatus, create, verify,
};
use tempfile::TempDir;
use testkit::user::skipped;

use crate::support::{edms, run};

/// System calls that change something, each group counted by itself.
const CALLS: [&str; 7] = [
    "write,pwrite64,writev,copy_file_range",
    "fsync,fdatasync",
    "rename,renameat,renameat2",
    "mkdir,mkdirat",
    "unlink,unlinkat,rmdir",
    "ftruncate",
    "flock",
];

/// No command makes so many calls of one group.
const MOST: u32 = 500;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Kill,
    NoSpace,
    Io,
}

impl Fault {
    fn injection(self) -> &'static str {
        match self {
            Self::Kill => "signal=KILL",
            Self::NoSpace => "error=ENOSPC",
            Self::Io => "error=EIO",
        }
    }
}

/// What became of a command that was struck.
struct Struck {
    /// Its exit code; none when it was killed.
    code: Option<i32>,
    /// Whether only the printing of its result was hit, when all was done.
    in_output: bool,
}

/// A small site without a database. Its configuration keeps two backups.
struct Small {
    folder: TempDir,
}

impl Small {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(folder: TempDir) -> Self {
        let documents = folder.path().join("documents");
        fs::create_dir(&documents).unwrap();
        fs::write(documents.join("one"), "one").unwrap();
        fs::write(documents.join("two"), testkit::tree::noise(7, 100_000)).unwrap();
        let config = "[repository]\npath = \"backups\"\n[files]\ndocuments = \"documents\"\n\
            [[schedule]]\nname = \"small\"\nbackup_type = \"FILES\"\nfrequency = \"DAILY\"\nmax_backups = 2\nkeep_minimum = 1\n";
        fs::write(folder.path().join("edms-backup.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn repository(&self) -> Repository {
        Repository::open(self.path("backups")).unwrap()
    }

    /// A backup of the configuration that nothing disturbs.
    fn create(&self) -> BackupId {
        self.create_for(Some("small"))
    }

    fn create_by_hand(&self) -> BackupId {
        self.create_for(None)
    }

    /// In this process: that is faster.
    fn create_for(&self, configuration: Option<&str>) -> BackupId {
        let destination = Destination::Repository(self.path("backups"));
        let mut options = CreateOptions::new(BackupKind::Files, destination);
        options
            .files
            .insert("documents".into(), self.path("documents"));
        options.configuration = configuration.map(str::to_owned);
        create(&options, &Silent).expect("the next run succeeds").id
    }

    /// Every backup that is listed; panics unless each of them verifies.
    fn verified(&self) -> BTreeSet<BackupId> {
        let listing = self.repository().list().unwrap();
        assert!(listing.unreadable.is_empty(), "{:?}", listing.unreadable);
        let options = VerifyOptions::default();
        for record in &listing.backups {
            let outcome = verify(&record.path, &options, &Silent).unwrap();
            assert_eq!(outcome.status, VerifyStatus::Ok, "{}", record.id);
        }
        listing
            .backups
            .into_iter()
            .map(|record| record.id)
            .collect()
    }

    /// Runs the command with a fault at the n-th call of a group. `None`: it made fewer calls.
    fn strike(&self, command: &[&str], calls: &str, fault: Fault, n: u32) -> Option<Struck> {
        let trace = self.path("trace");
        let binary = edms();
        let status = Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(&trace)
            .arg(format!("--trace={calls}"))
            .arg(format!("--inject={calls}:{}:when={n}", fault.injection()))
            .arg(binary.get_program())
            .args(command)
            .args(["--jobs", "1", "--json"])
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("strace: scripts/install-tools.sh strace");
        let trace = fs::read_to_string(&trace).unwrap();
        let struck = trace.contains("(INJECTED)") || trace.contains("killed by SIGKILL");
        struck.then(|| Struck {
            code: status.code(),
            in_output: trace
                .lines()
                .filter(|line| line.contains("(INJECTED)"))
                .all(|line| line.contains("write(1, ")),
        })
    }

    /// Whatever a fault left is gone after the next run.
    fn assert_tidy(&self) {
        let repository = self.path("backups");
        assert_eq!(fs::read_dir(repository.join("running")).unwrap().count(), 0);
        let ids = self.verified();
        let backups = names(&repository.join("backups"));
        for name in &backups {
            assert!(
                ids.iter().any(|id| name.starts_with(id.as_str())),
                "{name} belongs to no backup"
            );
        }
        for name in names(&repository) {
            assert!(
                !name.ends_with(".new") && !name.starts_with('.'),
                "{name} was left over"
            );
        }
        let report = self.repository().verify_journal().unwrap();
        assert!(report.is_intact(), "{report:?}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Whether processes can be traced here; some containers forbid it.
fn can_trace(test: &str) -> bool {
    let traced = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status()
        .expect("strace: scripts/install-tools.sh strace");
    if !traced.success() {
        skipped(test, "processes may not be traced here");
    }
    traced.success()
}

/// Strikes `command` at every point; `prepare` makes the site what it shall find, and returns what must survive whatever happens.
fn exhaust(command: &[&str], fault: Fault, prepare: impl Fn(&Small) -> BTreeSet<BackupId>) {
    if !can_trace("faults") {
        return;
    }
    let site = Small::new();
    let mut points = 0;
    for calls in CALLS {
        for n in 1.. {
            assert!(n < MOST, "{calls} has no end");
            let kept = prepare(&site);
            let before = site.verified();
            let increment = kept.iter().find(|id| id.kind() == BackupKind::Incremental);
            let words: Vec<&str> = command
                .iter()
                .map(|word| match (*word, increment) {
                    ("INCREMENT", Some(id)) => id.as_str(),
                    (word, _) => word,
                })
                .collect();
            let Some(struck) = site.strike(&words, calls, fault, n) else {
                break;
            };
            points += 1;
            let place = format!("{command:?}, {fault:?} at {calls} number {n}");
            let after = site.verified();
            assert!(kept.is_subset(&after), "{place}: lost {:?}", &kept - &after);
            if fault != Fault::Kill {
                let code = struck.code;
                assert!(matches!(code, Some(0 | 1)), "{place}: exit code {code:?}");
                if code == Some(1) && command[0] == "create" && !struck.in_output {
                    assert!(before.is_subset(&after), "{place}: retention ran");
                }
            }
            site.create();
            site.assert_tidy();
        }
    }
    assert!(points > 5, "only {points} points");
}

/// For a backup: one by hand, which no retention touches.
fn by_hand(site: &Small) -> BTreeSet<BackupId> {
    if !site.path("backups").exists() {
        site.create_by_hand();
    }
    let backups = site.repository().list().unwrap().backups;
    backups
        .into_iter()
        .filter(|record| record.configuration.is_none())
        .map(|record| record.id)
        .collect()
}

#[test]
fn a_backup_killed_at_any_call() {
    exhaust(
        &["create", "files", "--configuration", "small"],
        Fault::Kill,
        by_hand,
    );
}

#[test]
fn a_backup_without_space_at_any_call() {
    exhaust(
        &["create", "files", "--configuration", "small"],
        Fault::NoSpace,
        by_hand,
    );
}

#[test]
fn a_backup_with_an_error_at_any_call() {
    exhaust(
        &["create", "files", "--configuration", "small"],
        Fault::Io,
        by_hand,
    );
}

/// For an increment: something to build on, and something that changed.
fn changed(site: &Small) -> BTreeSet<BackupId> {
    let kept = by_hand(site);
    let stamp = format!("{:?}", std::time::SystemTime::now());
    fs::write(site.path("documents/changing"), stamp).unwrap();
    kept
}

#[test]
fn an_increment_killed_at_any_call() {
    exhaust(&["create", "incremental"], Fault::Kill, changed);
}

#[test]
fn an_increment_without_space_at_any_call() {
    exhaust(&["create", "incremental"], Fault::NoSpace, changed);
}

/// For a consolidation: a full backup and an increment.
fn chain(site: &Small) -> BTreeSet<BackupId> {
    let kept = changed(site);
    let ids = site.verified();
    if !ids.iter().any(|id| id.kind() == BackupKind::Incremental) {
        let mut command = edms();
        command
            .current_dir(site.folder.path())
            .args(["create", "incremental"]);
        run(&mut command).expect(0);
    }
    let increment = site
        .verified()
        .into_iter()
        .find(|id| id.kind() == BackupKind::Incremental);
    kept.into_iter().chain(increment).collect()
}

#[test]
fn a_consolidation_killed_at_any_call() {
    exhaust(&["consolidate", "INCREMENT"], Fault::Kill, chain);
}

#[test]
fn a_consolidation_with_an_error_at_any_call() {
    exhaust(&["consolidate", "INCREMENT"], Fault::Io, chain);
}

/// For a removal: three backups, of which the pinned one stays.
fn pinned(site: &Small) -> BTreeSet<BackupId> {
    while !site.path("backups").exists() || site.verified().len() < 4 {
        site.create();
    }
    let repository = site.repository();
    let oldest = repository.list().unwrap().backups[0].id.clone();
    let who = backup_core::audit::Actor::this_process("test");
    backup_core::retention::pin(&repository, oldest.as_str(), None, &who).unwrap();
    [oldest].into()
}

#[test]
fn a_removal_killed_at_any_call() {
    exhaust(&["prune"], Fault::Kill, pinned);
}

#[test]
fn a_removal_with_an_error_at_any_call() {
    exhaust(&["prune"], Fault::Io, pinned);
}

#[test]
fn a_disk_that_is_really_full() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        skipped("a full disk", "nothing can be mounted here");
        return;
    }
    let mount = Mount(folder.path().to_owned());
    let site = Small::at(folder);
    let command = |arguments: &[&str]| {
        let mut command = edms();
        command
            .current_dir(site.folder.path())
            .args(arguments)
            .arg("--json");
        run(&mut command)
    };
    let mut made = 0;
    let full = loop {
        let done = command(&["create", "files"]);
        match done.code {
            0 => made += 1,
            _ => break done,
        }
        assert!(made < 100, "it never filled up");
    };
    assert_eq!(full.code, 1, "{full:?}");
    assert_eq!(full.json()["error"]["code"], "no_space");
    assert!(made > 2);
    assert_eq!(site.verified().len(), made);
    // Nothing is left free; removing one needs nothing, and makes room.
    let filler = site.path("filler");
    let _ = fs::write(&filler, vec![0; 1 << 20]);
    let oldest = site.repository().list().unwrap().backups[0].id.clone();
    command(&["delete", oldest.as_str(), "--force"]).expect(0);
    fs::remove_file(&filler).unwrap();
    command(&["create", "files"]).expect(0);
    assert_eq!(site.verified().len(), made);
    drop(mount);
}

/// Unmounts when it goes.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: the test may have failed with files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
