//! Without this program: a backup is listed, extracted and loaded by tools that every system has.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::dump::assert_same_dump;
use testkit::tree::differences;

use crate::support::{Site, path_of, text};

/// Runs a tool that must succeed and say nothing on standard error. Returns what it prints.
#[track_caller]
fn silent(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed (make test installs it): {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && stderr.is_empty(),
        "{program} {arguments:?}: {}\n{stderr}{stdout}",
        output.status
    );
    stdout
}

const PYTHON_EXTRACT: &str = "
import sys, tarfile, warnings
warnings.simplefilter('error')
with tarfile.open(sys.argv[1]) as archive:
    names = archive.getnames()
    if hasattr(tarfile, 'fully_trusted_filter'):
        archive.extraction_filter = staticmethod(tarfile.fully_trusted_filter)
    archive.extractall(sys.argv[2])
assert len(names) == len(set(names))
print(len(names))
";

#[test]
fn tar_readers_extract_a_backup_without_a_word() {
    let site = Site::sample();
    for compression in ["gzip", "none", "zstd"] {
        let record = site.create_with("full", &["--compression", compression]);
        let archive = text(&path_of(&record));
        let mut listings = Vec::new();
        for (name, list, extract) in readers(compression) {
            let target = site.path(&format!("{name}-{compression}"));
            fs::create_dir(&target).unwrap();
            let mut arguments: Vec<&str> = list.split(' ').skip(1).collect();
            arguments.push(&archive);
            listings.push(
                silent(list.split(' ').next().unwrap(), &arguments)
                    .lines()
                    .count(),
            );
            let target_text = text(&target);
            let mut arguments: Vec<&str> = extract.split(' ').skip(1).collect();
            arguments.extend([archive.as_str(), "-C", &target_text]);
            silent(extract.split(' ').next().unwrap(), &arguments);
            check_extracted(&site, &target);
        }
        // busybox prints a name with a newline on two lines, the others escape it.
        assert_eq!(listings[0], listings[1], "{listings:?}");
        if compression != "zstd" {
            let target = site.path(&format!("python-{compression}"));
            fs::create_dir(&target).unwrap();
            let count = silent("python3", &["-c", PYTHON_EXTRACT, &archive, &text(&target)]);
            assert_eq!(count.trim().parse::<usize>().unwrap(), listings[0]);
            check_extracted(&site, &target);
        }
    }
}

/// Name, command that lists, command that extracts.
fn readers(compression: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut readers = vec![
        ("gnu", "tar --quoting-style=escape -tf", "tar --xattrs -xpf"),
        ("bsdtar", "bsdtar -tf", "bsdtar -xpf"),
    ];
    match compression {
        "gzip" => readers.push(("busybox", "busybox tar -tzf", "busybox tar -xpzf")),
        "none" => readers.push(("busybox", "busybox tar -tf", "busybox tar -xpf")),
        _ => {}
    }
    readers
}

/// Contents and names; times below a second and attributes are not for every tar.
#[track_caller]
fn check_extracted(site: &Site, target: &Path) {
    for root in ["documents", "media"] {
        silent(
            "diff",
            &[
                "-r",
                "--no-dereference",
                &text(&site.storage().join(root)),
                &text(&target.join("files").join(root)),
            ],
        );
    }
    assert!(target.join("manifest.toml").is_file());
}

#[test]
fn gnu_tar_keeps_everything_but_holes() {
    let site = Site::sample();
    let archive = text(&site.archive("full"));
    let target = site.path("gnu");
    fs::create_dir(&target).unwrap();
    silent(
        "tar",
        &["--xattrs", "-xpSf", &archive, "-C", &text(&target)],
    );
    for root in ["documents", "media"] {
        let mut found = differences(&site.storage().join(root), &target.join("files").join(root));
        // A tar cannot tell holes from zeros; this program's own table of contents can.
        found.retain(|line| !line.ends_with(": holes true / false"));
        assert_eq!(found, Vec::<String>::new());
    }
    silent("gzip", &["-t", &archive]);
}

#[test]
fn psql_alone_brings_the_database_back() {
    let site = Site::sample();
    // Large objects are loaded by other means than COPY: here they are left out of the comparison.
    site.server.psql(
        &site.database,
        "SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata; DELETE FROM scanned_originals",
    );
    let archive = text(&site.archive("database"));
    let target = site.path("by-hand");
    fs::create_dir(&target).unwrap();
    silent("tar", &["-xf", &archive, "-C", &text(&target)]);
    let database = site.server.create_db("by_hand");
    let folder = target.join("database");
    site.server
        .psql_file(&database, &folder.join("pre-data.sql"));
    for (table, file) in copy_files(&folder.join("data")) {
        site.server
            .psql(&database, &format!("\\copy {table} FROM '{}'", text(&file)));
    }
    site.server
        .psql_file(&database, &folder.join("post-data.sql"));
    assert_same_dump(&site.dump(&site.database), &site.dump(&database));
}

/// Quoted table name and file of every segment, in order.
fn copy_files(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let mut files = Vec::new();
    for table in sorted(folder) {
        let stored = table.file_name().unwrap().to_str().unwrap().to_owned();
        let (schema, name) = stored.split_once('.').expect("schema.table");
        let quote = |name: &str| format!("\"{}\"", percent_decoded(name).replace('"', "\"\""));
        for file in sorted(&table) {
            files.push((format!("{}.{}", quote(schema), quote(name)), file));
        }
    }
    assert!(files.len() > 10, "{files:?}");
    files
}

fn sorted(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{folder:?}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn percent_decoded(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}
