//! Archives of our own format whose table of contents lies, with every digest made right again: digests are no signatures.

use std::sync::Arc;

use backup_archive::{
    ArchivePath, ArchiveReader, ArchiveWriter, Compression, EntryKind, FileSink, Limits, Metadata,
    WriterOptions,
};

use testkit::tree::set_mode;

use crate::attempt::{Scene, assert_little_memory};

const BLOCK: usize = 512;
const FOOTER_CHECKED: usize = 92;
const FOOTER_LEN: usize = 104;

/// An archive without compression, so that everything in it can be found by its bytes.
struct Forgery {
    genuine: Vec<u8>,
    bytes: Vec<u8>,
    footer: usize,
    contents: usize,
    index: usize,
    index_len: usize,
}

/// Where the index says something of a block of the table of contents.
struct BlockPlace {
    start: usize,
    len: usize,
    digest: usize,
}

impl Forgery {
    fn new() -> Self {
        let genuine = genuine();
        let footer = genuine.len() - 3 * BLOCK;
        assert_eq!(
            &genuine[footer..footer + 8],
            b"edmsbkup",
            "the footer has moved"
        );
        let number = |at: usize, len: usize| {
            let bytes = &genuine[footer + at..footer + at + len];
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let (contents, index, index_len) = (number(20, 8), number(36, 8), number(44, 4));
        Self {
            bytes: genuine.clone(),
            genuine,
            footer,
            contents,
            index,
            index_len,
        }
    }

    /// Replaces bytes at their only occurrence between `from` and `to`.
    fn replace(&mut self, from: usize, to: usize, old: &[u8], new: &[u8]) {
        assert_eq!(old.len(), new.len());
        let found: Vec<_> = (from..to)
            .filter(|at| self.bytes[*at..].starts_with(old))
            .collect();
        assert_eq!(
            found.len(),
            1,
            "{} occurs {} times",
            old.escape_ascii(),
            found.len()
        );
        self.bytes[found[0]..found[0] + new.len()].copy_from_slice(new);
    }

    /// Makes the checksum of the tar header at `at` right.
    fn seal_header(&mut self, at: usize) {
        let header = &mut self.bytes[at..at + BLOCK];
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    /// Puts another index in the place of the old one; there is room for a few more bytes.
    fn set_index(&mut self, index: &[u8]) {
        let room = self.index..self.footer;
        assert!(index.len() <= room.len());
        self.bytes[room.clone()].fill(0);
        self.bytes[room.start..room.start + index.len()].copy_from_slice(index);
        let len = u32::try_from(index.len()).unwrap().to_le_bytes();
        for field in [44, 48] {
            self.bytes[self.footer + field..self.footer + field + 4].copy_from_slice(&len);
        }
    }

    fn blocks(&self) -> Vec<BlockPlace> {
        let mut at = self.index;
        let mut start = self.contents;
        let mut places = Vec::new();
        let count = self.varint(&mut at);
        for _ in 0..count {
            let kind = self.varint(&mut at);
            let len = self.varint(&mut at);
            self.varint(&mut at);
            places.push(BlockPlace {
                start,
                len,
                digest: at,
            });
            start += len;
            at += 32;
            let (numbers, paths) = [(0, 0), (2, 2), (3, 0), (1, 0)][kind];
            for _ in 0..numbers {
                self.varint(&mut at);
            }
            for _ in 0..paths {
                at += self.varint(&mut at);
            }
        }
        assert_eq!(
            at,
            self.index + self.index_len,
            "the index has changed its shape"
        );
        places
    }

    fn varint(&self, at: &mut usize) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.genuine[*at];
            *at += 1;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return number;
            }
        }
    }

    fn put_digest(&mut self, at: usize, of: std::ops::Range<usize>) {
        let digest = blake3::hash(&self.bytes[of]);
        self.bytes[at..at + 32].copy_from_slice(digest.as_bytes());
    }

    /// Makes the digests of the member and of all blocks right; not after `set_index`.
    fn seal_blocks(&mut self) {
        let old = blake3::hash(&self.genuine[..self.contents]);
        let listed =
            (self.contents..self.index).find(|at| self.genuine[*at..].starts_with(old.as_bytes()));
        self.put_digest(
            listed.expect("one member, listed with its digest"),
            0..self.contents,
        );
        for block in self.blocks() {
            self.put_digest(block.digest, block.start..block.start + block.len);
        }
    }

    /// Makes the digest of the index and the footer right.
    fn seal(mut self) -> Vec<u8> {
        self.put_digest(self.footer + 52, self.index..self.footer);
        let check = blake3::hash(&self.bytes[self.footer..self.footer + FOOTER_CHECKED]);
        let place = self.footer + FOOTER_CHECKED..self.footer + FOOTER_LEN;
        let len = place.len();
        self.bytes[place].copy_from_slice(&check.as_bytes()[..len]);
        self.bytes
    }
}

/// Made once: the attempts are many.
fn genuine() -> Vec<u8> {
    static GENUINE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    GENUINE.get_or_init(write_genuine).clone()
}

fn write_genuine() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.tar");
    let options = WriterOptions {
        compression: Compression::None,
        ..WriterOptions::default()
    };
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArchiveWriter::new(FileSink::new(file, false).unwrap(), options).unwrap();
    let metadata = Metadata {
        mode: 0o700,
        ..Metadata::default()
    };
    let at = |path: &str| ArchivePath::new(path).unwrap();
    writer
        .append_special(&at("d"), EntryKind::Directory, &metadata)
        .unwrap();
    writer
        .append_bytes(&at("d/aaaa"), &metadata, vec![b'1'; 119])
        .unwrap();
    writer
        .append_bytes(&at("d/bbbb"), &metadata, vec![b'2'; 3000])
        .unwrap();
    let link = EntryKind::Symlink {
        target: b"aaaa".to_vec(),
    };
    writer
        .append_special(&at("d/link"), link, &metadata)
        .unwrap();
    let hard = EntryKind::HardLink {
        target: at("d/bbbb"),
    };
    writer
        .append_special(&at("d/more"), hard, &metadata)
        .unwrap();
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

/// Whatever comes of it, it must not panic, and [`Scene::extract`] looks at everything outside of the target.
/// Gives the names in the target and the failed entries.
fn attempt(archive: Vec<u8>) -> Result<(Vec<String>, Vec<String>), String> {
    let scene = Scene::new();
    let stats = scene.extract(archive, Limits::default());
    let folder = scene.target().join("d");
    if folder.is_dir() {
        // Its mode may have been forged, too.
        set_mode(&folder, 0o700);
    }
    let failed = stats?.failed;
    let failed = failed
        .iter()
        .map(|failed| format!("{}: {}", failed.path, failed.reason));
    Ok((scene.extracted(), failed.collect()))
}

#[test]
fn what_is_sealed_again_is_believed() {
    let mut forgery = Forgery::new();
    forgery.replace(0, forgery.contents, &[b'1'; 119], &[b'x'; 119]);
    forgery.seal_blocks();
    let archive = forgery.seal();
    assert!(
        ArchiveReader::open(
            Arc::new(bytes::Bytes::from(archive.clone())),
            Limits::default()
        )
        .is_ok()
    );
    let (extracted, failed) = attempt(archive).unwrap();
    // The digest of the content is the one thing that was not forged.
    assert_eq!(extracted, ["d", "d/bbbb", "d/link", "d/more"]);
    assert!(
        failed.len() == 1 && failed[0].starts_with("d/aaaa"),
        "{failed:?}"
    );
}

#[test]
fn the_tar_stream_says_another_name_than_the_table() {
    for name in [b"../aaa", b"/aaaaa", b"d/cccc"] {
        let mut forgery = Forgery::new();
        let header = (0..forgery.contents)
            .find(|at| forgery.bytes[*at..].starts_with(b"d/aaaa\0"))
            .unwrap();
        forgery.bytes[header..header + 6].copy_from_slice(name);
        forgery.seal_header(header);
        forgery.seal_blocks();
        let (extracted, failed) = attempt(forgery.seal()).unwrap();
        assert!(!extracted.contains(&"d/aaaa".to_owned()));
        assert!(
            failed.len() == 1 && failed[0].starts_with("d/aaaa"),
            "{failed:?}"
        );
    }
}

#[test]
fn the_tar_stream_says_another_size_than_the_table() {
    for size in [b"00000000000", b"00000000170", b"77777777777"] {
        let mut forgery = Forgery::new();
        let header = (0..forgery.contents)
            .find(|at| forgery.bytes[*at..].starts_with(b"d/aaaa\0"))
            .unwrap();
        forgery.bytes[header + 124..header + 135].copy_from_slice(size);
        forgery.seal_header(header);
        forgery.seal_blocks();
        let (_, failed) = attempt(forgery.seal()).unwrap();
        assert!(
            failed.len() == 1 && failed[0].starts_with("d/aaaa"),
            "{failed:?}"
        );
    }
}

#[test]
fn the_table_names_what_leaves_the_target() {
    for name in [b"../x", b"/abc", b"a/..", b"a\0bc", b"a//b"] {
        let mut forgery = Forgery::new();
        let (from, to) = (forgery.contents, forgery.index);
        forgery.replace(from, to, b"\x04bbbb", &[b"\x04", name.as_slice()].concat());
        forgery.seal_blocks();
        let _ = attempt(forgery.seal());
    }
}

#[test]
fn counts_and_lengths_beyond_all_bounds() {
    let forgery = Forgery::new();
    let index = &forgery.bytes[forgery.index..forgery.index + forgery.index_len];
    let huge: [&[u8]; 3] = [
        // 2^60, 2^32 - 1, and a number without end.
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff; 12],
    ];
    for at in 0..index.len() {
        for number in huge {
            let mut forgery = Forgery::new();
            let forged = [&index[..at], number, &index[at + 1..]].concat();
            forgery.set_index(&forged);
            let archive = forgery.seal();
            if at < 6 {
                assert_little_memory(&archive);
            }
            let _ = attempt(archive);
        }
    }
}

#[test]
fn every_byte_of_the_table_and_of_the_headers_forged() {
    let places = Forgery::new();
    let headers = (0..places.contents)
        .step_by(BLOCK)
        .flat_map(|block| [0, 1, 100, 124, 135, 156, 157].map(|at| block + at));
    let table = places.contents..places.index + places.index_len;
    for at in headers
        .chain(table)
        .filter(|at| *at < places.index + places.index_len)
    {
        for forge in [
            |_| 0,
            |_| 0xff,
            |byte: u8| byte ^ 1,
            |byte: u8| byte.wrapping_add(0x40),
        ] {
            let mut forgery = Forgery::new();
            forgery.bytes[at] = forge(forgery.bytes[at]);
            if at < forgery.contents {
                forgery.seal_header(at / BLOCK * BLOCK);
            }
            if at < forgery.index {
                forgery.seal_blocks();
            }
            let _ = attempt(forgery.seal());
        }
    }
}
