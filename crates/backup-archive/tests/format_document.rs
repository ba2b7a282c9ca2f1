//! The example in `docs/archive-format.md` is the file that it claims to be, byte for byte; and read by nothing but what the page says.

use std::fs;
use std::path::Path;

use flate2::read::DeflateDecoder;
use std::io::Read;

const HEADER_LEN: usize = 40;
const FOOTER_LEN: usize = 130;

fn repository_file(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn example() -> Vec<u8> {
    repository_file("tests/data/v1/example.tar.gz")
}

/// Bytes of the fenced blocks with this title: lines of an offset and hexadecimal bytes, with a remark after two spaces or more.
fn shown(title: &str) -> Vec<(usize, Vec<u8>)> {
    let page = String::from_utf8(repository_file("../../docs/archive-format.md")).unwrap();
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(found) => is_inside = found == title,
            None if is_inside => lines.push(parse_line(line)),
            None => {}
        }
    }
    assert!(!lines.is_empty(), "no block {title}");
    lines
}

fn parse_line(line: &str) -> (usize, Vec<u8>) {
    let (offset, rest) = line.split_once("  ").unwrap();
    let bytes = rest.split("  ").next().unwrap();
    let bytes = bytes
        .split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    (usize::from_str_radix(offset, 16).unwrap(), bytes)
}

fn assert_shown(title: &str, actual: &[u8], is_complete: bool) {
    let mut covered = 0;
    for (offset, bytes) in shown(title) {
        assert_eq!(
            actual[offset..offset + bytes.len()],
            bytes,
            "{title} at {offset:x}"
        );
        assert!(
            !is_complete || offset == covered,
            "{title}: nothing shown from {covered:x} to {offset:x}"
        );
        covered = offset + bytes.len();
    }
    assert!(
        !is_complete || covered == actual.len(),
        "{title} ends at {covered:x}"
    );
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// All members: where they are, and what they hold.
fn members(file: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut members = Vec::new();
    let mut start = 0;
    while start < file.len() - FOOTER_LEN {
        let end = start + u32_at(file, start + 16 + 8);
        let mut plain = Vec::new();
        DeflateDecoder::new(&file[start + HEADER_LEN..end - 8])
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain.len(), u32_at(file, start + 16 + 12));
        members.push((start, plain));
        start = end;
    }
    members
}

#[test]
fn the_example_is_as_shown() {
    let file = example();
    let members = members(&file);
    assert_shown("hex file", &file, false);
    // Entries; headers of the table, block of entries, block of members, index; end.
    assert_eq!(members.len(), 6);
    assert_shown("hex entries", &members[2].1, true);
    assert_shown("hex members", &members[3].1, true);
    assert_shown("hex index", &members[4].1, true);
}

#[test]
fn the_digests_are_where_the_page_says() {
    let file = example();
    let members = members(&file);
    let stored = |index: usize| {
        let end = members
            .get(index + 1)
            .map_or(file.len() - FOOTER_LEN, |member| member.0);
        &file[members[index].0..end]
    };
    let digest = |bytes: &[u8]| *blake3::hash(bytes).as_bytes();
    let record = &file[file.len() - FOOTER_LEN + 16..][..104];
    let index_offset = members[4].0;
    assert_eq!(record[..8], *b"edmsbkup");
    assert_eq!(u32_at(record, 20), members[1].0);
    assert_eq!(u32_at(record, 36), index_offset);
    assert_eq!(u32_at(record, 44), stored(4).len());
    assert_eq!(u32_at(record, 48), members[4].1.len());
    assert_eq!(
        record[52..84],
        digest(&file[index_offset..file.len() - FOOTER_LEN])
    );
    assert_eq!(record[92..104], digest(&record[..92])[..12]);
    let has = |bytes: &[u8], digest: [u8; 32]| bytes.windows(32).any(|window| window == digest);
    for index in 1..4 {
        assert!(
            has(&members[4].1, digest(&stored(index)[HEADER_LEN..])),
            "block {index} in the index"
        );
    }
    assert!(
        has(&members[3].1, digest(&stored(0)[HEADER_LEN..])),
        "the member in its block"
    );
    assert!(
        has(&members[2].1, digest(b"hello world\n")),
        "the content in the block of entries"
    );
}
