//! An archive with some bytes changed: what is read back as intact is what was written.
#![no_main]

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, FileSink, Limits, Metadata, VerifyOptions,
    WriterOptions,
};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = tempfile();
    let sink = FileSink::new(file.try_clone().unwrap(), false).unwrap();
    let mut writer = ArchiveWriter::new(sink, WriterOptions::default()).unwrap();
    for name in NAMES {
        writer
            .append_bytes(
                &ArchivePath::new(name).unwrap(),
                &Metadata::default(),
                content(name),
            )
            .unwrap();
    }
    writer.finish().unwrap();
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0).unwrap();
    bytes
});

const NAMES: [&str; 3] = ["a/short", "a/longer", "b"];

fn content(name: &str) -> Vec<u8> {
    name.repeat(name.len() * 500).into_bytes()
}

fn tempfile() -> std::fs::File {
    let path = std::env::temp_dir().join(format!("fuzz-{}", std::process::id()));
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

fuzz_target!(|changes: Vec<(u16, u8)>| {
    let mut bytes = ARCHIVE.clone();
    for (at, mask) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= mask;
    }
    let source = Arc::new(Bytes::from(bytes));
    let opened = ArchiveReader::open(source.clone(), Limits::default());
    for reader in [opened, ArchiveReader::scan(source, Limits::default())]
        .into_iter()
        .flatten()
    {
        let _ = reader.verify(
            &VerifyOptions {
                quick: false,
                jobs: NonZeroUsize::MIN,
            },
            &(),
        );
        for entry in reader.entries().flatten() {
            if let Ok(found) = reader.read_bytes(&entry, 1 << 20) {
                let name = entry.path.to_string();
                assert!(found == content(&name), "{name}");
            }
        }
    }
});
