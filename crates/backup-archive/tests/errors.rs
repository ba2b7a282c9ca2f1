//! What errors say: lower case, what a person needs to act, and the cause as a cause.

mod common;

use std::error::Error;
use std::sync::Arc;

use backup_archive::{ArchiveReader, Compression, Limits, ReadError, WriteError};
use bytes::Bytes;
use common::*;

/// The message and all its causes.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        messages.push(error.to_string());
        cause = error.source();
    }
    messages
}

fn open_limited(archive: &Bytes, limits: Limits) -> ReadError {
    ArchiveReader::open(Arc::new(archive.clone()), limits)
        .map(drop)
        .unwrap_err()
}

#[test]
fn messages_say_what_is_wrong() {
    let archive = write(
        Compression::default(),
        &[Given::file("a", "x"), Given::file("b\n", noise(1, 100))],
    );
    let cases: [(ReadError, &[&str]); 5] = [
        (
            open(&Bytes::from_static(b"hello")).map(drop).unwrap_err(),
            &["this is not an archive"],
        ),
        (
            open(&archive.slice(..archive.len() - 1))
                .map(drop)
                .unwrap_err(),
            &["there is no footer at the end of the archive"],
        ),
        (
            open_limited(
                &archive,
                Limits {
                    entries: 1,
                    ..Limits::default()
                },
            ),
            &["the archive has more entries than the limit of 1"],
        ),
        (
            open_limited(
                &archive,
                Limits {
                    content_bytes: 1000,
                    ..Limits::default()
                },
            ),
            &["the archive has more bytes of content than the limit of 1000"],
        ),
        (
            damaged_content(&archive),
            &[
                "entry b\\n is damaged",
                "the stored bytes at 0 do not decode",
            ],
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(chain(&error), expected);
    }
}

fn damaged_content(archive: &Bytes) -> ReadError {
    let mut bytes = archive.to_vec();
    bytes[60] ^= 0xff;
    let reader = open(&bytes.into()).unwrap();
    let entry = reader.find(&path("b\n")).unwrap().unwrap();
    reader.read_bytes(&entry, 1000).unwrap_err()
}

#[test]
fn causes_of_write_errors_are_causes() {
    let error = WriteError::Sink(std::io::Error::other("no space left"));
    assert_eq!(chain(&error), ["cannot write the archive", "no space left"]);
}
