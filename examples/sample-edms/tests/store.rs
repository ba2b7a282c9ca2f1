//! The store is the same each time, and its list tells the truth.

use std::{fs, path::Path};

#[test]
fn two_stores_are_equal_and_listed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = sample_edms::write_store(one.path()).unwrap();
    let again = sample_edms::write_store(two.path()).unwrap();
    assert_eq!(format!("{files:?}"), format!("{again:?}"));
    assert!((280..320).contains(&files.len()), "{}", files.len());
    for file in &files {
        let (one, two) = (one.path().join(&file.path), two.path().join(&file.path));
        assert_eq!(
            fs::metadata(&one).unwrap().len(),
            file.size,
            "{}",
            file.path
        );
        assert_eq!(modified(&one), modified(&two), "{}", file.path);
    }
}

#[test]
fn every_document_has_a_row_in_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let files = sample_edms::write_store(folder.path()).unwrap();
    let script = sample_edms::load_script(&files);
    for file in files.iter().filter(|file| file.document.is_some()) {
        assert!(
            script.contains(&format!(
                "\t{}\t{}\t{}\t",
                file.path, file.size, file.checksum
            )),
            "{}",
            file.path
        );
    }
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}
