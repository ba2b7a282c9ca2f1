//! Archives of every version of the format still open, and give back what was put in.

mod common;

use std::fs;
use std::path::PathBuf;

use backup_archive::{Compression, EntryKind, VerifyOptions};
use bytes::Bytes;
use common::*;

/// Every version that was ever written.
const VERSIONS: [&str; 1] = ["v1"];

fn folder(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(version)
}

/// What `mixed` holds in version 1. Never to be changed: the files are not.
fn mixed() -> Vec<Given> {
    let mut given = vec![
        Given::special("docs", EntryKind::Directory),
        Given::file("docs/empty", ""),
        Given::file("docs/noise", noise(1, 40_000)),
        Given::file("docs/text", text(2, 30_000)),
        Given::special(
            "docs/symlink",
            EntryKind::Symlink {
                target: b"/absolute/\xff".to_vec(),
            },
        ),
        Given::special(
            "docs/text again",
            EntryKind::HardLink {
                target: path("docs/text"),
            },
        ),
        Given::file("docs/ünïcödé", "named"),
        Given::file(b"docs/\xff".as_slice(), "not UTF-8"),
        Given::file("zeros", vec![0; 9 << 20]),
    ];
    given[2].metadata.xattrs = vec![(b"user.a=b".to_vec(), b"value".to_vec())];
    given[8].metadata.sparse = true;
    given
}

fn example() -> Vec<Given> {
    let mut given = vec![
        Given::special("docs", EntryKind::Directory),
        Given::file("docs/a.txt", "hello world\n"),
        Given::special(
            "docs/b",
            EntryKind::Symlink {
                target: b"a.txt".to_vec(),
            },
        ),
    ];
    given[0].metadata.mode = 0o755;
    given[2].metadata.mode = 0o777;
    for given in &mut given {
        given.metadata.mtime.nanoseconds = 0;
    }
    given
}

#[test]
fn all_versions_are_known_here() {
    let mut found: Vec<String> = fs::read_dir(folder("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('v') && name[1..].parse::<u32>().is_ok())
        .collect();
    found.sort();
    assert_eq!(found, VERSIONS);
}

#[test]
fn version_1_is_read() {
    for (name, given) in [
        ("example.tar.gz", example()),
        ("mixed.tar.gz", mixed()),
        ("mixed.tar.zst", mixed()),
        ("mixed.tar", mixed()[..8].to_vec()),
    ] {
        let archive = Bytes::from(fs::read(folder("v1").join(name)).unwrap());
        let reader = open(&archive).unwrap();
        assert_holds(&reader, &given, true);
        let report = reader.verify(&VerifyOptions::default(), &()).unwrap();
        assert_eq!(report.damaged, [], "{name}");
    }
}

/// Not a test: writes the files above. Run it once for a new version, and never again.
#[test]
#[ignore = "writes the files that the other tests read"]
fn write_files() {
    fs::create_dir_all(folder("v1")).unwrap();
    let save = |name: &str, archive: Bytes| fs::write(folder("v1").join(name), archive).unwrap();
    save("example.tar.gz", write(Compression::default(), &example()));
    for compression in ALL_COMPRESSIONS {
        let name = format!("mixed{}", compression.extension());
        // Nine megabytes of zeros are too many to keep as they are.
        let mut given = mixed();
        if compression == Compression::None {
            given.truncate(8);
        }
        save(&name, write(compression, &given));
    }
}
