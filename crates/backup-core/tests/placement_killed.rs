//! A placement killed after any of its steps: after `recover`, everything is old or everything is new.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backup_core::placement::{
    Direction, RESTORE_PREFIX, RestoreState, Scope, StageOptions, Steps, list, recover, recover_to,
    stage, undo,
};
use rustix::process::{Signal, getpid, kill_process};
use testkit::tree::{Snapshot, set_mode, set_mtime, snapshot};

/// Kills its own process at the n-th step.
struct KillAt {
    left: AtomicUsize,
}

impl Steps for KillAt {
    fn reached(&self, _step: &'static str) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_process(getpid(), Signal::KILL).expect("kill myself");
        }
    }
}

const JOB: &str = "PLACEMENT_TEST_JOB";
const TARGET: &str = "PLACEMENT_TEST_TARGET";
const STEP: &str = "PLACEMENT_TEST_STEP";

fn old_tree(root: &Path) {
    for (name, content) in [
        ("both", "old"),
        ("file-then-folder", "old"),
        ("only-old", "old"),
    ] {
        fs::write(root.join(name), content).unwrap();
    }
    fs::create_dir_all(root.join("folder/sub")).unwrap();
    fs::write(root.join("folder/sub/file"), "old").unwrap();
    fs::write(root.join("folder/other"), "untouched by a partial restore").unwrap();
    set_mtime(&root.join("folder/sub"), 100, 1);
    set_mtime(&root.join("folder"), 100, 2);
    set_mtime(root, 100, 3);
}

fn new_tree(root: &Path) {
    fs::write(root.join("both"), "new").unwrap();
    fs::create_dir_all(root.join("file-then-folder/x")).unwrap();
    fs::create_dir_all(root.join("folder/sub")).unwrap();
    fs::write(root.join("folder/sub/file"), "new").unwrap();
    fs::create_dir_all(root.join("made/by/restore")).unwrap();
    fs::write(root.join("made/by/restore/file"), "new").unwrap();
    set_mtime(&root.join("made/by"), 200, 1);
    set_mtime(&root.join("made"), 200, 2);
    set_mode(root, 0o711);
    set_mtime(root, 200, 3);
}

const SELECTED: [&str; 4] = [
    "both",
    "file-then-folder",
    "folder/sub/file",
    "made/by/restore",
];

fn place(target: &Path, steps: Arc<dyn Steps>, partial: bool) {
    let options = StageOptions {
        force: true,
        always_keep: true,
        steps,
    };
    let staging = stage(target, "r1", &options).unwrap();
    new_tree(&staging.path());
    let mut paths = SELECTED.map(|path| path.into()).into_iter();
    let scope = if partial {
        Scope::Paths(&mut paths)
    } else {
        Scope::Whole
    };
    staging.prepare(scope).unwrap().place().unwrap();
}

/// Run in a process of its own by the tests below; by itself it does nothing.
#[test]
fn job() {
    let Ok(job) = std::env::var(JOB) else { return };
    let target = std::env::var(TARGET).unwrap();
    let left = AtomicUsize::new(std::env::var(STEP).unwrap().parse().unwrap());
    let (target, steps) = (Path::new(&target), Arc::new(KillAt { left }));
    match job.as_str() {
        "whole" => place(target, steps, false),
        "partial" => place(target, steps, true),
        "recover" => drop(recover(target, steps).unwrap()),
        "undo" => drop(recover_to(target, "r1", Direction::Back, steps).unwrap()),
        other => panic!("unknown job {other}"),
    }
}

/// Runs a job until it is killed at `step`; false when it ended before.
fn killed(job: &str, target: &Path, step: usize) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "job"])
        .env(JOB, job)
        .env(TARGET, target)
        .env(STEP, step.to_string());
    let output = command.output().unwrap();
    match output.status.signal() {
        Some(9) => true,
        _ => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            );
            false
        }
    }
}

fn live(target: &Path) -> Snapshot {
    snapshot(target).without(|path| {
        path.as_os_str()
            .to_string_lossy()
            .starts_with(RESTORE_PREFIX)
    })
}

struct Expected {
    old: Snapshot,
    new: Snapshot,
}

impl Expected {
    fn of(partial: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path();
        set_mode(target, 0o755);
        old_tree(target);
        let old = snapshot(target);
        place(target, Arc::new(()), partial);
        Self {
            old,
            new: live(target),
        }
    }

    #[track_caller]
    fn assert_old(&self, target: &Path, when: &str) {
        let differences = self.old.differences(&snapshot(target));
        assert!(
            differences.is_empty(),
            "{when}: not the old tree:\n{}",
            differences.join("\n")
        );
    }

    #[track_caller]
    fn assert_new(&self, target: &Path, partial: bool, when: &str) {
        let mut differences = self.new.differences(&live(target));
        if partial {
            // Folders that a path was swapped in have the time of that moment.
            differences.retain(|line| !line.contains(": mtime"));
        } else {
            differences.retain(|line| !is_made_now(line));
        }
        assert!(
            differences.is_empty(),
            "{when}: not the new tree:\n{}",
            differences.join("\n")
        );
    }
}

/// Files of the scenario whose time is that of the test, not one that was set.
fn is_made_now(line: &str) -> bool {
    line.contains(": mtime")
        && !["\"\"", "\"made\"", "\"made/by\""]
            .iter()
            .any(|set| line.starts_with(&format!("{set}:")))
}

fn fresh(target: &Path, expected: &mut Expected) {
    set_mode(target, 0o755);
    old_tree(target);
    expected.old = snapshot(target);
}

fn killed_at_every_step(job: &str, partial: bool) {
    let mut expected = Expected::of(partial);
    let (mut olds, mut news) = (0, 0);
    for step in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path();
        fresh(target, &mut expected);
        if !killed(job, target, step) {
            break;
        }
        recover(target, Arc::new(())).unwrap();
        let when = format!("{job} killed at step {step}");
        match list(target).unwrap().as_slice() {
            [] => {
                olds += 1;
                expected.assert_old(target, &when);
            }
            [restore] => {
                news += 1;
                assert_eq!(restore.state, RestoreState::Placed, "{when}");
                expected.assert_new(target, partial, &when);
                undo(target, "r1").unwrap();
                expected.assert_old(target, &format!("{when}, then undone"));
            }
            more => panic!("{when}: {more:?}"),
        }
        assert_eq!(recover(target, Arc::new(())).unwrap(), []);
    }
    assert!(olds > 1 && news > 5, "{olds} times old, {news} times new");
}

#[test]
fn a_whole_restore() {
    killed_at_every_step("whole", false);
}

#[test]
fn a_partial_restore() {
    killed_at_every_step("partial", true);
}

#[test]
fn a_recovery_or_an_undo_is_killed_again_and_again() {
    for partial in [false, true] {
        let mut expected = Expected::of(partial);
        for (first, then) in [(None, "undo"), (Some(4), "recover"), (Some(7), "recover")] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path();
            fresh(target, &mut expected);
            let job = if partial { "partial" } else { "whole" };
            assert_eq!(
                killed(job, target, first.unwrap_or(usize::MAX)),
                first.is_some()
            );
            // Each attempt comes one step further than the one before, and is killed there.
            let mut attempts = 0;
            for step in 1.. {
                attempts += 1;
                if target.join(format!("{RESTORE_PREFIX}r1")).exists() && killed(then, target, step)
                {
                    continue;
                }
                break;
            }
            recover(target, Arc::new(())).unwrap();
            assert!(attempts > 2, "{then} had only {attempts} attempts");
            if list(target).unwrap().is_empty() {
                expected.assert_old(target, then);
            } else {
                expected.assert_new(target, partial, then);
                undo(target, "r1").unwrap();
                expected.assert_old(target, then);
            }
        }
    }
}
