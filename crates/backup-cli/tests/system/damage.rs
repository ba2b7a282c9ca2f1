//! Damaged archives: what is hit is named, everything else comes back.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;

use backup_archive::ArchivePath;
use flate2::bufread::GzDecoder;
use serde_json::Value;

use crate::support::{Site, edms, run, text};

/// A backup taken apart by other means than our own reader.
struct Dissected {
    bytes: Vec<u8>,
    /// Stored bytes and tar bytes of each gzip member.
    members: Vec<(Range<usize>, Range<u64>)>,
    /// Path, and bytes in the tar stream with headers and padding, of each entry.
    entries: Vec<(String, Range<u64>)>,
}

impl Dissected {
    fn new(archive: &Path) -> Self {
        let bytes = fs::read(archive).expect("the archive");
        let mut rest = &bytes[..];
        let (mut members, mut stream) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            let (stored_start, tar_start) = (bytes.len() - rest.len(), stream.len() as u64);
            GzDecoder::new(&mut rest)
                .read_to_end(&mut stream)
                .expect("a gzip member");
            members.push((
                stored_start..bytes.len() - rest.len(),
                tar_start..stream.len() as u64,
            ));
        }
        let mut entries = Vec::new();
        let mut start = 0;
        for entry in tar::Archive::new(&stream[..]).entries().expect("a tar") {
            let entry = entry.expect("an entry");
            let end = entry.raw_file_position() + entry.size().next_multiple_of(512);
            let path = entry.path_bytes().into_owned();
            let path = path.strip_suffix(b"/").unwrap_or(&path);
            let path = ArchivePath::new(path).expect("a path").to_string();
            entries.push((path, start..end));
            start = end;
        }
        Self {
            bytes,
            members,
            entries,
        }
    }

    /// The entries that have a byte in this stretch of the tar stream.
    fn hit(&self, tar: &Range<u64>) -> BTreeSet<String> {
        self.entries
            .iter()
            .filter(|(_, bytes)| bytes.start < tar.end && tar.start < bytes.end)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// The table of contents is the last entry.
    fn is_table(&self, tar: &Range<u64>) -> bool {
        let table = &self.entries.last().expect("entries").1;
        tar.end > table.start
    }
}

/// A store of about 30 members: 20 MB that do not shrink, besides the sample.
fn archive(site: &Site) -> std::path::PathBuf {
    let folder = site.storage().join("documents/large");
    fs::create_dir(&folder).unwrap();
    for number in 0..10 {
        let content = testkit::tree::noise(number, 2_000_000);
        fs::write(folder.join(format!("{number}.pdf")), content).unwrap();
    }
    site.archive("files")
}

fn damaged(report: &Value) -> BTreeSet<String> {
    report["damaged"]
        .as_array()
        .unwrap_or_else(|| panic!("a list of what is damaged: {report}"))
        .iter()
        .map(|entry| entry["path"].as_str().expect("a path").to_owned())
        .collect()
}

#[test]
fn a_flipped_byte_is_named_by_exactly_the_entries_it_hits() {
    let site = Site::sample();
    let whole = Dissected::new(&archive(&site));
    assert!(whole.members.len() >= 25, "{} members", whole.members.len());
    let copy = site.path("flipped.tar.gz");
    for (stored, tar) in &whole.members {
        if whole.is_table(tar) || tar.is_empty() {
            continue;
        }
        let mut bytes = whole.bytes.clone();
        bytes[(stored.start + stored.end) / 2] ^= 0x20;
        fs::write(&copy, bytes).unwrap();
        for options in [&["--json"][..], &["--json", "--quick"]] {
            let report = run(edms().arg("verify").arg(&copy).args(options))
                .expect(1)
                .json();
            assert_eq!(report["status"], "damaged");
            assert_eq!(damaged(&report), whole.hit(tar), "{options:?} {report}");
        }
    }
}

#[test]
fn all_other_files_are_restored() {
    let site = Site::sample();
    let whole = Dissected::new(&archive(&site));
    let copy = site.path("flipped.tar.gz");
    for pick in [1, 3, whole.members.len() / 2] {
        let (stored, tar) = &whole.members[pick];
        assert!(!whole.is_table(tar));
        let mut bytes = whole.bytes.clone();
        bytes[stored.start + 20] ^= 1;
        fs::write(&copy, bytes).unwrap();
        let target = site.path(&format!("rest-{pick}"));
        let result = run(edms()
            .args(["restore", "--json", "--force", "--target"])
            .arg(&target)
            .arg(&copy))
        .expect(3)
        .json();
        assert_eq!(result["status"], "PARTIAL");
        let hit = whole.hit(tar);
        assert_others_are_equal(&site, &target, &hit);
        for path in &hit {
            assert!(
                result["warnings"].to_string().contains(&json_escaped(path)),
                "{path} in {result}"
            );
        }
    }
}

fn json_escaped(text: &str) -> String {
    Value::from(text).to_string().trim_matches('"').to_owned()
}

/// Every file of the store that is not in `hit` is in `target` with the same bytes; those hit are not there at all.
fn assert_others_are_equal(site: &Site, target: &Path, hit: &BTreeSet<String>) {
    let mut compared = 0;
    for root in ["documents", "media"] {
        let mut folders = vec![site.storage().join(root)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let relative = path.strip_prefix(site.storage()).unwrap();
                let stored = Path::new("files").join(relative);
                let stored = ArchivePath::new(stored.as_os_str().as_encoded_bytes()).unwrap();
                let restored = target.join(relative);
                if hit.contains(&stored.to_string()) {
                    assert!(!restored.exists(), "{stored} is damaged, yet restored");
                } else {
                    assert!(fs::read(&restored).ok() == fs::read(&path).ok(), "{stored}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 200, "{compared} files compared");
}

#[test]
fn a_lost_table_of_contents_is_said_and_everything_restores() {
    let site = Site::sample();
    let whole = Dissected::new(&archive(&site));
    let table: Vec<_> = whole
        .members
        .iter()
        .filter(|(_, tar)| whole.is_table(tar) || tar.is_empty())
        .collect();
    assert!(table.len() >= 2, "table and footer");
    for (number, (stored, _)) in table.into_iter().enumerate() {
        let copy = site.path(&format!("table-{number}.tar.gz"));
        let mut bytes = whole.bytes.clone();
        for byte in &mut bytes[stored.start + 12..stored.end - 8] {
            *byte ^= 0x55;
        }
        fs::write(&copy, bytes).unwrap();
        let report = run(edms().args(["verify", "--json"]).arg(&copy))
            .expect(1)
            .json();
        assert_eq!(report["status"], "damaged", "{report}");
        let target = site.path(&format!("by-scan-{number}"));
        let result = run(edms()
            .args(["restore", "--json", "--force", "--target"])
            .arg(&target)
            .arg(&copy));
        assert!([0, 3].contains(&result.code), "{result:?}");
        assert_others_are_equal(&site, &target, &BTreeSet::new());
    }
}

#[test]
fn a_cut_archive_never_verifies_and_what_is_there_restores() {
    let site = Site::sample();
    let whole = Dissected::new(&archive(&site));
    let copy = site.path("cut.tar.gz");
    let len = whole.bytes.len();
    let cuts = (0..12).map(|twelfth| twelfth * len / 12).chain([
        1,
        17,
        len - 1,
        len - 9,
        len - 100,
        len - 5000,
    ]);
    for cut in cuts {
        fs::File::create(&copy)
            .and_then(|mut file| file.write_all(&whole.bytes[..cut]))
            .unwrap();
        let report = run(edms().args(["verify", "--json"]).arg(&copy))
            .expect(1)
            .json();
        assert!(
            report["status"] == "damaged" || report["error"].is_object(),
            "cut at {cut}: {report}"
        );
    }
    let cut = whole.bytes.len() / 2;
    fs::write(&copy, &whole.bytes[..cut]).unwrap();
    let hit: BTreeSet<String> = whole
        .members
        .iter()
        .filter(|(stored, _)| stored.end > cut)
        .flat_map(|(_, tar)| whole.hit(tar))
        .collect();
    let target = site.path("from-half");
    run(edms()
        .args([
            "restore",
            "--json",
            "--force",
            "--only",
            "files",
            "--target",
            &text(&target),
        ])
        .arg(&copy))
    .expect(3);
    let restored = fs::read_dir(target.join("documents")).unwrap().count();
    assert!(restored > 0 && hit.len() > restored / 10);
}
