//! The SQL that makes the sample database.

use crate::StoredFile;

const ROLES: &str = include_str!("../roles.sql");
const SCHEMA: &str = include_str!("../schema.sql");
const DATA: &str = include_str!("../data.sql");

/// One script for psql that fills an empty database: roles (where they are missing), schema, and rows that refer to
/// `files` by path, size and checksum. Run it with `ON_ERROR_STOP` as a role that may create roles.
pub fn load_script(files: &[StoredFile]) -> String {
    let mut script = format!("BEGIN;\n{ROLES}\n{SCHEMA}\n");
    script.push_str(
        "CREATE TEMPORARY TABLE stored_file (number integer, kind text, path text, size bigint, checksum text, uuid uuid);\n\
         COPY stored_file FROM stdin;\n",
    );
    for (number, file) in (1..).zip(files) {
        let uuid = file.document.as_deref().unwrap_or("\\N");
        let (kind, path) = (&file.kind, copy_text(&file.path));
        script.push_str(&format!(
            "{number}\t{kind}\t{path}\t{}\t{}\t{uuid}\n",
            file.size, file.checksum
        ));
    }
    script.push_str("\\.\n");
    script.push_str(DATA);
    script.push_str("COMMIT;\nANALYZE;\n");
    script
}

/// Escapes one value of COPY's text format.
fn copy_text(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
}
