//! Random trees survive the round trip, and random damage never makes a reader panic or lie.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use backup_archive::{
    ArchiveReader, Compression, EntryKind, Limits, Metadata, Timestamp, VerifyOptions,
};
use bytes::Bytes;
use common::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;

fn names() -> impl Strategy<Value = Vec<u8>> {
    let part = vec(
        any::<u8>().prop_filter("of a name", |byte| !matches!(byte, 0 | b'/')),
        1..30,
    )
    .prop_filter("of a name", |part| part != b"." && part != b"..");
    vec(part, 1..6).prop_map(|parts| parts.join(&b'/'))
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    let owners = (
        any::<u32>(),
        any::<u32>(),
        vec(1_u8.., 0..40),
        vec(1_u8.., 0..40),
    );
    let times = (any::<i32>(), 0..1_000_000_000_u32, 0..5_u8);
    let xattrs = btree_map(vec(1_u8.., 1..20), vec(any::<u8>(), 0..100), 0..3);
    (0..0o10000_u32, owners, times, xattrs, any::<bool>()).prop_map(
        |(mode, owners, times, xattrs, sparse)| Metadata {
            mode,
            uid: owners.0,
            gid: owners.1,
            user: owners.2,
            group: owners.3,
            mtime: Timestamp {
                seconds: i64::from(times.0) << times.2,
                nanoseconds: if times.2 == 0 { 0 } else { times.1 },
            },
            xattrs: xattrs.into_iter().collect(),
            sparse,
            origin: None,
        },
    )
}

fn contents() -> impl Strategy<Value = Bytes> {
    let len = prop_oneof![8 => 0..3000_usize, 3 => 0..200_000_usize, 1 => 900_000..2_500_000_usize];
    (any::<u64>(), len, any::<bool>()).prop_map(|(seed, len, is_text)| {
        if is_text {
            text(seed, len)
        } else {
            noise(seed, len)
        }
        .into()
    })
}

fn kinds() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        5 => Just(EntryKind::File),
        1 => Just(EntryKind::Directory),
        1 => vec(1_u8.., 1..300).prop_map(|target| EntryKind::Symlink { target }),
        1 => names().prop_map(|name| EntryKind::HardLink { target: path(name) }),
    ]
}

fn trees() -> impl Strategy<Value = Vec<Given>> {
    let entry = (kinds(), any_metadata(), contents());
    btree_map(names(), entry, 0..25).prop_map(|entries| {
        let given = entries
            .into_iter()
            .map(|(name, (kind, metadata, content))| {
                let content = if kind.is_file() {
                    content
                } else {
                    Bytes::new()
                };
                Given {
                    path: path(name),
                    kind,
                    metadata,
                    content,
                }
            });
        given.collect()
    })
}

fn compressions() -> impl Strategy<Value = Compression> {
    proptest::sample::select(ALL_COMPRESSIONS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_survives(given in trees(), compression in compressions(), job_count in 1..4_usize) {
        let (archive, _) = write_with(options(compression, job_count), &given);
        assert_holds(&open(&archive).unwrap(), &given, true);
    }
}

/// A change to a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Remove(Index, u8),
    Repeat(Index, u8),
    Zero(Index, u16),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), 1_u8..).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Change::Set(at, value)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), 1_u8..).prop_map(|(at, len)| Change::Remove(at, len)),
        (any::<Index>(), 1_u8..).prop_map(|(at, len)| Change::Repeat(at, len)),
        (any::<Index>(), 1_u16..).prop_map(|(at, len)| Change::Zero(at, len)),
    ];
    vec(change, 1..4)
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let place = |at: &Index| at.index(bytes.len());
    let range = |at: &Index, len: usize| place(at)..(place(at) + len).min(bytes.len());
    match change {
        Change::Flip(at, mask) => {
            let at = place(at);
            bytes[at] ^= mask;
        }
        Change::Set(at, value) => {
            let at = place(at);
            bytes[at] = *value;
        }
        Change::Cut(at) => {
            let at = place(at);
            bytes.truncate(at);
        }
        Change::Remove(at, len) => {
            let range = range(at, (*len).into());
            bytes.drain(range);
        }
        Change::Repeat(at, len) => {
            let range = range(at, (*len).into());
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, copy);
        }
        Change::Zero(at, len) => {
            let range = range(at, (*len).into());
            bytes[range].fill(0);
        }
    }
}

/// Whatever a reader gives back as intact is what was written.
fn assert_truthful(reader: &ArchiveReader, given: &BTreeMap<&[u8], &Given>) {
    let _ = reader.verify(
        &VerifyOptions {
            quick: true,
            jobs: jobs(1),
        },
        &(),
    );
    let _ = reader.verify(
        &VerifyOptions {
            quick: false,
            jobs: jobs(1),
        },
        &(),
    );
    for entry in reader.entries().flatten() {
        let _ = reader.find(&entry.path);
        let _ = reader.read_bytes(&entry, 1 << 20);
    }
    if let Ok((intact, _)) = read_all(reader, 2) {
        for (path, (entry, content)) in intact {
            let given = given
                .get(path.as_bytes())
                .unwrap_or_else(|| panic!("{path} was never written"));
            assert_eq!(entry.kind, given.kind);
            assert!(content == given.content, "content of {path}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_makes_a_lie(compression in compressions(), changes in changes()) {
        let given = [
            Given::special("d", EntryKind::Directory),
            Given::file("d/noise", noise(1, 40_000)),
            Given::file("d/text", text(1, 40_000)),
            Given::special("d/link", EntryKind::HardLink { target: path("d/text") }),
            Given::file("large", text(2, 1_200_000)),
        ];
        let by_path: BTreeMap<&[u8], &Given> = given.iter().map(|given| (given.path.as_bytes(), given)).collect();
        let mut bytes = write(compression, &given).to_vec();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        let source = Arc::new(Bytes::from(bytes));
        if let Ok(reader) = ArchiveReader::open(source.clone(), Limits::default()) {
            assert_truthful(&reader, &by_path);
        }
        // Without a table nothing but a container's checksums tells damage: a plain tar has none.
        if let Ok(reader) = ArchiveReader::scan(source, Limits::default())
            && compression != Compression::None
        {
            assert_truthful(&reader, &by_path);
        }
    }
}
