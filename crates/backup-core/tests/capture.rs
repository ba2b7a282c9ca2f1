//! What the walk finds, and what it says of what it cannot have.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use backup_archive::extract::Folder;
use backup_archive::{ArchivePath, FileSource};
use backup_core::capture::{
    Exclude, Found, IssueReason, SkipReason, WalkOptions, single_file, walk,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use testkit::tree::{noise, odd_tree, random_tree, set_mode, snapshot};
use testkit::user::run_as_ordinary_user;

fn prefix() -> ArchivePath {
    ArchivePath::new("files/root").unwrap()
}

fn walk_all(root: &Path, options: WalkOptions) -> Vec<Found> {
    walk(root, prefix(), options).unwrap().collect()
}

fn path_of(found: &Found) -> &ArchivePath {
    match found {
        Found::Folder { path, .. }
        | Found::Symlink { path, .. }
        | Found::HardLink { path, .. }
        | Found::File { path, .. }
        | Found::Skipped { path, .. } => path,
        Found::Issue(issue) => &issue.path,
        other => panic!("unexpected {other:?}"),
    }
}

fn below_root(found: &Found) -> String {
    path_of(found)
        .strip_prefix(&prefix())
        .map_or_else(String::new, |path| path.to_string())
}

fn names_of(found: &[Found], wanted: impl Fn(&Found) -> bool) -> Vec<String> {
    found
        .iter()
        .filter(|found| wanted(found))
        .map(below_root)
        .collect()
}

fn issues(found: &[Found]) -> Vec<String> {
    names_of(found, |found| matches!(found, Found::Issue(_)))
}

fn read(found: &mut Found) -> io::Result<(Vec<u8>, bool)> {
    let Found::File { source, .. } = found else {
        panic!("not a file: {found:?}")
    };
    let mut open = source.open()?;
    let mut content = Vec::new();
    open.read_to_end(&mut content)?;
    assert_eq!(content.len() as u64, open.size());
    Ok((content, open.unchanged()?))
}

#[test]
fn finds_everything_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    odd_tree(folder.path());
    let random = folder.path().join("random");
    fs::create_dir(&random).unwrap();
    random_tree(&random, 42, 300);
    let mut found = walk_all(folder.path(), WalkOptions::default());
    assert_eq!(issues(&found), [""; 0]);
    let ascending = found
        .windows(2)
        .all(|pair| path_of(&pair[0]) < path_of(&pair[1]));
    assert!(ascending, "not sorted, or found twice");
    assert_eq!(found.len(), snapshot(folder.path()).paths().count() + 1);
    for one in &mut found {
        let Found::File {
            path,
            metadata,
            size,
            ..
        } = &*one
        else {
            continue;
        };
        let relative = path.strip_prefix(&prefix()).unwrap();
        let real = folder.path().join(OsStr::from_bytes(relative.as_bytes()));
        let expected = fs::read(&real).unwrap();
        assert_eq!(*size, expected.len() as u64);
        assert_eq!(metadata.mode, fs::metadata(&real).unwrap().mode() & 0o7777);
        assert!(read(one).unwrap() == (expected, true), "{relative}");
    }
}

#[test]
fn names_the_first_path_of_a_linked_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b"), b"x").unwrap();
    fs::hard_link(folder.path().join("b"), folder.path().join("c")).unwrap();
    fs::hard_link(folder.path().join("b"), folder.path().join("a")).unwrap();
    let found = walk_all(folder.path(), WalkOptions::default());
    assert!(matches!(&found[1], Found::File { path, .. } if path.file_name() == b"a"));
    for (index, name) in [(2, b"b"), (3, b"c")] {
        let Found::HardLink { path, target, .. } = &found[index] else {
            panic!("{:?}", found[index])
        };
        assert_eq!(path.file_name(), name);
        assert_eq!(target.as_bytes(), b"files/root/a");
    }
}

#[test]
fn a_linked_file_survives_the_loss_of_its_first_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".upload"), b"content").unwrap();
    fs::hard_link(folder.path().join(".upload"), folder.path().join("final")).unwrap();
    let mut found = walk_all(folder.path(), WalkOptions::default());
    fs::remove_file(folder.path().join(".upload")).unwrap();
    assert_eq!(read(&mut found[1]).unwrap().0, b"content");
}

#[test]
fn sockets_and_pipes_are_named_but_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let _server = UnixListener::bind(folder.path().join("socket")).unwrap();
    mknodat(
        CWD,
        folder.path().join("pipe"),
        FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    let found = walk_all(folder.path(), WalkOptions::default());
    let reasons: Vec<_> = found[1..]
        .iter()
        .map(|found| match found {
            Found::Skipped { path, reason } => (path.file_name(), *reason),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: [(&[u8], _); 2] = [(b"pipe", SkipReason::Fifo), (b"socket", SkipReason::Socket)];
    assert_eq!(reasons, expected);
}

#[test]
fn leaves_out_what_the_options_say() {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["repository/x", "cache/deep", "kept"] {
        fs::create_dir_all(folder.path().join(sub)).unwrap();
        fs::write(folder.path().join(sub).join("file.txt"), b"x").unwrap();
        fs::write(folder.path().join(sub).join("file.tmp"), b"x").unwrap();
    }
    symlink(
        folder.path().join("repository"),
        folder.path().join("way-in"),
    )
    .unwrap();
    let options = WalkOptions {
        exclude: Exclude::new(["*.tmp", "cache/deep"]).unwrap(),
        exclude_folders: vec![folder.path().join("way-in"), folder.path().join("missing")],
        ..WalkOptions::default()
    };
    let found = walk_all(folder.path(), options);
    let is_skipped = |found: &Found| matches!(found, Found::Skipped { .. });
    let kept = names_of(&found, |found| !is_skipped(found));
    assert_eq!(kept, ["", "cache", "kept", "kept/file.txt", "way-in"]);
    assert_eq!(
        names_of(&found, is_skipped),
        ["cache/deep", "kept/file.tmp", "repository"]
    );
}

#[test]
fn the_root_may_be_a_link_but_nothing_below_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), b"secret").unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink(outside.path(), folder.path().join("real/out")).unwrap();
    fs::write(folder.path().join("real/file"), b"mine").unwrap();
    symlink("real", folder.path().join("root")).unwrap();
    let mut found = walk_all(&folder.path().join("root"), WalkOptions::default());
    assert_eq!(names_of(&found, |_| true), ["", "file", "out"]);
    // The file turns into a link before it is read.
    fs::remove_file(folder.path().join("real/file")).unwrap();
    symlink(
        outside.path().join("secret"),
        folder.path().join("real/file"),
    )
    .unwrap();
    assert!(read(&mut found[1]).is_err());
}

#[test]
fn a_file_that_changes_or_vanishes_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        fs::write(folder.path().join(name), noise(1, 100)).unwrap();
    }
    let mut found = walk_all(folder.path(), WalkOptions::default());
    fs::remove_file(folder.path().join("a")).unwrap();
    assert_eq!(
        read(&mut found[1]).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );

    let Found::File { source, .. } = &mut found[2] else {
        panic!("not a file")
    };
    let mut open = source.open().unwrap();
    // Times come from a clock that ticks a few times per hundredth of a second.
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(folder.path().join("b"), noise(2, 100)).unwrap();
    assert!(!open.unchanged().unwrap(), "same size, other content");
    drop(open);
    assert!(source.open().unwrap().unchanged().unwrap());

    let Found::File { source, .. } = &mut found[3] else {
        panic!("not a file")
    };
    let mut open = source.open().unwrap();
    fs::write(folder.path().join("new"), b"new").unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("c")).unwrap();
    assert!(!open.unchanged().unwrap(), "replaced by another file");
}

#[test]
fn a_folder_that_vanishes_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/sub")).unwrap();
    fs::write(folder.path().join("z"), b"x").unwrap();
    let mut walk = walk(folder.path(), prefix(), WalkOptions::default()).unwrap();
    assert_eq!(below_root(&walk.next().unwrap()), "");
    assert_eq!(below_root(&walk.next().unwrap()), "a");
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    let rest: Vec<_> = walk.collect();
    let vanished = |found: &Found| matches!(found, Found::Issue(issue) if matches!(issue.reason, IssueReason::Vanished));
    assert_eq!(names_of(&rest, vanished), ["a/sub"]);
    assert_eq!(names_of(&rest, |_| true), ["a/sub", "z"]);
}

#[test]
fn unreadable_files_and_folders_are_named_and_the_rest_is_found() {
    if !run_as_ordinary_user("unreadable_files_and_folders_are_named_and_the_rest_is_found") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("closed")).unwrap();
    fs::write(folder.path().join("closed/inside"), b"x").unwrap();
    fs::write(folder.path().join("mine"), b"x").unwrap();
    fs::write(folder.path().join("locked"), b"x").unwrap();
    set_mode(&folder.path().join("locked"), 0);
    set_mode(&folder.path().join("closed"), 0);
    let mut found = walk_all(folder.path(), WalkOptions::default());
    set_mode(&folder.path().join("closed"), 0o700);
    assert_eq!(
        names_of(&found, |_| true),
        ["", "closed", "closed", "locked", "mine"]
    );
    assert_eq!(issues(&found), ["closed"]);
    assert!(found[2..3].iter().all(|found| {
        matches!(found, Found::Issue(issue) if matches!(issue.reason, IssueReason::Unreadable(_)))
    }));
    assert_eq!(
        read(&mut found[3]).unwrap_err().kind(),
        io::ErrorKind::PermissionDenied
    );
    assert_eq!(read(&mut found[4]).unwrap().0, b"x");
}

#[test]
fn walks_deeper_than_the_longest_path_and_than_handles_go() {
    const LEVELS: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let root = Folder::open(folder.path()).unwrap();
    let mut path = b"top".to_vec();
    for _ in 0..LEVELS {
        let (parent, name) = root.parent_of(&path).unwrap();
        rustix::fs::mkdirat(&parent, name, Mode::RWXU).unwrap();
        // A file that sorts after the folder: read on the way back, when the folder's handle was closed.
        root.create_file(&[&path[..], b"/z"].concat()).unwrap();
        path.extend_from_slice(b"/a-folder-with-a-name");
    }
    assert!(path.len() > 8000);
    let mut found = walk_all(folder.path(), WalkOptions::default());
    assert_eq!(issues(&found), [""; 0]);
    assert_eq!(found.len(), 1 + 2 * LEVELS);
    for file in found
        .iter_mut()
        .filter(|found| matches!(found, Found::File { .. }))
    {
        read(file).unwrap();
    }
    assert!(
        root.open_beneath(b"top/z", OFlags::RDONLY, Mode::empty())
            .is_ok()
    );
}

#[test]
fn a_single_file_is_found_through_links() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), b"services:").unwrap();
    symlink("compose.yml", folder.path().join("link")).unwrap();
    let stored_as = ArchivePath::new("config/compose.yml").unwrap();
    let capture = |path: &Path| single_file(path, stored_as.clone(), Default::default());
    let mut found = capture(&folder.path().join("link")).unwrap();
    assert_eq!(path_of(&found), &stored_as);
    assert_eq!(read(&mut found).unwrap().0, b"services:");
    assert!(capture(folder.path()).is_err());
    assert!(capture(&folder.path().join("missing")).is_err());
}

#[test]
fn what_restores_keep_is_never_captured() {
    let folder = tempfile::tempdir().unwrap();
    for name in [".edms-restore-r1/old", "sub/.edms-restore-r1"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    let found = walk_all(folder.path(), WalkOptions::default());
    let is_skipped = |found: &Found| {
        matches!(
            found,
            Found::Skipped {
                reason: SkipReason::RestoreFolder,
                ..
            }
        )
    };
    assert_eq!(names_of(&found, is_skipped), [".edms-restore-r1"]);
    assert_eq!(
        names_of(&found, |found| !is_skipped(found)),
        ["", "sub", "sub/.edms-restore-r1"]
    );
}
