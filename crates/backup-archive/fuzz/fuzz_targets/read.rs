//! Any bytes at all: opening, scanning, verifying and reading them ends, without a panic and within the limits.
#![no_main]

use std::num::NonZeroUsize;
use std::sync::Arc;

use backup_archive::{ArchiveReader, Limits, VerifyOptions};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fn use_all(reader: &ArchiveReader) {
    for quick in [true, false] {
        let _ = reader.verify(
            &VerifyOptions {
                quick,
                jobs: NonZeroUsize::MIN,
            },
            &(),
        );
    }
    for entry in reader.entries().flatten().take(1000) {
        let _ = reader.find(&entry.path);
        let _ = reader.read_bytes(&entry, 1 << 20);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let source = Arc::new(Bytes::copy_from_slice(bytes));
    let limits = Limits {
        content_bytes: 64 << 20,
        ..Limits::default()
    };
    if let Ok(reader) = ArchiveReader::open(source.clone(), limits.clone()) {
        use_all(&reader);
    }
    if let Ok(reader) = ArchiveReader::scan(source, limits) {
        use_all(&reader);
    }
});
