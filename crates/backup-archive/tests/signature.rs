//! Signatures in minisign's format: ours, minisign's, and those that must not hold.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use backup_archive::signature::{
    Prehash, PublicKey, SignError, Signature, SignatureError, SigningKey, signature_path,
};
use backup_archive::{FileAccess, KeyFileError};
use tempfile::TempDir;

const CONTENT: &[u8] = b"all there is in the archive";

fn prehash(content: &[u8]) -> Prehash {
    Prehash::of(content).unwrap()
}

fn minisign(dir: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("minisign")
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output();
    output.unwrap_or_else(|error| panic!("minisign (Debian's package minisign): {error}"))
}

fn success(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn minisign_accepts_ours() {
    let dir = TempDir::new().unwrap();
    let key = SigningKey::generate().unwrap();
    let file = dir.path().join("backup.tar.gz");
    fs::write(&file, CONTENT).unwrap();
    let signature = key
        .sign(
            &prehash(CONTENT),
            "timestamp:1700000000\tfile:backup.tar.gz",
        )
        .unwrap_err();
    assert!(matches!(signature, SignError::Comment { .. }));
    let comment = "made by db1 at 2026-01-31T02:00:00Z, für immer";
    let signature = key.sign(&prehash(CONTENT), comment).unwrap();
    fs::write(signature_path(&file), signature.to_string()).unwrap();
    fs::write(dir.path().join("key.pub"), key.public_key().to_file_text()).unwrap();

    let line = key.public_key().to_string();
    for trusted in [["-p", "key.pub"], ["-P", &line]] {
        let verify = ["-V", trusted[0], trusted[1], "-m", "backup.tar.gz"];
        let shown = success(&minisign(dir.path(), &verify));
        assert!(shown.contains(comment), "{shown}");
    }

    fs::write(&file, b"something else").unwrap();
    assert!(
        !minisign(dir.path(), &["-V", "-p", "key.pub", "-m", "backup.tar.gz"])
            .status
            .success()
    );
}

#[test]
fn ours_accepts_minisign() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("content"), CONTENT).unwrap();
    success(&minisign(
        dir.path(),
        &["-G", "-W", "-p", "key.pub", "-s", "key"],
    ));
    let sign = ["-S", "-s", "key", "-m", "content", "-t", "trust me"];
    success(&minisign(dir.path(), &sign));

    let public_key = PublicKey::read(&dir.path().join("key.pub")).unwrap();
    let signature = Signature::read(&dir.path().join("content.minisig")).unwrap();
    let comment = public_key.verify(&prehash(CONTENT), &signature).unwrap();
    assert_eq!(comment, "trust me");

    // And its secret key signs here.
    let key = SigningKey::read(&dir.path().join("key"), FileAccess::OwnerOnly).unwrap();
    assert_eq!(key.public_key(), public_key);
    let signature = key.sign(&prehash(CONTENT), "again").unwrap();
    assert_eq!(
        public_key.verify(&prehash(CONTENT), &signature).unwrap(),
        "again"
    );
}

#[test]
fn minisign_signs_with_our_key() {
    let dir = TempDir::new().unwrap();
    let key = SigningKey::generate().unwrap();
    let path = dir.path().join("key");
    key.create_file(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    fs::write(dir.path().join("content"), CONTENT).unwrap();
    success(&minisign(dir.path(), &["-S", "-s", "key", "-m", "content"]));
    let signature = Signature::read(&dir.path().join("content.minisig")).unwrap();
    key.public_key()
        .verify(&prehash(CONTENT), &signature)
        .unwrap();

    let again = SigningKey::read(&path, FileAccess::OwnerOnly).unwrap();
    assert_eq!(again.public_key(), key.public_key());
    assert!(matches!(
        key.create_file(&path),
        Err(SignError::File(KeyFileError::Create { .. }))
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        SigningKey::read(&path, FileAccess::OwnerOnly),
        Err(SignError::File(KeyFileError::OpenToOthers { .. }))
    ));
    assert!(SigningKey::read(&path, FileAccess::Anyone).is_ok());
}

#[test]
fn legacy_signatures_are_refused_by_name() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("content"), CONTENT).unwrap();
    success(&minisign(
        dir.path(),
        &["-G", "-W", "-p", "key.pub", "-s", "key"],
    ));
    success(&minisign(
        dir.path(),
        &["-S", "-l", "-s", "key", "-m", "content"],
    ));
    let refused = Signature::read(&dir.path().join("content.minisig"));
    assert!(matches!(refused, Err(SignatureError::Legacy)));
}

#[test]
fn nothing_can_be_changed() {
    let key = SigningKey::generate().unwrap();
    let signature = key.sign(&prehash(CONTENT), "a comment").unwrap();
    let text = signature.to_string();
    let holds = |text: &str| {
        let signature: Signature = text.parse().ok()?;
        let comment = key
            .public_key()
            .verify(&prehash(CONTENT), &signature)
            .ok()?;
        Some(comment.to_owned())
    };
    assert_eq!(holds(&text).as_deref(), Some("a comment"));
    assert_eq!(
        holds(&text.replace('\n', "\r\n")).as_deref(),
        Some("a comment")
    );
    let after_untrusted = text.find('\n').unwrap() + 1;
    for place in after_untrusted..text.len() {
        for wrong in [b'A', b'B', b'/', b'\n'] {
            let mut changed = text.clone().into_bytes();
            if changed[place] == wrong || (wrong == b'\n' && place == text.len() - 1) {
                continue;
            }
            changed[place] = wrong;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(holds(&changed), None, "{place}: {changed}");
        }
        if place + 1 < text.len() {
            assert_eq!(holds(&text[..place]), None);
        }
    }
    let comment = text.replace("a comment", "b comment").parse().unwrap();
    assert!(matches!(
        key.public_key().verify(&prehash(CONTENT), &comment),
        Err(SignatureError::WrongComment)
    ));
    assert!(matches!(
        key.public_key()
            .verify(&prehash(b"other content"), &signature),
        Err(SignatureError::WrongContent)
    ));
    let other = SigningKey::generate().unwrap().public_key();
    let refused = other.verify(&prehash(CONTENT), &signature).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "the signature is of key {}, not of {}",
            key.public_key().id(),
            other.id()
        )
    );
}

#[test]
fn other_texts_are_no_keys() {
    let key = SigningKey::generate().unwrap();
    let public = key.public_key();
    assert_eq!(public.to_file_text().parse::<PublicKey>().unwrap(), public);
    assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
    for text in ["", "x", "untrusted comment: x\n", &public.to_string()[1..]] {
        let refused = text.parse::<PublicKey>();
        assert!(
            matches!(refused, Err(SignatureError::NotAPublicKey)),
            "{text}"
        );
        let refused = text.parse::<SigningKey>();
        assert!(matches!(refused, Err(SignError::NotAKey)), "{text}");
    }

    let dir = TempDir::new().unwrap();
    let path = dir.path().join("key");
    key.create_file(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().nth(1).unwrap();
    // The third character is within the algorithm of the protection, the 120th within the key pair.
    let changed = |place: usize, to: &str| {
        let mut line = line.to_owned();
        line.replace_range(place..place + 1, to);
        format!("untrusted comment: x\n{line}\n").parse::<SigningKey>()
    };
    assert!(matches!(changed(4, "U"), Err(SignError::Protected)));
    let other = if &line[120..121] == "a" { "b" } else { "a" };
    assert!(matches!(changed(120, other), Err(SignError::Damaged)));
    let shown = format!("{key:?}");
    assert_eq!(shown, format!("SigningKey({})", public.id()));
}

#[test]
fn trusted_comments_are_one_line() {
    let key = SigningKey::generate().unwrap();
    for refused in ["two\nlines", "bell\x07", &"x".repeat(8001)] {
        let result = key.sign(&prehash(CONTENT), refused);
        assert!(matches!(result, Err(SignError::Comment { max: 8000 })));
    }
    let long = "x".repeat(8000);
    let signature: Signature = key
        .sign(&prehash(CONTENT), &long)
        .unwrap()
        .to_string()
        .parse()
        .unwrap();
    assert_eq!(
        key.public_key()
            .verify(&prehash(CONTENT), &signature)
            .unwrap(),
        long
    );
}

/// Gives one byte after the other, with interruptions.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.0.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn content_is_read_in_any_pieces() {
    let dir = TempDir::new().unwrap();
    let content: Vec<u8> = (0..1_000_003).map(|i| (i % 251) as u8).collect();
    fs::write(dir.path().join("content"), &content).unwrap();
    let of_file = Prehash::of(File::open(dir.path().join("content")).unwrap()).unwrap();
    assert!(of_file == prehash(&content));
    assert!(Prehash::of(Slow(&content, false)).unwrap() == of_file);
    assert!(prehash(&content[1..]) != of_file);
}
