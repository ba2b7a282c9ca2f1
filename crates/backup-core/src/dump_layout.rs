//! Where the parts of a database lie inside an archive.
//!
//! ```text
//! database/pre-data.sql                               schema, before the rows
//! database/load.list                                  in migration packages: for each folder of rows, the statement that takes them
//! database/data/<schema>.<table>/<part>-<sequence>.copy   rows, COPY text
//! database/large-objects/<oid>/<sequence>             bytes
//! database/post-data.sql                              sequence values, indexes, constraints, triggers, …
//! database/objects.jsonl                              where in the two SQL files each object is
//! database/dump.json                                  server, tables, number and digest of their rows: as in the manifest, which may be lost
//! ```
//! In names, every byte but `[A-Za-z0-9_-]` is written as `%` and two hexadecimal digits.
//! A folder name that would be longer than any file system takes is cut, and ends in `~` and a digest of the whole.

use backup_archive::ArchivePath;

/// The schema, before the rows.
pub(crate) const PRE_DATA: &str = "database/pre-data.sql";
/// What comes after the rows.
pub(crate) const POST_DATA: &str = "database/post-data.sql";
/// Where in the SQL files each object is.
pub(crate) const OBJECTS: &str = "database/objects.jsonl";
/// The database part of the manifest once more, in a place of its own: a restore needs one of them.
pub(crate) const DUMP: &str = "database/dump.json";
/// In migration packages: which statement takes the rows of which folder.
pub(crate) const LOAD_LIST: &str = "database/load.list";
/// The folder of the rows.
pub(crate) const DATA: &str = "database/data";
/// The folder of the large objects.
pub(crate) const LARGE_OBJECTS: &str = "database/large-objects";

/// Longest name of a folder, in bytes: file systems take 255.
const MAX_NAME_LEN: usize = 200;

/// The folder of a table's rows.
pub(crate) fn table_folder(schema: &str, table: &str) -> String {
    let mut name = format!("{}.{}", encoded(schema), encoded(table));
    if name.len() > MAX_NAME_LEN {
        let digest = blake3::hash(name.as_bytes()).to_hex();
        name.truncate(MAX_NAME_LEN - 17);
        name = format!("{name}~{}", &digest[..16]);
    }
    format!("{DATA}/{name}")
}

/// The file of one segment of a table.
pub(crate) fn segment_path(folder: &str, part: u32, sequence: u32) -> ArchivePath {
    ArchivePath::new(format!("{folder}/{part:03}-{sequence:06}.copy")).expect("plain characters")
}

/// The file of one piece of a large object.
pub(crate) fn large_object_path(oid: u32, sequence: u32) -> ArchivePath {
    ArchivePath::new(format!("{LARGE_OBJECTS}/{oid}/{sequence:06}")).expect("plain characters")
}

/// Number and piece of a large object, from the path that [`large_object_path`] gave.
pub(crate) fn large_object_of(path: &[u8]) -> Option<(u32, u32)> {
    let path = std::str::from_utf8(path).ok()?;
    let (oid, sequence) = path
        .strip_prefix(LARGE_OBJECTS)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some((oid.parse().ok()?, sequence.parse().ok()?))
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            text.push(byte.into());
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_short_and_differ() {
        assert_eq!(
            table_folder("public", "auth_user"),
            "database/data/public.auth_user"
        );
        assert_eq!(
            table_folder("My Schema", "a.b/c"),
            "database/data/My%20Schema.a%2Eb%2Fc"
        );
        let long = "я".repeat(31);
        let a = table_folder(&long, &long);
        let b = table_folder(&long, &format!("{}x", "я".repeat(31)));
        assert!(a.len() <= DATA.len() + 1 + MAX_NAME_LEN);
        assert_ne!(a, b);
        assert_eq!(
            segment_path(&a, 1, 23).to_string(),
            format!("{a}/001-000023.copy")
        );
    }
}
