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

/// How the files were written. A new version gets new ones: by this, once, into a folder of its own (with `EDMS_WRITE_FORMAT` naming it).
#[test]
fn what_is_written_today_is_what_the_files_hold() {
    let given_to = |compression| {
        let mut given = mixed();
        // Nine megabytes of zeros are too many to keep as they are.
        if compression == Compression::None {
            given.truncate(8);
        }
        given
    };
    let mut written = vec![(
        "example.tar.gz".to_owned(),
        write(Compression::default(), &example()),
        example(),
    )];
    for compression in ALL_COMPRESSIONS {
        let given = given_to(compression);
        let name = format!("mixed{}", compression.extension());
        written.push((name, write(compression, &given), given));
    }
    let output = std::env::var_os("EDMS_WRITE_FORMAT").map(PathBuf::from);
    for (name, archive, given) in written {
        assert_holds(&open(&archive).unwrap(), &given, true);
        if let Some(folder) = &output {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), archive).unwrap();
        }
    }
}
