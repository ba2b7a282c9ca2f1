//! Files go into an archive and come out of it as they were.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use backup_archive::extract::{
    ExtractError, ExtractOptions, ExtractStats, Folder, Owners, Selection, SymlinkPolicy, extract,
};
use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, EntryKind, FileOutcome, FileSink, Limits,
    WriteObserver, WriterOptions,
};
use backup_core::capture::{Found, WalkOptions, walk};
use proptest::prelude::*;
use testkit::tree::{
    assert_same_tree, differences, noise, odd_tree, random_tree, set_mode, set_mtime, snapshot,
    sparse_file,
};
use testkit::user::run_as_ordinary_user;

fn path(text: &str) -> ArchivePath {
    ArchivePath::new(text).unwrap()
}

/// A folder on another file system than the other tests use, and a faster one, where there is one.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Remembers what was not captured as it was.
#[derive(Default)]
struct Problems(Mutex<Vec<String>>);

impl WriteObserver for Problems {
    fn file(&self, path: &ArchivePath, _size: u64, outcome: FileOutcome) {
        if !matches!(outcome, FileOutcome::Captured) {
            self.0.lock().unwrap().push(format!("{path}: {outcome:?}"));
        }
    }
}

struct Archive {
    folder: tempfile::TempDir,
    problems: Vec<String>,
}

impl Archive {
    fn of(root: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create_new(folder.path().join("archive.tar.gz")).unwrap();
        let problems = Arc::new(Problems::default());
        let options = WriterOptions {
            jobs: NonZeroUsize::new(2).unwrap(),
            observer: problems.clone(),
            ..WriterOptions::default()
        };
        let mut writer = ArchiveWriter::new(FileSink::new(file, false).unwrap(), options).unwrap();
        for found in walk(root, path("files/root"), WalkOptions::default()).unwrap() {
            match found {
                Found::Folder { path, metadata } => {
                    writer.append_special(&path, EntryKind::Directory, &metadata)
                }
                Found::Symlink {
                    path,
                    target,
                    metadata,
                } => writer.append_special(&path, EntryKind::Symlink { target }, &metadata),
                Found::HardLink {
                    path,
                    target,
                    metadata,
                } => writer.append_special(&path, EntryKind::HardLink { target }, &metadata),
                Found::File { path, source, .. } => writer.append_file(&path, source),
                other => panic!("unexpected {other:?}"),
            }
            .unwrap();
        }
        writer.finish().unwrap();
        let problems = std::mem::take(&mut *problems.0.lock().unwrap());
        Self { folder, problems }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("archive.tar.gz")
    }

    fn reader(&self) -> ArchiveReader {
        let file = File::open(self.path()).unwrap();
        ArchiveReader::open(Arc::new(file), Limits::default()).unwrap()
    }

    fn try_extract(
        &self,
        target: &Path,
        selection: &Selection,
        options: ExtractOptions,
    ) -> Result<ExtractStats, ExtractError> {
        let options = ExtractOptions {
            jobs: NonZeroUsize::new(2).unwrap(),
            ..options
        };
        extract(
            &self.reader().into(),
            &Folder::open(target).unwrap(),
            selection,
            &options,
            &(),
        )
    }

    fn extract(&self, target: &Path, selection: &Selection) -> ExtractStats {
        self.try_extract(target, selection, below_root()).unwrap()
    }
}

fn below_root() -> ExtractOptions {
    ExtractOptions {
        strip_prefix: Some(path("files/root")),
        ..ExtractOptions::default()
    }
}

#[test]
fn an_odd_tree_comes_back_as_it_was() {
    let [source, target] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    odd_tree(source.path());
    let archive = Archive::of(source.path());
    assert_eq!(archive.problems, [""; 0]);
    let stats = archive.extract(target.path(), &Selection::all());
    assert!(stats.failed.is_empty(), "{:?}", stats.failed);
    assert_eq!((stats.owners.count, stats.set_id_bits.count), (0, 0));
    assert_same_tree(source.path(), target.path());
}

#[test]
fn the_same_as_an_ordinary_user() {
    if run_as_ordinary_user("the_same_as_an_ordinary_user") {
        an_odd_tree_comes_back_as_it_was();
    }
}

#[test]
fn an_ordinary_user_keeps_what_is_theirs_and_is_told_the_rest() {
    let source = tempfile::tempdir().unwrap();
    odd_tree(source.path());
    if testkit::user::is_root() {
        let target = tempfile::tempdir().unwrap();
        let archive = Archive::of(source.path());
        let ignore = ExtractOptions {
            owners: Owners::Ignore,
            ..below_root()
        };
        let stats = archive
            .try_extract(target.path(), &Selection::all(), ignore)
            .unwrap();
        assert!(stats.failed.is_empty(), "{:?}", stats.failed);
        assert_eq!(stats.owners.count, 0, "nobody asked for owners");
        assert!(stats.set_id_bits.count > 0);
        let foreign = fs::metadata(target.path().join("owners/setuid-of-another")).unwrap();
        assert_eq!((foreign.uid(), foreign.mode() & 0o7777), (0, 0o755));
        let own = fs::metadata(target.path().join("modes/file-4755")).unwrap();
        assert_eq!(own.mode() & 0o7777, 0o4755);
    }
}

#[test]
fn selected_paths_come_with_the_folders_above_them() {
    let [source, target] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    odd_tree(source.path());
    let archive = Archive::of(source.path());
    let selection = Selection::globs([
        "files/root/links/twins/two",
        "files/root/times",
        "**/empty-too",
    ])
    .unwrap();
    let stats = archive.extract(target.path(), &selection);
    assert!(stats.failed.is_empty(), "{:?}", stats.failed);
    let all = snapshot(source.path());
    let wanted = all.without(|path| {
        let keep = [
            "",
            "links",
            "links/twins",
            "links/twins/two",
            "links/twins/empty-too",
        ];
        !keep.iter().any(|keep| path == Path::new(keep)) && !path.starts_with("times")
    });
    let mut found = wanted.differences(&snapshot(target.path()));
    // The first names of both linked files were not selected, so there is nothing to be the same file as; and the root was there.
    found.retain(|line| !line.contains("same file as") && !line.starts_with("\"\": "));
    assert_eq!(found, [""; 0]);
}

#[test]
fn holes_stay_holes() {
    let [source, target] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    sparse_file(
        &source.path().join("image"),
        80 << 20,
        (50 << 20) + 5,
        &noise(1, 3 << 20),
    );
    let archive = Archive::of(source.path());
    archive.extract(target.path(), &Selection::all());
    assert_same_tree(source.path(), target.path());
    let blocks = |root: &Path| fs::metadata(root.join("image")).unwrap().blocks() * 512;
    assert!(blocks(target.path()) <= blocks(source.path()) + (64 << 10));
    assert!(fs::metadata(archive.path()).unwrap().len() < 4 << 20);
}

#[test]
fn existing_files_are_not_overwritten_and_links_not_followed() {
    let [source, target, outside] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for name in ["file", "folder/inside", "other"] {
        fs::create_dir_all(source.path().join("folder")).unwrap();
        fs::write(source.path().join(name), b"from the archive").unwrap();
    }
    let archive = Archive::of(source.path());
    fs::write(target.path().join("file"), b"mine").unwrap();
    std::os::unix::fs::symlink(outside.path(), target.path().join("folder")).unwrap();
    let stats = archive.extract(target.path(), &Selection::all());
    let failed: Vec<_> = stats
        .failed
        .iter()
        .map(|failed| failed.path.to_string())
        .collect();
    assert_eq!(
        failed,
        [
            "files/root/file",
            "files/root/folder",
            "files/root/folder/inside"
        ]
    );
    assert_eq!(fs::read(target.path().join("file")).unwrap(), b"mine");
    assert_eq!(
        fs::read(target.path().join("other")).unwrap(),
        b"from the archive"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn limits_and_policies_hold_before_anything_is_written() {
    let [source, target] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    odd_tree(source.path());
    let archive = Archive::of(source.path());
    let all = Selection::all();
    let confined = ExtractOptions {
        symlinks: SymlinkPolicy::Confined,
        ..below_root()
    };
    let error = archive
        .try_extract(target.path(), &all, confined)
        .unwrap_err();
    assert!(
        matches!(error, ExtractError::SymlinkEscapes { .. }),
        "{error}"
    );
    let few = ExtractOptions {
        max_entries: 10,
        ..below_root()
    };
    assert!(matches!(
        archive.try_extract(target.path(), &all, few),
        Err(ExtractError::Limit { max: 10, .. })
    ));
    let small = ExtractOptions {
        max_bytes: 1 << 20,
        ..below_root()
    };
    assert!(matches!(
        archive.try_extract(target.path(), &all, small),
        Err(ExtractError::Limit { .. })
    ));
    let inner = ExtractOptions {
        strip_prefix: Some(path("files/root/links/twins")),
        ..ExtractOptions::default()
    };
    let error = archive.try_extract(target.path(), &all, inner).unwrap_err();
    assert!(
        matches!(error, ExtractError::HardLinkEscapes { .. }),
        "{error}"
    );
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}

#[test]
fn damage_hits_one_file_and_the_rest_is_extracted() {
    let source = tempfile::tempdir().unwrap();
    for index in 0..8 {
        fs::write(
            source.path().join(format!("{index}")),
            noise(index, 3 << 20),
        )
        .unwrap();
    }
    fs::hard_link(source.path().join("3"), source.path().join("link-to-3")).unwrap();
    let archive = Archive::of(source.path());
    let mut bytes = fs::read(archive.path()).unwrap();
    let middle_of_3 = bytes.len() / 8 * 3 + bytes.len() / 16;
    bytes[middle_of_3] ^= 1;
    fs::write(archive.path(), bytes).unwrap();
    for keep_damaged in [false, true] {
        let target = tempfile::tempdir().unwrap();
        let options = ExtractOptions {
            keep_damaged,
            ..below_root()
        };
        let stats = archive
            .try_extract(target.path(), &Selection::all(), options)
            .unwrap();
        let failed: Vec<_> = stats
            .failed
            .iter()
            .map(|failed| failed.path.to_string())
            .collect();
        assert_eq!(failed, ["files/root/3", "files/root/link-to-3"]);
        let different = differences(source.path(), target.path());
        let kept: Vec<_> = different
            .iter()
            .filter(|line| line.contains("damaged"))
            .collect();
        assert_eq!(kept.len(), usize::from(keep_damaged), "{kept:?}");
        assert!(
            different
                .iter()
                .all(|line| line.starts_with("\"3") || line.starts_with("\"link-to-3")),
            "{different:?}"
        );
    }
}

#[test]
fn files_that_change_while_captured_are_whole_or_named() {
    let source = in_memory();
    let busy = source.path().join("busy");
    fs::write(&busy, vec![0; 6 << 20]).unwrap();
    fs::write(source.path().join("calm"), noise(1, 100_000)).unwrap();
    let done = AtomicBool::new(false);
    let (mut named, mut whole) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round: u8 = 0;
            while !done.load(Ordering::Relaxed) {
                round = round.wrapping_add(1);
                fs::write(&busy, vec![round; 6 << 20]).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(u64::from(round % 32)));
            }
        });
        for _ in 0..8 {
            let archive = Archive::of(source.path());
            let target = tempfile::tempdir().unwrap();
            archive.extract(target.path(), &Selection::all());
            let calm = fs::read(target.path().join("calm")).unwrap();
            assert!(calm == noise(1, 100_000), "a file that did not change");
            let content = fs::read(target.path().join("busy")).unwrap();
            let is_one_version = content.is_empty() || content == vec![content[0]; content.len()];
            match archive.problems.as_slice() {
                [] => {
                    // `fs::write` first cuts the file: a short file is one that it had at a moment.
                    assert!(is_one_version, "a mixture that nobody was told of");
                    whole += 1;
                }
                problems => {
                    assert!(
                        problems
                            .iter()
                            .all(|problem| problem.contains("files/root/busy")),
                        "{problems:?}"
                    );
                    named += 1;
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    eprintln!("whole {whole} times, named {named} times");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_trees_come_back_as_they_were(seed: u64, entries in 0_usize..120) {
        let [source, target] = [in_memory(), in_memory()];
        random_tree(source.path(), seed, entries);
        set_mode(source.path(), 0o755);
        set_mtime(source.path(), 5, 5);
        let archive = Archive::of(source.path());
        prop_assert_eq!(&archive.problems, &[""; 0]);
        let stats = archive.extract(target.path(), &Selection::all());
        prop_assert!(stats.failed.is_empty(), "{:?}", stats.failed);
        prop_assert_eq!(differences(source.path(), target.path()), [""; 0]);
    }
}
