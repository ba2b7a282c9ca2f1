//! Debian's `age` opens what is sealed here, and what it sealed opens here.

mod sealing;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use backup_archive::FileAccess;
use backup_archive::seal::{Identity, Keyring, Recipient, SealFor, UnsealError, UnsealLimits};
use sealing::*;
use tempfile::TempDir;

const SIZES: [usize; 6] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * (1 << 20)];

fn age(dir: &Path, program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output();
    output.unwrap_or_else(|error| panic!("{program} (Debian's package age): {error}"))
}

fn success(output: Output) -> Vec<u8> {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    output.stdout
}

/// Runs `age` on a terminal of its own, where it asks for a passphrase, and answers.
fn age_with_passphrase(dir: &Path, passphrase: &str, arguments: &[&str]) {
    const ANSWER: &str = r#"
import os, pty, sys
passphrase = sys.argv[1].encode() + b"\n"
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("age", ["age"] + sys.argv[2:])
shown, answered = b"", 0
while True:
    try:
        part = os.read(terminal, 1024)
    except OSError:
        break
    if not part:
        break
    shown += part
    asked = shown.count(b"assphrase")
    if asked > answered and shown.rstrip().endswith(b":"):
        answered = asked
        os.write(terminal, passphrase)
sys.stderr.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    let output = Command::new("python3")
        .args(["-c", ANSWER, passphrase])
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap();
    success(output);
}

#[test]
fn age_opens_ours() {
    let dir = TempDir::new().unwrap();
    let (first, second) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    second
        .create_file(&dir.path().join("key.txt"), "now")
        .unwrap();
    let recipients = vec![first.recipient().clone(), second.recipient().clone()];
    for size in SIZES {
        let plain = content(size);
        let sealed = seal(&plain, &SealFor::Recipients(recipients.clone()));
        fs::write(dir.path().join("sealed.age"), sealed).unwrap();
        let opened = success(age(
            dir.path(),
            "age",
            &["-d", "-i", "key.txt", "sealed.age"],
        ));
        assert!(opened == plain, "{size}");
    }
}

#[test]
fn age_opens_ours_with_a_passphrase() {
    let dir = TempDir::new().unwrap();
    let plain = content(100_000);
    let sealed = seal(&plain, &SealFor::Passphrase(passphrase("correct horse")));
    fs::write(dir.path().join("sealed.age"), sealed).unwrap();
    age_with_passphrase(
        dir.path(),
        "correct horse",
        &["-d", "-o", "opened", "sealed.age"],
    );
    assert!(fs::read(dir.path().join("opened")).unwrap() == plain);
}

#[test]
fn ours_opens_what_age_sealed() {
    let dir = TempDir::new().unwrap();
    success(age(dir.path(), "age-keygen", &["-o", "key.txt"]));
    let public = success(age(dir.path(), "age-keygen", &["-y", "key.txt"]));
    let identities =
        Identity::read_list(&dir.path().join("key.txt"), FileAccess::OwnerOnly).unwrap();
    let public = String::from_utf8(public).unwrap();
    let recipient: Recipient = public.trim().parse().unwrap();
    assert_eq!(identities[0].recipient(), &recipient);

    let other = Identity::generate().unwrap();
    let list = format!("{}\n{recipient}\n", other.recipient());
    fs::write(dir.path().join("recipients.txt"), list).unwrap();
    for size in SIZES {
        let plain = content(size);
        fs::write(dir.path().join("plain"), &plain).unwrap();
        let sealed = success(age(dir.path(), "age", &["-R", "recipients.txt", "plain"]));
        for identity in [&identities[0], &other] {
            let source = open(sealed.clone(), &keys(identity)).unwrap();
            assert!(read_all(&source).unwrap() == plain, "{size}");
        }
    }
}

#[test]
fn ours_opens_what_age_sealed_with_a_passphrase() {
    let dir = TempDir::new().unwrap();
    let plain = content(100_000);
    fs::write(dir.path().join("plain"), &plain).unwrap();
    age_with_passphrase(
        dir.path(),
        "correct horse",
        &["-p", "-o", "sealed.age", "plain"],
    );
    let sealed = fs::read(dir.path().join("sealed.age")).unwrap();
    let keys = Keyring {
        passphrases: vec![passphrase("correct horse")],
        ..Keyring::default()
    };
    let source = open(sealed.clone(), &keys).unwrap();
    assert!(read_all(&source).unwrap() == plain);

    let low = UnsealLimits {
        max_work_factor: 17,
    };
    let source = std::sync::Arc::new(bytes::Bytes::from(sealed));
    let refused = backup_archive::seal::SealedSource::open(source, &keys, low);
    assert!(matches!(refused, Err(UnsealError::Limit { value: 18, .. })));
}
