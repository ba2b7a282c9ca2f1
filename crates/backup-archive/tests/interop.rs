//! Other programs read our archives without a warning, and we read theirs. Programs that are not installed are named and passed over.

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use backup_archive::{Compression, EntryKind, ReadError, Timestamp};
use bytes::Bytes;
use common::*;

/// What every tar can extract, as any user.
fn portable_tree() -> Vec<Given> {
    let mut given = vec![
        Given::special("tree", EntryKind::Directory),
        Given::special("tree/empty folder", EntryKind::Directory),
        Given::file("tree/empty", ""),
        Given::file("tree/large", [noise(1, 3 << 20), text(2, 3 << 20)].concat()),
        Given::file("tree/small", text(3, 40_000)),
        Given::file(
            format!("tree/{}/{}", "p".repeat(100), "n".repeat(99)),
            "long path",
        ),
        Given::file("tree/ünïcödé", noise(4, 50_000)),
        // The same letter in two spellings: two files.
        Given::file("tree/twin \u{e9}", "composed"),
        Given::file("tree/twin e\u{301}", "decomposed"),
        Given::special(
            "tree/link",
            EntryKind::Symlink {
                target: b"small".to_vec(),
            },
        ),
        Given::special(
            "tree/second name",
            EntryKind::HardLink {
                target: path("tree/small"),
            },
        ),
    ];
    for given in &mut given {
        given.metadata.mode = if given.kind == EntryKind::Directory {
            0o755
        } else {
            0o640
        };
    }
    given
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("passed over, {program} cannot be run: {error}");
            None
        }
    }
}

/// Runs a program that must succeed and have nothing to complain about.
fn run_quietly(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = run(program, arguments, folder)?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {complaints}"
    );
    assert_eq!(complaints, "", "{program} {arguments:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn assert_extracted(folder: &Path, given: &[Given], keeps_nanoseconds: bool) {
    for given in given {
        let target = folder.join(given.path.to_string());
        let found =
            fs::symlink_metadata(&target).unwrap_or_else(|error| panic!("{}: {error}", given.path));
        match &given.kind {
            EntryKind::File => assert!(
                fs::read(&target).unwrap() == given.content,
                "{}",
                given.path
            ),
            EntryKind::Directory => assert!(found.is_dir()),
            EntryKind::Symlink { target: link } => {
                assert_eq!(
                    fs::read_link(&target)
                        .unwrap()
                        .as_os_str()
                        .as_encoded_bytes(),
                    link
                );
                continue;
            }
            EntryKind::HardLink { target: other } => {
                assert_eq!(
                    found.ino(),
                    fs::metadata(folder.join(other.to_string())).unwrap().ino()
                );
            }
        }
        assert_eq!(
            found.permissions().mode() & 0o7777,
            given.metadata.mode,
            "{}",
            given.path
        );
        if given.kind != EntryKind::Directory {
            let Timestamp {
                seconds,
                nanoseconds,
            } = given.metadata.mtime;
            let expected = if keeps_nanoseconds {
                i64::from(nanoseconds)
            } else {
                found.mtime_nsec()
            };
            assert_eq!(
                (found.mtime(), found.mtime_nsec()),
                (seconds, expected),
                "{}",
                given.path
            );
        }
    }
}

fn saved(compression: Compression, given: &[Given]) -> (tempfile::TempDir, String, Bytes) {
    let folder = tempfile::tempdir().unwrap();
    let archive = write(compression, given);
    let name = format!("archive{}", compression.extension());
    fs::write(folder.path().join(&name), &archive).unwrap();
    (folder, name, archive)
}

#[test]
fn compressors_find_it_intact() {
    let given = portable_tree();
    let (folder, name, _) = saved(Compression::Gzip { level: 1 }, &given);
    run_quietly("gzip", &["-t", &name], folder.path());
    run_quietly("pigz", &["-t", &name], folder.path());
    let (folder, name, _) = saved(Compression::Zstd { level: 1 }, &given);
    run_quietly("zstd", &["-t", "-q", &name], folder.path());
}

#[test]
fn tar_programs_extract_it_without_a_warning() {
    let given = portable_tree();
    for compression in ALL_COMPRESSIONS {
        let is_zstd = matches!(compression, Compression::Zstd { .. });
        for (program, first, keeps_nanoseconds) in [
            ("tar", None, true),
            ("bsdtar", None, true),
            ("busybox", Some("tar"), false),
        ] {
            if program == "busybox" && is_zstd {
                continue;
            }
            let (folder, name, _) = saved(compression, &given);
            // busybox does not find out by itself.
            let gunzip = (program == "busybox" && name.ends_with("gz")).then_some("-z");
            let first: Vec<&str> = first.into_iter().chain(gunzip).collect();
            let arguments: Vec<&str> = first.iter().copied().chain(["-xpf", &name]).collect();
            if run_quietly(program, &arguments, folder.path()).is_some() {
                assert_extracted(folder.path(), &given, keeps_nanoseconds);
                let arguments: Vec<&str> = first.into_iter().chain(["-tf", &name]).collect();
                let listing = run_quietly(program, &arguments, folder.path()).unwrap();
                assert_eq!(
                    listing.lines().count(),
                    given.len() + 1,
                    "{program}: the table of contents is the last"
                );
            }
        }
    }
}

#[test]
fn gnu_tar_reads_it_from_a_pipe() {
    let given = portable_tree();
    for compression in ALL_COMPRESSIONS {
        let (folder, name, _) = saved(compression, &given);
        let tool = match compression {
            Compression::Gzip { .. } => "gzip -dc",
            Compression::Zstd { .. } => "zstd -dcq",
            _ => "cat",
        };
        for ignore_zeros in ["", "-i"] {
            let command = format!("set -o pipefail; {tool} {name} | tar {ignore_zeros} -xpf -");
            if run_quietly("bash", &["-c", &command], folder.path()).is_some() {
                assert_extracted(folder.path(), &given, true);
            }
        }
    }
}

#[test]
fn python_reads_it() {
    let given = portable_tree();
    for compression in [Compression::Gzip { level: 1 }, Compression::None] {
        let (folder, name, _) = saved(compression, &given);
        let script = "import sys, tarfile, warnings\n\
                      warnings.simplefilter('error')\n\
                      with tarfile.open(sys.argv[1]) as archive:\n    \
                          archive.errorlevel = 2\n    \
                          archive.extractall('.', members=archive.getmembers(), filter='fully_trusted')\n";
        if run_quietly("python3", &["-c", script, &name], folder.path()).is_some() {
            assert_extracted(folder.path(), &given, false);
        }
    }
}

/// What does not fit a ustar header, or is not UTF-8, neither confuses nor alarms.
#[test]
fn odd_headers_are_listed_without_a_warning() {
    let mut given = portable_tree();
    given[2].metadata.uid = u32::MAX;
    given[2].metadata.mtime = Timestamp {
        seconds: -5,
        nanoseconds: 500_000_000,
    };
    given[3].metadata.xattrs = vec![(b"user.a=b".to_vec(), b"1".to_vec())];
    given.push(Given::file(b"tree/\xff".as_slice(), "not UTF-8"));
    for compression in ALL_COMPRESSIONS {
        let (folder, name, _) = saved(compression, &given);
        for program in ["tar", "bsdtar"] {
            let Some(listing) =
                run_quietly(program, &["--numeric-owner", "-tvf", &name], folder.path())
            else {
                continue;
            };
            assert_eq!(listing.lines().count(), given.len() + 1, "{listing}");
            assert!(listing.contains("4294967295"), "{listing}");
            assert!(listing.contains("tree/\\377"), "{listing}");
        }
    }
}

#[test]
fn archives_of_other_programs_are_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("sub")).unwrap();
    fs::write(tree.join("small"), text(1, 1000)).unwrap();
    fs::write(tree.join("sub/large"), noise(1, 3 << 20)).unwrap();
    fs::write(tree.join("n".repeat(200)), "long name").unwrap();
    fs::hard_link(tree.join("small"), tree.join("sub/again")).unwrap();
    std::os::unix::fs::symlink("sub/large", tree.join("link")).unwrap();
    let python =
        "import sys, tarfile; a = tarfile.open(sys.argv[1], sys.argv[2]); a.add('tree'); a.close()";
    let commands: [(&str, &str, Vec<&str>); 8] = [
        ("gnu.tar.gz", "tar", vec!["--format=gnu", "-czf"]),
        ("posix.tar.gz", "tar", vec!["--format=posix", "-czf"]),
        ("gnu.tar.zst", "tar", vec!["--zstd", "-cf"]),
        ("gnu.tar", "tar", vec!["-cf"]),
        ("bsd.tar.gz", "bsdtar", vec!["-czf"]),
        ("busybox.tar.gz", "busybox", vec!["tar", "-czf"]),
        ("python.tar.gz", "python3", vec!["-c", python]),
        ("python.tar", "python3", vec!["-c", python]),
    ];
    for (name, program, mut arguments) in commands {
        arguments.push(name);
        arguments.push(match (program, name.ends_with("gz")) {
            ("python3", true) => "w:gz",
            ("python3", false) => "w",
            _ => "tree",
        });
        if run_quietly(program, &arguments, folder.path()).is_none() {
            continue;
        }
        let archive = Bytes::from(fs::read(folder.path().join(name)).unwrap());
        assert!(
            matches!(open(&archive).map(drop), Err(ReadError::NoFooter)),
            "{name}"
        );
        let reader = scan(&archive).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (intact, damaged) = read_all(&reader, 2).unwrap();
        assert!(damaged.is_empty(), "{name}");
        assert_eq!(intact.len(), 7, "{name}");
        assert!(
            intact[&path("tree/sub/large")].1 == noise(1, 3 << 20),
            "{name}"
        );
        let alone = reader.find(&path("tree/small")).unwrap().unwrap();
        let first = if alone.kind.is_file() {
            alone
        } else {
            reader.find(&path("tree/sub/again")).unwrap().unwrap()
        };
        assert!(
            reader.read_bytes(&first, 1 << 20).unwrap() == text(1, 1000),
            "{name}"
        );
    }
}
