//! Keys as text and in files, and that they show nowhere.

mod sealing;

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use backup_archive::seal::{Identity, KeyError, Passphrase, Recipient};
use backup_archive::{FileAccess, KeyFileError};
use tempfile::TempDir;

fn file(dir: &TempDir, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn chain(error: &dyn Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

#[test]
fn keys_go_through_text() {
    let identity = Identity::generate().unwrap();
    let secret = identity.to_secret_text();
    assert!(secret.starts_with("AGE-SECRET-KEY-1") && secret.len() == 74);
    let again: Identity = secret.parse().unwrap();
    assert_eq!(again.recipient(), identity.recipient());
    let public = identity.recipient().to_string();
    assert!(public.starts_with("age1") && public.len() == 62);
    assert_eq!(&public.parse::<Recipient>().unwrap(), identity.recipient());
}

#[test]
fn a_mistyped_key_is_refused() {
    let identity = Identity::generate().unwrap();
    let secret = identity.to_secret_text();
    let public = identity.recipient().to_string();
    for place in 0..public.len() {
        let mut mistyped = public.clone().into_bytes();
        mistyped[place] = if mistyped[place] == b'q' { b'p' } else { b'q' };
        let mistyped = String::from_utf8(mistyped).unwrap();
        assert!(mistyped.parse::<Recipient>().is_err(), "{mistyped}");
    }
    for refused in [
        &public[1..],
        &public[..61],
        &public.to_uppercase(),
        "",
        " ",
        "age1",
    ] {
        assert!(matches!(
            refused.parse::<Recipient>(),
            Err(KeyError::NotARecipient)
        ));
    }
    for refused in [&secret[..73], &secret.to_lowercase(), &public] {
        assert!(matches!(
            refused.parse::<Identity>(),
            Err(KeyError::NotAnIdentity)
        ));
    }
}

#[test]
fn keys_of_other_kinds_are_refused_by_name() {
    let message = |text: &str| text.parse::<Recipient>().unwrap_err().to_string();
    assert!(message("ssh-ed25519 AAAAC3Nz someone").contains("(SSH)"));
    assert!(message("age1yubikey1qwxyz").contains("plugin"));
    assert!(message("AGE-SECRET-KEY-1QQQ").contains("secret identity"));
    let plugin = "AGE-PLUGIN-YUBIKEY-1QQQ".parse::<Identity>();
    assert!(matches!(plugin, Err(KeyError::UnsupportedIdentity { .. })));
    let sealed = Identity::parse_list("age-encryption.org/v1\n-> scrypt");
    assert!(matches!(sealed, Err(KeyError::UnsupportedIdentity { .. })));
}

#[test]
fn secrets_show_nowhere() {
    let identity = Identity::generate().unwrap();
    let secret = identity.to_secret_text();
    let data = &secret["AGE-SECRET-KEY-1".len()..];
    let shown = format!("{identity:?} {identity:#?}");
    assert!(!shown.contains(data) && shown.contains(&identity.recipient().to_string()));
    let keys = sealing::keys(&identity);
    assert!(!format!("{keys:?}").contains(data));
    let passphrase = sealing::passphrase("hunter2");
    assert!(!format!("{passphrase:?} {passphrase:#?}").contains("hunter2"));

    let mistyped = secret.replace(&data[10..14], "????");
    let list = format!("# mine\n{mistyped}\n");
    for error in [
        Identity::parse_list(&list).unwrap_err(),
        Recipient::parse_list(&list).unwrap_err(),
    ] {
        let shown = format!("{} {error:?}", chain(&error));
        assert!(!shown.contains(&data[20..30]), "{shown}");
        assert!(shown.contains("line 2"), "{shown}");
    }
}

#[test]
fn lists_have_comments_and_several_keys() {
    let (first, second) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let list = format!(
        "# one\r\n{}\r\n\n  {}  \n",
        first.recipient(),
        second.recipient()
    );
    let recipients = Recipient::parse_list(&list).unwrap();
    assert_eq!(
        recipients,
        [first.recipient().clone(), second.recipient().clone()]
    );
    let list = format!(
        "# one\n{}\n# two\n{}",
        *first.to_secret_text(),
        *second.to_secret_text()
    );
    let identities = Identity::parse_list(&list).unwrap();
    assert_eq!(identities.len(), 2);
    assert_eq!(identities[1].recipient(), second.recipient());
    for empty in ["", "# nothing\n\n"] {
        assert!(matches!(Identity::parse_list(empty), Err(KeyError::NoKeys)));
    }
}

#[test]
fn identity_files_are_private() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("key.txt");
    let identity = Identity::generate().unwrap();
    identity.create_file(&path, "2026-01-31T02:00:00Z").unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let read = Identity::read_list(&path, FileAccess::OwnerOnly).unwrap();
    assert_eq!(read[0].recipient(), identity.recipient());
    let again = identity.create_file(&path, "later");
    assert!(matches!(
        again,
        Err(KeyError::File(KeyFileError::Create { .. }))
    ));
    assert_eq!(
        Identity::read_list(&path, FileAccess::OwnerOnly)
            .unwrap()
            .len(),
        1
    );

    for mode in [0o640, 0o604, 0o620, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Identity::read_list(&path, FileAccess::OwnerOnly).unwrap_err();
        assert!(
            chain(&error).contains(&format!("mode 0{mode:o}")),
            "{error}"
        );
        assert!(Identity::read_list(&path, FileAccess::Anyone).is_ok());
    }
}

#[test]
fn passphrase_files_hold_one_line() {
    let dir = TempDir::new().unwrap();
    for (content, expected) in [
        ("secret", Some("secret")),
        ("secret\n", Some("secret")),
        ("secret\r\n", Some("secret")),
        (" two words \n", Some(" two words ")),
        ("", None),
        ("\n", None),
        ("two\nlines\n", None),
        ("\n\n", None),
    ] {
        let path = file(&dir, "passphrase", content, 0o600);
        let read = Passphrase::read(&path, FileAccess::OwnerOnly);
        let Some(expected) = expected else {
            assert!(read.is_err(), "{content:?}");
            continue;
        };
        let sealed = sealing::seal(
            b"x",
            &backup_archive::seal::SealFor::Passphrase(read.unwrap()),
        );
        let keys = backup_archive::seal::Keyring {
            passphrases: vec![sealing::passphrase(expected)],
            ..Default::default()
        };
        assert!(sealing::open(sealed, &keys).is_ok(), "{content:?}");
    }
}

#[test]
fn other_files_are_refused() {
    let dir = TempDir::new().unwrap();
    let large = file(&dir, "large", "x".repeat(5000), 0o600);
    let binary = file(&dir, "binary", [0xff, 0xfe], 0o600);
    let open = file(&dir, "open", "x", 0o644);
    let read = |path: &Path| Passphrase::read(path, FileAccess::OwnerOnly).unwrap_err();
    let kind = |path: &Path| match read(path) {
        KeyError::File(error) => error,
        error => panic!("{error:?}"),
    };
    assert!(matches!(
        kind(&large),
        KeyFileError::TooLarge { max: 4096, .. }
    ));
    assert!(matches!(kind(&binary), KeyFileError::NotText { .. }));
    assert!(matches!(
        kind(&open),
        KeyFileError::OpenToOthers { mode: 0o644, .. }
    ));
    assert!(matches!(
        kind(&dir.path().join("none")),
        KeyFileError::Read { .. }
    ));
    assert!(Recipient::read_list(&large).is_err());
}
