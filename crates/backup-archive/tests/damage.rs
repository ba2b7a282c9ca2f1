//! Damage costs what it hits and nothing else: one byte flipped anywhere, the file cut anywhere, with and without the table.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use backup_archive::{
    ArchivePath, ArchiveReader, Compression, Damage, Location, ReadError, VerifyOptions,
};
use bytes::Bytes;
use common::*;

const SEEKABLE: [Compression; 2] = [
    Compression::Gzip { level: 1 },
    Compression::Zstd { level: 1 },
];

/// A member as its own header describes it, read the way the format document says.
#[derive(Debug)]
struct Place {
    start: usize,
    end: usize,
    tar: std::ops::Range<u64>,
    is_contents: bool,
}

fn members(archive: &Bytes, compression: Compression) -> Vec<Place> {
    let payload_at = if matches!(compression, Compression::Gzip { .. }) {
        16
    } else {
        8
    };
    let footer_len = if matches!(compression, Compression::Gzip { .. }) {
        130
    } else {
        112
    };
    let mut places = Vec::new();
    let mut start = 0;
    while start < archive.len() - footer_len {
        let header = &archive[start + payload_at..];
        let u32_at = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let tar_offset = u64::from_le_bytes(header[..8].try_into().unwrap());
        let end = start + u32_at(8) as usize;
        places.push(Place {
            start,
            end,
            tar: tar_offset..tar_offset + u64::from(u32_at(12)),
            is_contents: header[16] & 4 != 0,
        });
        start = end;
    }
    assert_eq!(start, archive.len() - footer_len);
    places
}

/// About thirty members: packed small files, of both kinds, and large ones of several members.
fn given() -> Vec<Given> {
    let mut given = Vec::new();
    for index in 0..2_u64 {
        for small in 0..5 {
            let len = 20_000 * (small + 1);
            given.push(Given::file(
                format!("{index}/noise {small}"),
                noise(index + small as u64, len),
            ));
            given.push(Given::file(
                format!("{index}/text {small}"),
                text(index + small as u64, len),
            ));
        }
    }
    given.push(Given::file("large/noise", noise(7, 5_000_000)));
    given.push(Given::file("large/text", text(7, 5_000_000)));
    given
}

fn flipped(archive: &Bytes, at: usize, mask: u8) -> Bytes {
    let mut bytes = archive.to_vec();
    bytes[at] ^= mask;
    bytes.into()
}

/// The entries that have bytes in this part of the tar stream.
fn hit_by(reader: &ArchiveReader, tar: &std::ops::Range<u64>) -> BTreeSet<ArchivePath> {
    let overlaps = |entry: &backup_archive::Entry| match entry.location {
        Location::Here { offset, header_len } => {
            offset < tar.end
                && offset + u64::from(header_len) + entry.size.next_multiple_of(512) > tar.start
        }
        Location::Elsewhere { .. } => false,
    };
    reader
        .entries()
        .map(Result::unwrap)
        .filter(overlaps)
        .map(|entry| entry.path)
        .collect()
}

fn verify(reader: &ArchiveReader, quick: bool) -> Result<BTreeSet<ArchivePath>, ReadError> {
    let report = reader.verify(
        &VerifyOptions {
            quick,
            jobs: jobs(2),
        },
        &(),
    )?;
    Ok(report
        .damaged
        .into_iter()
        .map(|damaged| damaged.path)
        .collect())
}

/// All but `lost` are read back as given, and `lost` are not.
fn assert_rest_is_read(
    reader: &ArchiveReader,
    given: &[Given],
    lost: &BTreeSet<ArchivePath>,
) -> BTreeMap<ArchivePath, Damage> {
    let (intact, damaged) = read_all(reader, 2).unwrap();
    for given in given.iter().filter(|given| !lost.contains(&given.path)) {
        let (_, content) = intact
            .get(&given.path)
            .unwrap_or_else(|| panic!("{} is lost", given.path));
        assert!(*content == given.content, "content of {}", given.path);
    }
    for (path, (_, content)) in &intact {
        // A flip in bits that no decoder looks at may leave a content as it was; never otherwise.
        let given = given.iter().find(|given| given.path == *path).unwrap();
        assert!(*content == given.content, "content of {path}");
    }
    damaged
}

#[test]
fn a_flipped_byte_in_a_member_hits_its_entries_only() {
    let given = given();
    for compression in SEEKABLE {
        let archive = write(compression, &given);
        let reader = open(&archive).unwrap();
        let members = members(&archive, compression);
        let contents = members.iter().filter(|member| !member.is_contents).count();
        assert!(contents >= 10, "only {contents} members");
        for (index, member) in members
            .iter()
            .enumerate()
            .filter(|(_, member)| !member.is_contents)
        {
            let hit = hit_by(&reader, &member.tar);
            assert!(!hit.is_empty());
            let len = member.end - member.start;
            let places = [0, 3, 17, 36, 41, len / 2, len - 6, len - 1];
            for (turn, at) in places.into_iter().enumerate() {
                let damaged = flipped(&archive, member.start + at, 1 << (index % 8));
                let reader = open(&damaged).unwrap();
                assert_eq!(
                    verify(&reader, true).unwrap(),
                    hit,
                    "byte {at} of member {index}"
                );
                // The slower ways take turns.
                if turn == index % places.len() {
                    assert_eq!(
                        verify(&reader, false).unwrap(),
                        hit,
                        "byte {at} of member {index}"
                    );
                    let told = assert_rest_is_read(&reader, &given, &hit);
                    assert!(told.keys().all(|path| hit.contains(path)), "{told:?}");
                }
            }
        }
    }
}

#[test]
fn damage_is_found_by_a_scan_too() {
    let given = given();
    for compression in SEEKABLE {
        let archive = write(compression, &given);
        let reader = open(&archive).unwrap();
        for (index, member) in members(&archive, compression).iter().enumerate() {
            if member.is_contents {
                continue;
            }
            let hit = hit_by(&reader, &member.tar);
            let at = [0, 9, (member.end - member.start) / 2][index % 3];
            let damaged = flipped(&archive, member.start + at, 1);
            let reader = scan(&damaged.slice(..damaged.len() - 10)).unwrap();
            assert_eq!(
                reader.damage().stretches.len(),
                1,
                "byte {at} of member {index}"
            );
            let (start, len) = reader.damage().stretches[0];
            assert_eq!(
                start as usize..(start + len) as usize,
                member.start..member.end
            );
            let (intact, _) = read_all(&reader, 2).unwrap();
            assert_eq!(
                intact.len() + hit.len(),
                given.len(),
                "byte {at} of member {index}"
            );
            assert_rest_is_read(&reader, &given, &hit);
            assert!(
                reader
                    .damage()
                    .entries
                    .iter()
                    .all(|path| hit.contains(path))
            );
        }
    }
}

#[test]
fn a_damaged_table_is_told_and_made_again() {
    let given = given();
    for compression in SEEKABLE {
        let archive = write(compression, &given);
        let table: Vec<Place> = members(&archive, compression)
            .into_iter()
            .filter(|member| member.is_contents)
            .collect();
        assert!(table.len() >= 4);
        let footer = table.last().unwrap().end..archive.len();
        let places = table.iter().flat_map(|member| {
            [
                member.start,
                (member.start + member.end) / 2,
                member.end - 1,
            ]
        });
        for at in places.chain(footer.step_by(9)) {
            let damaged = flipped(&archive, at, 0x10);
            let error = open(&damaged)
                .and_then(|reader| verify(&reader, true))
                .unwrap_err();
            assert!(is_loss_of_table(&error), "byte {at}: {error:?}");
            let reader =
                ArchiveReader::open_or_scan(std::sync::Arc::new(damaged), Default::default())
                    .unwrap();
            assert!(reader.table_damage().is_some(), "byte {at}");
            // Of the first member of the table alone nobody can tell that it was no entry.
            let is_in_first = at == table[0].start;
            assert_eq!(
                reader.damage().stretches.is_empty(),
                !is_in_first,
                "byte {at}"
            );
            assert_eq!(reader.entry_count(), given.len() as u64, "byte {at}");
        }
        let damaged = flipped(&archive, archive.len() - 60, 1);
        let reader =
            ArchiveReader::open_or_scan(std::sync::Arc::new(damaged), Default::default()).unwrap();
        assert_holds(&reader, &given, false);
        assert!(verify(&reader, false).unwrap().is_empty());
    }
}

fn is_loss_of_table(error: &ReadError) -> bool {
    matches!(error, ReadError::NoFooter | ReadError::DamagedTable { .. })
}

#[test]
fn a_cut_archive_gives_all_entries_before_the_cut() {
    let given = given();
    for compression in SEEKABLE {
        let archive = write(compression, &given);
        let reader = open(&archive).unwrap();
        let members = members(&archive, compression);
        let cuts = members
            .iter()
            .flat_map(|member| [member.start, member.start + 1, member.end - 1]);
        for cut in cuts.chain([archive.len() - 1]).filter(|&cut| cut > 100) {
            let cut_archive = archive.slice(..cut);
            assert!(
                is_loss_of_table(&open(&cut_archive).map(drop).unwrap_err()),
                "cut at {cut}"
            );
            let end = members
                .iter()
                .filter(|member| member.end <= cut)
                .map(|member| member.tar.end)
                .max();
            let lost = hit_by(&reader, &(end.unwrap_or(0)..u64::MAX));
            let scanned = scan(&cut_archive).unwrap();
            let (intact, _) = read_all(&scanned, 2).unwrap();
            assert_eq!(intact.len() + lost.len(), given.len(), "cut at {cut}");
            assert_rest_is_read(&scanned, &given, &lost);
            let in_contents = members
                .iter()
                .any(|member| member.is_contents && member.start + 40 < cut);
            assert_eq!(scanned.damage().is_cut_short, !in_contents, "cut at {cut}");
        }
    }
}

/// Every single byte of a small archive, of each kind: none is without meaning.
#[test]
fn no_byte_can_change_unnoticed() {
    let given = [
        Given::special("d", backup_archive::EntryKind::Directory),
        Given::file("d/noise", noise(1, 5000)),
        Given::file("d/text", text(1, 3000)),
    ];
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        for at in 0..archive.len() {
            let damaged = flipped(&archive, at, 1 << (at % 8));
            for quick in [true, false] {
                let is_noticed = match open(&damaged).and_then(|reader| verify(&reader, quick)) {
                    Ok(hit) => !hit.is_empty(),
                    Err(_) => true,
                };
                assert!(
                    is_noticed,
                    "{compression:?}: byte {at} of {}, quick: {quick}",
                    archive.len()
                );
            }
        }
    }
}

/// What reads an archive never panics, hangs or takes absurd memory, and never gives a wrong content for a right one.
#[test]
fn no_cut_of_a_small_archive_is_taken_for_whole() {
    let given = [
        Given::file("a", text(1, 3000)),
        Given::file("b", noise(1, 3000)),
    ];
    for compression in ALL_COMPRESSIONS {
        let archive = write(compression, &given);
        for cut in 0..archive.len() {
            let cut_archive = archive.slice(..cut);
            let error = open(&cut_archive).map(drop).unwrap_err();
            assert!(
                is_loss_of_table(&error) || matches!(error, ReadError::NotAnArchive),
                "cut at {cut}: {error:?}"
            );
            if let Ok(reader) = scan(&cut_archive) {
                assert_rest_is_read(
                    &reader,
                    &given,
                    &given.iter().map(|given| given.path.clone()).collect(),
                );
            }
        }
    }
}

#[test]
fn what_is_no_archive_is_told() {
    for bytes in [&b""[..], b"x", b"#!/bin/sh\n", &[0; 4096], &noise(1, 4096)] {
        let bytes = Bytes::copy_from_slice(bytes);
        assert!(
            matches!(open(&bytes).map(drop), Err(ReadError::NotAnArchive)),
            "{bytes:?}"
        );
        assert!(
            matches!(scan(&bytes).map(drop), Err(ReadError::NotAnArchive)),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let archive = write(Compression::None, &[Given::file("a", "x")]);
    let footer = archive.len() - 3 * 512;
    let with = |at: usize, value: u8| {
        let mut bytes = archive.to_vec();
        bytes[footer + at] = value;
        let check = backup_archive::Digest::of(&bytes[footer..footer + 92]);
        bytes[footer + 92..footer + 104].copy_from_slice(&check.as_bytes()[..12]);
        open(&bytes.into()).map(drop).unwrap_err()
    };
    assert!(matches!(
        with(8, 2),
        ReadError::UnsupportedVersion {
            found: 2,
            newest_known: 1
        }
    ));
    assert!(matches!(
        with(12, 4),
        ReadError::UnsupportedFeatures { bits: 4 }
    ));
    assert_eq!(
        with(8, 2).to_string(),
        "the archive has format version 2, and the newest known here is 1"
    );
}

/// An archive within an archive, stored as it is: its members must not be taken for those of the outer one.
#[test]
fn a_nested_archive_does_not_confuse_a_scan() {
    let inner = write(SEEKABLE[0], &[Given::file("inner", noise(3, 300_000))]);
    let given = [
        Given::file("a", noise(1, 900_000)),
        Given::file("b.tar.gz", inner),
        Given::file("c", noise(2, 900_000)),
    ];
    for compression in SEEKABLE {
        let archive = write(compression, &given);
        let reader = open(&archive).unwrap();
        for member in members(&archive, compression)
            .iter()
            .filter(|member| !member.is_contents)
        {
            let hit = hit_by(&reader, &member.tar);
            for at in [member.start + 1, member.start + 20, member.end - 1] {
                let damaged = flipped(&archive, at, 1);
                let scanned = scan(&damaged.slice(..archive.len() - 1)).unwrap();
                assert_rest_is_read(&scanned, &given, &hit);
            }
        }
    }
}
