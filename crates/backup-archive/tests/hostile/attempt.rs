//! Extracting an archive that means harm, with everything around the target watched.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use backup_archive::extract::{ExtractOptions, ExtractStats, Folder, Selection, extract};
use backup_archive::{ArchiveReader, Limits};
use bytes::Bytes;
use testkit::tree::{Snapshot, snapshot};

/// A target folder with things around it that must stay as they are.
pub(crate) struct Scene {
    outer: tempfile::TempDir,
    before: Outside,
}

/// Everything around the target. The target itself is not entered: it may have become deeper than a path is long.
#[derive(PartialEq, Debug)]
struct Outside {
    names: Vec<(PathBuf, Vec<OsString>)>,
    trees: Vec<Snapshot>,
}

impl Outside {
    fn of(outer: &Path) -> Self {
        let names = ["", "home"].map(|folder| (outer.join(folder), names_in(&outer.join(folder))));
        let trees = ["etc", "home/beside"].map(|folder| snapshot(&outer.join(folder)));
        Self {
            names: names.into(),
            trees: trees.into(),
        }
    }
}

fn names_in(folder: &Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}

impl Scene {
    pub(crate) fn new() -> Self {
        // Thousands of folders are made here: in memory where that can be.
        let outer = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let root = outer.path();
        for folder in ["home/target", "home/beside", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("home/beside/sentinel"), b"sentinel").unwrap();
        fs::write(root.join("etc/passwd"), b"root").unwrap();
        symlink("../etc", root.join("home/etc")).unwrap();
        Self {
            before: Outside::of(root),
            outer,
        }
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.outer.path().join("home/target")
    }

    /// An absolute path of something outside of the target.
    pub(crate) fn outside(&self) -> PathBuf {
        self.outer.path().join("etc")
    }

    /// Reads and extracts; an error comes as its whole chain of messages.
    pub(crate) fn extract(&self, archive: Vec<u8>, limits: Limits) -> Result<ExtractStats, String> {
        let outcome = self
            .try_extract(archive, limits)
            .map_err(|error| chain(error.as_ref()));
        assert_eq!(
            self.before,
            Outside::of(self.outer.path()),
            "changed outside of the target"
        );
        outcome
    }

    fn try_extract(
        &self,
        archive: Vec<u8>,
        limits: Limits,
    ) -> Result<ExtractStats, Box<dyn Error>> {
        let reader = ArchiveReader::open_or_scan(Arc::new(Bytes::from(archive)), limits)?;
        let options = ExtractOptions {
            jobs: NonZeroUsize::new(2).unwrap(),
            max_bytes: 64 << 20,
            ..ExtractOptions::default()
        };
        Ok(extract(
            &reader.into(),
            &Folder::open(&self.target())?,
            &Selection::all(),
            &options,
            &(),
        )?)
    }

    /// For trees so deep that the standard library runs out of handles when it deletes them.
    pub(crate) fn delete_target(&self) {
        let status = Command::new("rm")
            .arg("-rf")
            .arg(self.target())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Names in the target, at any depth.
    pub(crate) fn extracted(&self) -> Vec<String> {
        let mut pending = vec![self.target()];
        let mut names = Vec::new();
        while let Some(path) = pending.pop() {
            let is_folder = path.symlink_metadata().unwrap().is_dir();
            if is_folder {
                let children = fs::read_dir(&path).unwrap();
                pending.extend(children.map(|child| child.unwrap().path()));
            }
            let relative = path.strip_prefix(self.target()).unwrap().to_path_buf();
            names.push(relative.to_string_lossy().into_owned());
        }
        names.retain(|name| !name.is_empty());
        names.sort();
        names
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Most memory that reading any hostile archive may take.
const MAX_RESIDENT_KIB: u64 = 128 * 1024;

const ARCHIVE: &str = "HOSTILE_TEST_ARCHIVE";

/// Extracts an archive in a process of its own, which holds nothing else, and looks at the memory it took.
#[track_caller]
pub(crate) fn assert_little_memory(archive: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write(&path, archive).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command
        .args(["--exact", "attempt::alone", "--nocapture"])
        .env(ARCHIVE, path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let peak = said.lines().find_map(|line| line.split_once("peak KiB: "));
    let peak: u64 = peak.unwrap_or_else(|| panic!("{said}")).1.parse().unwrap();
    assert!(peak < MAX_RESIDENT_KIB, "{peak} KiB");
}

/// Run in a process of its own by [`assert_little_memory`]; by itself it does nothing.
#[test]
fn alone() {
    let Ok(path) = std::env::var(ARCHIVE) else {
        return;
    };
    let limits = Limits {
        content_bytes: 64 << 20,
        ..Limits::default()
    };
    let target = tempfile::tempdir().unwrap();
    let source = Arc::new(fs::File::open(path).unwrap());
    if let Ok(reader) = ArchiveReader::open_or_scan(source, limits) {
        let options = ExtractOptions {
            jobs: NonZeroUsize::new(2).unwrap(),
            ..ExtractOptions::default()
        };
        let target = Folder::open(target.path()).unwrap();
        let _ = extract(&reader.into(), &target, &Selection::all(), &options, &());
    }
    println!("\npeak KiB: {}", peak_resident_kib());
}

fn peak_resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
