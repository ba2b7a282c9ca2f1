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

/// Most memory that reading any hostile archive may take.
const MAX_RESIDENT_KIB: u64 = 300 * 1024;

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
        let outer = tempfile::tempdir().unwrap();
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
        assert!(
            peak_resident_kib() < MAX_RESIDENT_KIB,
            "{} KiB of memory",
            peak_resident_kib()
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
            &reader,
            &Folder::open(&self.target())?,
            &Selection::all(),
            &options,
            &(),
        )?)
    }

    /// Names in the target, at any depth.
    pub(crate) fn extracted(&self) -> Vec<String> {
        snapshot(&self.target())
            .paths()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // The standard library runs out of handles in very deep trees.
        let _ = Command::new("rm").arg("-rf").arg(self.target()).status();
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

fn peak_resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
