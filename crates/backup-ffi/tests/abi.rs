//! What a version of the interface promised stays as it was: `tests/abi/<version>.txt` has every declaration of the header when that version
//! came out. New declarations may be added; a line that is missing from the header needs a new version and a new file.
//! `BLESS=1 cargo test -p backup-ffi --test abi` adds what is new.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use edms_backup::BACKUP_ABI_VERSION;

#[test]
fn nothing_that_was_promised_has_changed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = fs::read_to_string(folder.join("include/edms_backup.h")).unwrap();
    let declared = declarations(&header);
    let path = folder.join(format!("tests/abi/{BACKUP_ABI_VERSION}.txt"));
    if std::env::var_os("BLESS").is_some() {
        let text: String = declared.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&path, text).unwrap();
    }
    let promised = fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!(
            "version {BACKUP_ABI_VERSION} has no file {}",
            path.display()
        )
    });
    for line in promised.lines() {
        assert!(
            declared.contains(line),
            "{line:?} is not in the header any more: raise BACKUP_ABI_VERSION"
        );
    }
    assert_eq!(
        declared.len(),
        promised.lines().count(),
        "the header declares more than {} says: add it",
        path.display()
    );
}

/// Every declaration on a line of its own, without comments and with single spaces.
fn declarations(header: &str) -> BTreeSet<String> {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, after)) = rest.split_once("/*") {
        code += before;
        rest = after.split_once("*/").expect("comments end").1;
    }
    code += rest;
    let code: String = code
        .lines()
        .filter(|line| !line.starts_with('#') || line.contains("BACKUP_ABI_VERSION"))
        .filter(|line| !line.contains("extern \"C\""))
        .map(|line| match line.strip_prefix('#') {
            Some(macro_line) => format!("#{macro_line};"),
            None => line.to_owned() + " ",
        })
        .collect();
    code.split([';', '{', '}'])
        .flat_map(|part| match part.contains('(') {
            true => vec![part],
            // The variants of an enumeration.
            false => part.split(',').collect(),
        })
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|part| !part.is_empty())
        .collect()
}
