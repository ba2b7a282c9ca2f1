//! Restored files take the place of living ones entirely or not at all.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use backup_core::placement::{
    Direction, Placed, PlacementError, RESTORE_PREFIX, RestoreState, Scope, StageOptions, forget,
    list, recover, recover_to, stage, undo,
};
use testkit::tree::{Snapshot, odd_tree, random_tree, set_mode, set_mtime, set_xattr, snapshot};
use testkit::user::{is_root, run_as_ordinary_user, skipped};

fn forced() -> StageOptions {
    StageOptions {
        force: true,
        ..StageOptions::default()
    }
}

/// What an application sees: everything but our own folders.
fn live(target: &Path) -> Snapshot {
    let ours = |path: &Path| {
        path.as_os_str()
            .to_string_lossy()
            .starts_with(RESTORE_PREFIX)
    };
    snapshot(target).without(ours)
}

#[track_caller]
fn assert_same(left: &Snapshot, right: &Snapshot) {
    let differences = left.differences(right);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Replaces all of `target` with what `fill` makes.
fn replace_all(target: &Path, options: &StageOptions, fill: impl FnOnce(&Path)) -> Placed {
    let staging = stage(target, "r1", options).unwrap();
    fill(&staging.path());
    staging.prepare(Scope::Whole).unwrap().place().unwrap()
}

#[test]
fn a_whole_tree_is_replaced_undone_and_forgotten() {
    let [target, wanted] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    odd_tree(target.path());
    set_xattr(target.path(), "user.root", b"old");
    let before = snapshot(target.path());
    random_tree(wanted.path(), 5, 80);
    set_mode(wanted.path(), 0o751);
    set_mtime(wanted.path(), 1_000, 5);

    let placed = replace_all(target.path(), &forced(), |staging| {
        random_tree(staging, 5, 80);
        set_mode(staging, 0o751);
        set_mtime(staging, 1_000, 5);
    });
    assert!(placed.can_undo && placed.replaced > 0);
    assert_same(&live(target.path()), &snapshot(wanted.path()));
    assert_eq!(list(target.path()).unwrap()[0].state, RestoreState::Placed);
    assert_eq!(recover(target.path(), forced().steps).unwrap(), []);

    undo(target.path(), "r1").unwrap();
    assert_same(&snapshot(target.path()), &before);
    assert!(matches!(
        undo(target.path(), "r1"),
        Err(PlacementError::NoSuchRestore { .. })
    ));

    replace_all(target.path(), &forced(), |staging| {
        random_tree(staging, 5, 80);
        set_mode(staging, 0o751);
        set_mtime(staging, 1_000, 5);
    });
    forget(target.path(), "r1").unwrap();
    assert_same(&snapshot(target.path()), &snapshot(wanted.path()));
}

#[test]
fn restoring_into_nothing_leaves_nothing_but_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("not/yet/there");
    let placed = replace_all(&target, &StageOptions::default(), |staging| {
        random_tree(staging, 9, 40)
    });
    assert!(!placed.can_undo);
    let wanted = tempfile::tempdir().unwrap();
    random_tree(wanted.path(), 9, 40);
    set_mode(wanted.path(), 0o700);
    assert_same(&snapshot(&target), &snapshot(wanted.path()));

    let kept = folder.path().join("kept");
    let always = StageOptions {
        always_keep: true,
        ..StageOptions::default()
    };
    assert!(replace_all(&kept, &always, |staging| random_tree(staging, 9, 40)).can_undo);
    undo(&kept, "r1").unwrap();
    assert!(!kept.exists(), "the restore had made the folder");
}

#[test]
fn selected_paths_are_replaced_and_nothing_else() {
    let target = tempfile::tempdir().unwrap();
    odd_tree(target.path());
    let before = snapshot(target.path());
    let staging = stage(target.path(), "r1", &forced()).unwrap();
    let new = staging.path();
    fs::create_dir_all(new.join("names")).unwrap();
    fs::write(new.join("names/a"), b"restored").unwrap();
    fs::create_dir_all(new.join("links/twins")).unwrap();
    fs::write(new.join("links/twins/only"), b"restored").unwrap();
    fs::create_dir_all(new.join("lost/and/found")).unwrap();
    fs::write(new.join("lost/and/found/again"), b"restored").unwrap();
    set_mode(&new.join("lost/and"), 0o750);
    set_mtime(&new.join("lost/and"), 77, 0);
    let mut paths = ["names/a", "links/twins", "lost/and/found/again"]
        .map(|path| path.into())
        .into_iter();
    staging
        .prepare(Scope::Paths(&mut paths))
        .unwrap()
        .place()
        .unwrap();

    let mut changed: Vec<_> = before.differences(&live(target.path()));
    changed.retain(|line| !line.contains(": mtime"));
    for line in &changed {
        let expected = [
            "\"names/a\"",
            "\"links/twins",
            "\"lost",
            "\"links/another-one\": same file as",
        ];
        assert!(expected.iter().any(|path| line.starts_with(path)), "{line}");
    }
    assert_eq!(
        fs::read(target.path().join("names/a")).unwrap(),
        b"restored"
    );
    assert!(!target.path().join("links/twins/one").exists());
    assert_eq!(
        fs::read(target.path().join("lost/and/found/again")).unwrap(),
        b"restored"
    );
    use std::os::unix::fs::MetadataExt;
    let made = fs::metadata(target.path().join("lost/and")).unwrap();
    assert_eq!((made.mode() & 0o7777, made.mtime()), (0o750, 77));

    undo(target.path(), "r1").unwrap();
    assert_same(&snapshot(target.path()), &before);
}

#[test]
fn refuses_before_anything_is_touched() {
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("file"), b"x").unwrap();
    symlink("/etc", target.path().join("link")).unwrap();
    let before = snapshot(target.path());
    let unforced = stage(target.path(), "r1", &StageOptions::default());
    let error = unforced.err().unwrap();
    assert!(
        matches!(error, PlacementError::TargetNotEmpty { .. })
            && error.hint().unwrap().contains("--force")
    );
    assert!(matches!(
        stage(target.path(), "../x", &forced()),
        Err(PlacementError::BadId { .. })
    ));
    assert!(matches!(
        undo(target.path(), "../x"),
        Err(PlacementError::BadId { .. })
    ));
    assert!(matches!(
        stage(&target.path().join("file"), "r1", &forced()),
        Err(PlacementError::Io { .. })
    ));

    let first = stage(target.path(), "r1", &forced()).unwrap();
    assert!(matches!(
        stage(target.path(), "r2", &forced()),
        Err(PlacementError::Busy { .. })
    ));
    assert!(matches!(
        recover(target.path(), forced().steps),
        Err(PlacementError::Busy { .. })
    ));
    drop(first);
    assert_same(&snapshot(target.path()), &before);

    for below in ["file/x", "link/x"] {
        let staging = stage(target.path(), "r1", &forced()).unwrap();
        fs::create_dir_all(staging.path().join(below)).unwrap();
        let outcome = staging.prepare(Scope::Paths(&mut [below.as_bytes().to_vec()].into_iter()));
        assert!(matches!(outcome, Err(PlacementError::NotAFolder { .. })));
    }
    let staging = stage(target.path(), "r1", &forced()).unwrap();
    let outcome = staging.prepare(Scope::Paths(&mut [b"missing".to_vec()].into_iter()));
    assert!(matches!(outcome, Err(PlacementError::NotStaged { .. })));
    assert_same(&snapshot(target.path()), &before);
}

#[test]
fn an_interrupted_restore_must_be_recovered_first() {
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("file"), b"old").unwrap();
    let before = snapshot(target.path());
    let staging = stage(target.path(), "r1", &forced()).unwrap();
    fs::write(staging.path().join("file"), b"new").unwrap();
    staging.prepare(Scope::Whole).unwrap().leave();
    assert!(matches!(
        stage(target.path(), "r2", &forced()),
        Err(PlacementError::Unfinished { .. })
    ));
    assert!(matches!(
        forget(target.path(), "r1"),
        Err(PlacementError::Unfinished { .. })
    ));
    assert_eq!(
        recover(target.path(), forced().steps).unwrap()[0].direction,
        Direction::Back
    );
    assert_same(&snapshot(target.path()), &before);

    let staging = stage(target.path(), "r1", &forced()).unwrap();
    fs::write(staging.path().join("file"), b"new").unwrap();
    staging.prepare(Scope::Whole).unwrap().leave();
    let ended = recover_to(target.path(), "r1", Direction::Forward, forced().steps).unwrap();
    assert_eq!(ended, Direction::Forward);
    assert_eq!(fs::read(target.path().join("file")).unwrap(), b"new");
    undo(target.path(), "r1").unwrap();
    assert_same(&snapshot(target.path()), &before);
}

#[test]
fn what_the_application_adds_meanwhile_is_not_lost() {
    let target = tempfile::tempdir().unwrap();
    fs::create_dir(target.path().join("2025")).unwrap();
    fs::create_dir(target.path().join("gone")).unwrap();
    replace_all(target.path(), &forced(), |staging| {
        fs::create_dir(staging.join("2025")).unwrap();
        fs::write(staging.join("2025/restored"), b"x").unwrap();
    });
    fs::write(target.path().join("added"), b"later").unwrap();
    fs::create_dir(target.path().join("gone")).unwrap();
    undo(target.path(), "r1").unwrap();
    assert_eq!(fs::read(target.path().join("added")).unwrap(), b"later");
    assert!(!target.path().join("2025/restored").exists());
    assert!(target.path().join("gone").exists());
}

#[test]
fn lost_and_found_belongs_to_the_file_system() {
    let target = tempfile::tempdir().unwrap();
    fs::create_dir(target.path().join("lost+found")).unwrap();
    fs::write(target.path().join("lost+found/#12"), b"x").unwrap();
    let placed = replace_all(target.path(), &StageOptions::default(), |staging| {
        fs::create_dir(staging.join("lost+found")).unwrap();
        fs::write(staging.join("file"), b"x").unwrap();
    });
    assert_eq!(placed.replaced, 0);
    assert!(target.path().join("lost+found/#12").exists() && target.path().join("file").exists());
}

#[test]
fn an_ordinary_user_can_swap_folders_that_forbid_writing() {
    if !run_as_ordinary_user("an_ordinary_user_can_swap_folders_that_forbid_writing") {
        return;
    }
    let target = tempfile::tempdir().unwrap();
    let locked = |root: &Path, content: &str| {
        fs::create_dir_all(root.join("locked")).unwrap();
        fs::write(root.join("locked/file"), content).unwrap();
        set_mtime(&root.join("locked"), 5, 5);
        set_mode(&root.join("locked"), 0o500);
    };
    locked(target.path(), "old");
    let before = snapshot(target.path());
    replace_all(target.path(), &forced(), |staging| locked(staging, "new"));
    assert_eq!(fs::read(target.path().join("locked/file")).unwrap(), b"new");
    undo(target.path(), "r1").unwrap();
    assert_same(&snapshot(target.path()), &before);
    set_mode(&target.path().join("locked"), 0o700);
}

#[test]
fn a_full_disk_while_staging_leaves_the_live_tree_alone() {
    let mount = tempfile::tempdir().unwrap();
    let Some(_mounted) = SmallDisk::mount(mount.path()) else {
        return;
    };
    fs::write(mount.path().join("live"), b"precious").unwrap();
    let before = snapshot(mount.path());
    let staging = stage(mount.path(), "r1", &forced()).unwrap();
    fs::write(staging.path().join("big"), vec![1; 4 << 20]).unwrap_err();
    drop(staging);
    assert_same(&snapshot(mount.path()), &before);

    // A mount point as the target itself is fine; one inside it cannot be moved.
    replace_all(mount.path(), &forced(), |staging| {
        fs::write(staging.join("live"), b"new").unwrap()
    });
    undo(mount.path(), "r1").unwrap();
    assert_same(&snapshot(mount.path()), &before);
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let Some(_mounted_inside) = SmallDisk::mount(&inner) else {
        return;
    };
    let staging = stage(outer.path(), "r1", &forced()).unwrap();
    assert!(matches!(
        staging.prepare(Scope::Whole),
        Err(PlacementError::MountPoint { .. })
    ));
}

/// A tmpfs of one MiB, unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mount = || {
            std::process::Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=1m", "none"])
                .arg(at)
                .status()
        };
        match is_root().then(mount) {
            Some(Ok(status)) if status.success() => Some(Self(at)),
            other => {
                skipped(
                    "a full disk",
                    &format!("a tmpfs cannot be mounted ({other:?})"),
                );
                None
            }
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).status();
    }
}
