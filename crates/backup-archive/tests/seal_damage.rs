//! Damage is named for what it is and costs what it hits; hostile headers cost nothing.

mod sealing;

use std::io;
use std::sync::Arc;

use backup_archive::Source;
use backup_archive::seal::{Identity, Keyring, SealFor, SealedSource, UnsealError, UnsealLimits};
use bytes::Bytes;
use proptest::prelude::*;
use sealing::*;

/// Three chunks and a bit.
const LEN: usize = 3 * CHUNK + 1000;
const SEALED: usize = CHUNK + TAG;

fn sealed(identity: &Identity) -> (Vec<u8>, Vec<u8>) {
    let plain = content(LEN);
    let sealed = seal(&plain, &for_identity(identity));
    (plain, sealed)
}

#[test]
fn every_byte_of_the_header_counts() {
    let identity = Identity::generate().unwrap();
    let (_, sealed) = sealed(&identity);
    let start = payload_start(&sealed);
    for place in 0..start - 16 {
        let mut damaged = sealed.clone();
        damaged[place] ^= 1;
        let error = open(damaged.clone(), &keys(&identity)).err().unwrap();
        let is_expected = match place {
            0..19 => matches!(error, UnsealError::NotSealed),
            19..21 => matches!(error, UnsealError::UnsupportedVersion),
            // A recipient whose key or wrapped secret is damaged looks like somebody else's.
            _ => matches!(
                error,
                UnsealError::DamagedHeader { .. }
                    | UnsealError::WrongIdentity { .. }
                    | UnsealError::NeedsIdentity { .. }
                    | UnsealError::UnsupportedVersion
            ),
        };
        assert!(is_expected, "{place}: {error:?}");
        assert!(salvage(damaged, &keys(&identity)).is_err(), "{place}");
    }
}

#[test]
fn a_damaged_nonce_damages_everything() {
    let identity = Identity::generate().unwrap();
    let (_, mut sealed) = sealed(&identity);
    let start = payload_start(&sealed);
    sealed[start - 1] ^= 1;
    assert!(matches!(
        open(sealed, &keys(&identity)),
        Err(UnsealError::DamagedEnd { .. })
    ));
}

#[test]
fn a_damaged_chunk_costs_that_chunk() {
    let identity = Identity::generate().unwrap();
    let (plain, sealed) = sealed(&identity);
    let start = payload_start(&sealed);
    for chunk in 0..3 {
        // The first byte, one within, the last, and one of the tag.
        for place in [0, 30_000, CHUNK - 1, CHUNK, SEALED - 1] {
            let mut damaged = sealed.clone();
            damaged[start + chunk * SEALED + place] ^= 0x80;
            let source = open(damaged, &keys(&identity)).unwrap();
            let (from, to) = (chunk * CHUNK, (chunk + 1) * CHUNK);
            assert!(read(&source, 0, from).unwrap() == plain[..from]);
            assert!(read(&source, to as u64, LEN).unwrap() == plain[to..]);
            let error = read(&source, (to - 1) as u64, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let expected = (from as u64, CHUNK as u64);
            assert!(
                matches!(unseal_error(&error), UnsealError::DamagedChunk { offset, length } if (*offset, *length) == expected)
            );
            // A read over it gives what is before it, and then the error.
            let mut buffer = vec![0; LEN];
            if chunk > 0 {
                assert_eq!(source.read_at(&mut buffer, 0).unwrap(), from);
            } else {
                assert!(source.read_at(&mut buffer, 0).is_err());
            }
        }
    }
}

#[test]
fn a_damaged_end_is_named_and_the_rest_is_salvaged() {
    let identity = Identity::generate().unwrap();
    let (plain, sealed) = sealed(&identity);
    for from_end in [1, 16, 17, 1000] {
        let mut damaged = sealed.clone();
        let place = damaged.len() - from_end;
        damaged[place] ^= 1;
        let error = open(damaged.clone(), &keys(&identity)).err().unwrap();
        assert!(
            matches!(error, UnsealError::DamagedEnd { offset } if offset == 3 * CHUNK as u64),
            "{error:?}"
        );
        let source = salvage(damaged, &keys(&identity)).unwrap();
        assert!(read_all(&source).unwrap() == plain[..3 * CHUNK]);
    }
}

#[test]
fn a_cut_anywhere_is_noticed() {
    let identity = Identity::generate().unwrap();
    let (plain, sealed) = sealed(&identity);
    let start = payload_start(&sealed);
    for chunk in 0..=3 {
        for beyond in [0, 1, TAG - 1, TAG, TAG + 1, 700] {
            let len = start + chunk * SEALED + beyond;
            let error = open(sealed[..len].to_vec(), &keys(&identity))
                .err()
                .unwrap();
            // With more than a tag left of a chunk, a cut looks like damage.
            let looks_damaged = beyond > TAG || (beyond == TAG && chunk == 0);
            let is_expected = match error {
                UnsealError::Truncated { length } => !looks_damaged && length == len as u64,
                UnsealError::DamagedEnd { offset } => {
                    looks_damaged && offset == (chunk * CHUNK) as u64
                }
                _ => false,
            };
            assert!(is_expected, "{chunk}+{beyond}: {error:?}");

            let source = salvage(sealed[..len].to_vec(), &keys(&identity)).unwrap();
            assert!(read_all(&source).unwrap() == plain[..chunk * CHUNK]);
        }
    }
    for len in (0..start - 16).step_by(7).chain([start - 16, start - 1]) {
        let error = open(sealed[..len].to_vec(), &keys(&identity))
            .err()
            .unwrap();
        let is_expected = match error {
            UnsealError::NotSealed => len < 19,
            UnsealError::DamagedHeader { .. } => (19..start - 16).contains(&len),
            UnsealError::Truncated { .. } => len >= start - 16,
            _ => false,
        };
        assert!(is_expected, "{len}: {error:?}");
    }
}

#[test]
fn chunks_cannot_be_moved_removed_or_added() {
    let identity = Identity::generate().unwrap();
    let plain = content(3 * CHUNK);
    let sealed = seal(&plain, &for_identity(&identity));
    let start = payload_start(&sealed);
    let (head, payload) = sealed.split_at(start);
    let chunks: Vec<&[u8]> = payload.chunks(SEALED).collect();
    let order = |order: &[usize]| {
        let chunks = order.iter().flat_map(|&chunk| chunks[chunk]).copied();
        head.iter().copied().chain(chunks).collect::<Vec<u8>>()
    };
    let damaged = |sealed| {
        let source = open(sealed, &keys(&identity)).unwrap();
        read_all(&source).unwrap_err()
    };
    assert!(read_all(&open(order(&[0, 1, 2]), &keys(&identity)).unwrap()).unwrap() == plain);
    damaged(order(&[1, 0, 2]));
    assert!(matches!(
        open(order(&[0, 1]), &keys(&identity)),
        Err(UnsealError::Truncated { .. })
    ));
    for wrong in [&[0, 2][..], &[0, 2, 1], &[0, 1, 2, 2], &[0, 1, 1, 2]] {
        let opened = open(order(wrong), &keys(&identity));
        assert!(
            matches!(opened, Err(UnsealError::DamagedEnd { .. })),
            "{wrong:?}"
        );
    }
}

#[test]
fn the_key_must_fit() {
    let identity = Identity::generate().unwrap();
    let (_, for_recipient) = sealed(&identity);
    let with_passphrase = seal(b"x", &SealFor::Passphrase(passphrase("right")));
    let stranger = keys(&Identity::generate().unwrap());
    let wrong = Keyring {
        passphrases: vec![passphrase("wrong")],
        ..Keyring::default()
    };
    assert!(matches!(
        open(for_recipient.clone(), &stranger),
        Err(UnsealError::WrongIdentity {
            given: 1,
            recipients: 1
        })
    ));
    assert!(matches!(
        open(for_recipient, &wrong),
        Err(UnsealError::NeedsIdentity { recipients: 1 })
    ));
    assert!(matches!(
        open(with_passphrase.clone(), &wrong),
        Err(UnsealError::WrongPassphrase)
    ));
    assert!(matches!(
        open(with_passphrase, &stranger),
        Err(UnsealError::NeedsPassphrase)
    ));
}

/// A header of these lines, with a code that fits nothing.
fn header(lines: &[&str]) -> Vec<u8> {
    let mac = "A".repeat(43);
    format!(
        "age-encryption.org/v1\n{}\n--- {mac}\n{}",
        lines.join("\n"),
        "n".repeat(100)
    )
    .into_bytes()
}

#[test]
fn hostile_headers_are_refused() {
    let salt = "A".repeat(22);
    let body = "A".repeat(43);
    let share = format!("{}E", "Q".repeat(42));
    let scrypt = |factor: &str| format!("-> scrypt {salt} {factor}\n{body}");
    let x25519 = format!("-> X25519 {share}\n{body}");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "a work factor that takes a terabyte",
            header(&[&scrypt("30")]),
            "the sealed file has a passphrase work factor of 30, more than the limit of 20",
        ),
        (
            "no work at all",
            header(&[&scrypt("0")]),
            "a malformed passphrase part",
        ),
        (
            "a work factor with a sign",
            header(&[&scrypt("+8")]),
            "a malformed passphrase part",
        ),
        (
            "a work factor with zeros",
            header(&[&scrypt("08")]),
            "a malformed passphrase part",
        ),
        (
            "a work factor beyond numbers",
            header(&[&scrypt("999")]),
            "a malformed passphrase part",
        ),
        (
            "a passphrase beside a recipient",
            header(&[&scrypt("16"), &x25519]),
            "a passphrase beside other recipients",
        ),
        (
            "a short share",
            header(&["-> X25519 QUFB", &body]),
            "a malformed X25519 recipient",
        ),
        (
            "a share of zeros",
            header(&[&format!("-> X25519 {body}\n{body}")]),
            "a malformed X25519 recipient",
        ),
        (
            "two shares",
            header(&[&format!("-> X25519 {share} {share}\n{body}")]),
            "a malformed X25519 recipient",
        ),
        (
            "a long wrapped key",
            header(&[&format!("-> X25519 {share}\n{}\n", "A".repeat(64))]),
            "a malformed X25519 recipient",
        ),
        ("no kind", header(&["-> ", ""]), "a malformed recipient"),
        (
            "two spaces",
            header(&["-> a  b", ""]),
            "a malformed recipient",
        ),
        (
            "a control character",
            header(&["-> a\x07", ""]),
            "a malformed recipient",
        ),
        (
            "a long line",
            header(&["-> a", &"A".repeat(68), ""]),
            "a malformed recipient",
        ),
        (
            "padding",
            header(&["-> a", "QQ=="]),
            "a malformed recipient",
        ),
        (
            "bits beyond the end",
            header(&["-> a", "QR"]),
            "a malformed recipient",
        ),
        ("no body", header(&["-> a"]), "a malformed recipient"),
        (
            "a line of nothing",
            header(&["what"]),
            "a line that belongs to nothing",
        ),
        (
            "recipients without end",
            header(&vec![x25519.as_str(); 10_000]),
            "it does not end",
        ),
        (
            "one line without end",
            header(&[&"A".repeat(1 << 20)]),
            "it does not end",
        ),
    ];
    let keys = Keyring {
        identities: vec![Identity::generate().unwrap()],
        passphrases: vec![passphrase("x")],
    };
    for (name, sealed, expected) in cases {
        let message = open(sealed, &keys).err().unwrap().to_string();
        assert!(message.ends_with(expected), "{name}: {message}");
    }
}

#[test]
fn the_text_form_is_refused_by_name() {
    let armored = b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n".to_vec();
    let refused = open(armored, &Keyring::default());
    assert!(matches!(refused, Err(UnsealError::Armored)));
}

#[test]
fn recipients_of_unknown_kinds_are_skipped() {
    let body = "A".repeat(43);
    let sealed = header(&[
        "-> age-plugin-yubikey some arguments",
        &body,
        "-> ssh-ed25519 abcd",
        &body,
        "-> grease! \\o/",
        "",
    ]);
    let stranger = keys(&Identity::generate().unwrap());
    assert!(matches!(
        open(sealed, &stranger),
        Err(UnsealError::WrongIdentity { recipients: 0, .. })
    ));
}

/// Fails to read from a place on.
struct BadDisk(Bytes, u64);

impl Source for BadDisk {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.1 {
            return Err(io::Error::other("bad sector"));
        }
        let end = (self.1 - offset).min(buffer.len() as u64) as usize;
        self.0.read_at(&mut buffer[..end], offset)
    }
}

#[test]
fn errors_of_the_disk_are_passed_on() {
    let identity = Identity::generate().unwrap();
    let (_, sealed) = sealed(&identity);
    let bad = BadDisk(Bytes::from(sealed), 100_000);
    let opened = SealedSource::open(Arc::new(bad), &keys(&identity), UnsealLimits::default());
    assert!(matches!(opened, Err(UnsealError::Io(_))));
}

/// What is done to a sealed file: bytes changed, removed, added, repeated.
fn damage() -> impl Strategy<Value = (u8, prop::sample::Index, Vec<u8>)> {
    let bytes = proptest::collection::vec(any::<u8>(), 1..40);
    (0..4_u8, any::<prop::sample::Index>(), bytes)
}

fn apply(sealed: &mut Vec<u8>, kind: u8, at: &prop::sample::Index, bytes: &[u8]) {
    // Half of the damage is in the header, where most can go wrong.
    let range = if bytes.len().is_multiple_of(2) {
        sealed.len()
    } else {
        sealed.len().min(300)
    };
    let start = at.index(range.max(1));
    let end = (start + bytes.len()).min(sealed.len());
    match kind {
        0 => sealed[start..end].copy_from_slice(&bytes[..end - start]),
        1 => drop(sealed.drain(start..end)),
        2 => drop(sealed.splice(start..start, bytes.iter().copied())),
        _ => {
            let repeated = sealed[start..end].to_vec();
            sealed.splice(start..start, repeated);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_of_any_kind_gives_errors_or_the_plain_bytes(
        size in 0..3 * CHUNK,
        damages in proptest::collection::vec(damage(), 1..4),
    ) {
        let identity = Identity::generate().unwrap();
        let plain = content(size);
        let mut sealed = seal(&plain, &for_identity(&identity));
        for (kind, at, bytes) in &damages {
            apply(&mut sealed, *kind, at, bytes);
        }
        if let Ok(source) = open(sealed.clone(), &keys(&identity)) {
            prop_assert_eq!(source.len(), size as u64);
            if let Ok(read) = read_all(&source) {
                prop_assert!(read == plain);
            }
        }
        if let Ok(source) = salvage(sealed, &keys(&identity)) {
            for offset in (0..source.len()).step_by(CHUNK) {
                if let Ok(read) = read(&source, offset, CHUNK) {
                    prop_assert!(plain[offset as usize..].starts_with(&read));
                }
            }
        }
    }
}
