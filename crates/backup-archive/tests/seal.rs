//! What is sealed opens again, at any place, and nothing is written that may have to be taken back.

mod sealing;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use backup_archive::seal::{
    Identity, Keyring, SealError, SealFor, SealedSource, SealingOptions, SealingSink, UnsealLimits,
    is_sealed,
};
use backup_archive::{FileSink, Sink, Source};
use bytes::Bytes;
use proptest::prelude::*;
use sealing::*;

#[test]
fn sizes_around_the_edges_of_chunks_and_groups() {
    let identity = Identity::generate().unwrap();
    let group = 16 * CHUNK;
    let sizes = [0, 1, CHUNK, 2 * CHUNK, group, 2 * group, 5 * group]
        .into_iter()
        .flat_map(|size: usize| [size.saturating_sub(1), size, size + 1]);
    for size in sizes {
        let plain = content(size);
        let sealed = seal(&plain, &for_identity(&identity));
        let chunks = size.div_ceil(CHUNK).max(1);
        assert_eq!(
            sealed.len(),
            payload_start(&sealed) + size + chunks * TAG,
            "{size}"
        );
        let source = open(sealed, &keys(&identity)).unwrap();
        assert_eq!(source.len(), size as u64);
        assert!(read_all(&source).unwrap() == plain, "{size}");
    }
}

#[test]
fn pieces_of_any_size_make_the_same_content() {
    let identity = Identity::generate().unwrap();
    let plain = content(3 * 1024 * 1024 + 5);
    for piece in [1000, CHUNK - 1, CHUNK, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let memory = MemorySink::default();
        let mut sink = sealing_sink(memory.clone(), &for_identity(&identity));
        for pieces in plain.chunks(piece).collect::<Vec<_>>().chunks(3) {
            let mut pieces: Vec<_> = pieces.iter().map(|p| Bytes::copy_from_slice(p)).collect();
            pieces.push(Bytes::new());
            sink.write(pieces).unwrap();
        }
        sink.finish().unwrap();
        let source = open(memory.content(), &keys(&identity)).unwrap();
        assert!(read_all(&source).unwrap() == plain, "{piece}");
    }
}

#[test]
fn each_of_several_recipients_opens_it() {
    let identities: Vec<_> = (0..3).map(|_| Identity::generate().unwrap()).collect();
    let recipients = identities.iter().map(|i| i.recipient().clone()).collect();
    let sealed = seal(b"for three", &SealFor::Recipients(recipients));
    for identity in &identities {
        let source = open(sealed.clone(), &keys(identity)).unwrap();
        assert_eq!(read_all(&source).unwrap(), b"for three");
    }
}

#[test]
fn a_passphrase_opens_it() {
    let sealed = seal(
        b"for whoever knows",
        &SealFor::Passphrase(passphrase("correct horse")),
    );
    let keys = Keyring {
        identities: vec![Identity::generate().unwrap()],
        passphrases: vec![passphrase("wrong horse"), passphrase("correct horse")],
    };
    assert_eq!(
        read_all(&open(sealed, &keys).unwrap()).unwrap(),
        b"for whoever knows"
    );
}

#[test]
fn the_same_content_is_never_sealed_to_the_same_bytes() {
    let identity = Identity::generate().unwrap();
    let sealed = [(); 2].map(|()| seal(&[0; 1000], &for_identity(&identity)));
    assert_eq!(payload_start(&sealed[0]), payload_start(&sealed[1]));
    let start = payload_start(&sealed[0]);
    assert_ne!(sealed[0][start - 16..start], sealed[1][start - 16..start]);
    assert_ne!(sealed[0][start..], sealed[1][start..]);
}

#[test]
fn sealing_needs_somebody_who_can_open() {
    let options = || SealingOptions {
        jobs: NonZeroUsize::MIN,
        spill_dir: std::env::temp_dir(),
    };
    let nobody = SealFor::Recipients(Vec::new());
    let refused = SealingSink::new(MemorySink::default(), &nobody, options());
    assert!(matches!(refused, Err(SealError::NoRecipients)));

    // The key of all zeros: whatever is sealed for it, anybody could open.
    let age = bech32::Hrp::parse("age").unwrap();
    let weak = bech32::encode::<bech32::Bech32>(age, &[0; 32]).unwrap();
    let weak = SealFor::Recipients(vec![weak.parse().unwrap()]);
    let refused = SealingSink::new(MemorySink::default(), &weak, options());
    assert!(matches!(refused, Err(SealError::WeakRecipient { .. })));

    let recipient = Identity::generate().unwrap().recipient().clone();
    let crowd = SealFor::Recipients(vec![recipient; 257]);
    let refused = SealingSink::new(MemorySink::default(), &crowd, options());
    assert!(matches!(
        refused,
        Err(SealError::TooManyRecipients { max: 256 })
    ));
}

#[test]
fn sealed_files_are_told_from_others() {
    let identity = Identity::generate().unwrap();
    let sealed = Bytes::from(seal(b"", &for_identity(&identity)));
    assert!(is_sealed(&sealed).unwrap());
    assert!(is_sealed(&Bytes::from_static(b"-----BEGIN AGE ENCRYPTED FILE-----\n")).unwrap());
    assert!(!is_sealed(&Bytes::from_static(b"\x1f\x8b\x08 gzip")).unwrap());
    assert!(!is_sealed(&Bytes::from_static(b"age")).unwrap());
    assert!(!is_sealed(&Bytes::new()).unwrap());
}

#[test]
fn what_is_taken_back_is_gone_and_never_reaches_the_sink() {
    let identity = Identity::generate().unwrap();
    let plain = content(60 << 20);
    // Less than is held in memory, more than that, and nothing at all.
    for held in [5 << 20, 50 << 20, 0] {
        let memory = MemorySink::default();
        let mut sink = sealing_sink(memory.clone(), &for_identity(&identity));
        let before = Bytes::copy_from_slice(&plain[..3_000_001]);
        sink.write(vec![before.clone()]).unwrap();
        let mark = sink.mark().unwrap();
        sink.write(vec![Bytes::from(vec![b'x'; held])]).unwrap();
        assert!(memory.content().len() <= 3_000_001 + 1000 + 50 * TAG);
        sink.rewind(mark).unwrap();

        let mark = sink.mark().unwrap();
        let after = Bytes::copy_from_slice(&plain[3_000_001..]);
        for piece in after.chunks(1 << 20) {
            sink.write(vec![after.slice_ref(piece)]).unwrap();
        }
        sink.keep(mark).unwrap();
        sink.write(vec![Bytes::from_static(b"and the end")])
            .unwrap();
        sink.finish().unwrap();

        let source = open(memory.content(), &keys(&identity)).unwrap();
        let expected = [&plain[..], b"and the end"].concat();
        assert!(read_all(&source).unwrap() == expected, "{held}");
    }
}

#[test]
fn a_mark_at_the_end_stays() {
    let identity = Identity::generate().unwrap();
    let memory = MemorySink::default();
    let mut sink = sealing_sink(memory.clone(), &for_identity(&identity));
    let mark = sink.mark().unwrap();
    sink.write(vec![Bytes::from(content(5 << 20))]).unwrap();
    drop(mark);
    sink.finish().unwrap();
    let source = open(memory.content(), &keys(&identity)).unwrap();
    assert!(read_all(&source).unwrap() == content(5 << 20));
}

#[test]
fn a_file_is_sealed_and_its_digest_is_that_of_the_sealed_bytes() {
    use sha2::{Digest, Sha256};
    let identity = Identity::generate().unwrap();
    let file = tempfile::tempfile().unwrap();
    let inner = FileSink::new(file.try_clone().unwrap(), true).unwrap();
    let mut sink = sealing_sink(inner, &for_identity(&identity));
    let plain = content(2_500_000);
    sink.write(vec![Bytes::from(plain.clone())]).unwrap();
    let stats = sink.finish().unwrap();

    let mut sealed = vec![0; stats.bytes as usize];
    assert_eq!(
        Source::read_at(&file, &mut sealed, 0).unwrap(),
        sealed.len()
    );
    assert_eq!(Source::len(&file), stats.bytes);
    assert_eq!(stats.sha256, Some(Sha256::digest(&sealed).into()));
    let source =
        SealedSource::open(Arc::new(file), &keys(&identity), UnsealLimits::default()).unwrap();
    assert!(read_all(&source).unwrap() == plain);
}

/// Fails after so many bytes.
struct FullDisk(usize);

impl Sink for FullDisk {
    type Mark = ();
    fn write(&mut self, pieces: Vec<Bytes>) -> std::io::Result<()> {
        let len = pieces.iter().map(Bytes::len).sum();
        self.0 = self
            .0
            .checked_sub(len)
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(())
    }
    fn mark(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn rewind(&mut self, (): ()) -> std::io::Result<()> {
        Ok(())
    }
    fn finish(self) -> std::io::Result<backup_archive::SinkStats> {
        Ok(backup_archive::SinkStats::default())
    }
}

#[test]
fn a_full_disk_is_reported() {
    let seal_for = for_identity(&Identity::generate().unwrap());
    let options = SealingOptions {
        jobs: NonZeroUsize::MIN,
        spill_dir: std::env::temp_dir(),
    };
    let refused = SealingSink::new(FullDisk(10), &seal_for, options);
    assert!(matches!(refused, Err(SealError::Sink(_))));

    for room in [1000, 1 << 20, 3 << 20] {
        let mut sink = sealing_sink(FullDisk(room), &seal_for);
        let result = (0..4)
            .try_for_each(|_| sink.write(vec![Bytes::from(vec![0; 1 << 20])]))
            .and_then(|()| sink.finish());
        assert_eq!(
            result.unwrap_err().kind(),
            std::io::ErrorKind::StorageFull,
            "{room}"
        );
    }
}

#[test]
fn several_threads_read_at_once() {
    let identity = Identity::generate().unwrap();
    let plain = content(40 * CHUNK + 17);
    let source = open(seal(&plain, &for_identity(&identity)), &keys(&identity)).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (source, plain) = (&source, &plain);
            scope.spawn(move || {
                for step in 0..200_u64 {
                    let offset = (step * 7919 + thread * 104_729) * 997 % plain.len() as u64;
                    let len = 1 + (step as usize * 4001) % (3 * CHUNK);
                    let end = (offset as usize + len).min(plain.len());
                    let expected = &plain[offset as usize..end];
                    assert!(read(source, offset, len).unwrap() == expected);
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn reading_anywhere_gives_the_plain_bytes(
        size in 0..6 * CHUNK,
        reads in proptest::collection::vec((0..7 * CHUNK, 0..3 * CHUNK), 1..40),
    ) {
        let identity = Identity::generate().unwrap();
        let plain = content(size);
        let source = open(seal(&plain, &for_identity(&identity)), &keys(&identity)).unwrap();
        for (offset, len) in reads {
            let start = offset.min(size);
            let expected = &plain[start..(start + len).min(size)];
            prop_assert!(read(&source, offset as u64, len).unwrap() == expected);
        }
    }
}
