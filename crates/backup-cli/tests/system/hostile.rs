//! Hostile archives through `restore`: nothing is written outside the target.

use std::fs;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::support::{edms, run};

type Make = fn(&mut Builder<GzEncoder<fs::File>>);

/// Appends an entry whose name and link are written as they are, without the tar crate's own checks.
fn entry(
    archive: &mut Builder<GzEncoder<fs::File>>,
    name: &str,
    kind: EntryType,
    link: &str,
    content: &[u8],
) {
    let mut header = Header::new_ustar();
    let fields = header.as_ustar_mut().expect("a ustar header");
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    archive.append(&header, content).expect("an entry");
}

const HOSTILE: [(&str, Make); 8] = [
    ("parent", |archive| {
        entry(
            archive,
            "files/documents/../../../escaped",
            EntryType::Regular,
            "",
            b"x",
        )
    }),
    ("absolute", |archive| {
        entry(
            archive,
            "/tmp/edms-hostile-escaped",
            EntryType::Regular,
            "",
            b"x",
        )
    }),
    ("through-link", |archive| {
        entry(
            archive,
            "files/documents/link",
            EntryType::Symlink,
            "../../..",
            b"",
        );
        entry(
            archive,
            "files/documents/link/escaped",
            EntryType::Regular,
            "",
            b"x",
        );
    }),
    ("through-absolute-link", |archive| {
        entry(
            archive,
            "files/documents/link",
            EntryType::Symlink,
            "/tmp",
            b"",
        );
        entry(
            archive,
            "files/documents/link/edms-hostile-escaped",
            EntryType::Regular,
            "",
            b"x",
        );
    }),
    ("hard-link", |archive| {
        entry(
            archive,
            "files/documents/link",
            EntryType::Link,
            "../../../outside",
            b"",
        );
        entry(
            archive,
            "files/documents/link",
            EntryType::Regular,
            "",
            b"overwritten",
        );
    }),
    ("twice", |archive| {
        entry(
            archive,
            "files/documents/twice",
            EntryType::Regular,
            "",
            b"one",
        );
        entry(
            archive,
            "files/documents/twice",
            EntryType::Regular,
            "",
            b"other",
        );
    }),
    ("device", |archive| {
        entry(archive, "files/documents/null", EntryType::Char, "", b"")
    }),
    ("pipe", |archive| {
        entry(archive, "files/documents/pipe", EntryType::Fifo, "", b"")
    }),
];

#[test]
fn nothing_is_written_outside_the_target() {
    for (name, make) in HOSTILE {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("outside"), "as it was").unwrap();
        let archive = folder.path().join("hostile.tar.gz");
        let file = fs::File::create(&archive).unwrap();
        let mut builder = Builder::new(GzEncoder::new(file, Compression::fast()));
        entry(
            &mut builder,
            "files/documents/fine",
            EntryType::Regular,
            "",
            b"fine",
        );
        make(&mut builder);
        builder.into_inner().unwrap().finish().unwrap();

        let target = folder.path().join("a/target");
        fs::create_dir(folder.path().join("a")).unwrap();
        let done = run(edms()
            .args([
                "restore", "--only", "files", "--force", "--json", "--target",
            ])
            .arg(&target)
            .arg(&archive))
        .expect(1);
        assert!(done.json()["error"]["message"].is_string(), "{name}");
        assert_eq!(
            fs::read(folder.path().join("outside")).unwrap(),
            b"as it was",
            "{name}"
        );
        assert_eq!(
            names(folder.path()),
            ["a", "hostile.tar.gz", "outside"],
            "{name}"
        );
        assert!(!Path::new("/tmp/edms-hostile-escaped").exists(), "{name}");
        let above = names(&folder.path().join("a"));
        assert!(
            above.iter().all(|found| found == "target"),
            "{name}: {above:?}"
        );
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
