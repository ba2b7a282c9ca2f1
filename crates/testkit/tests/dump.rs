//! Which differences between dumps count.

use testkit::dump::{assert_same_dump, normalised};

const DUMP: &str = "\\restrict x\n-- Dumped by pg_dump version 15\nCREATE TABLE t ();\nCOPY public.t (a) FROM stdin;\n1\n2\n\\.\nEND\n";

#[test]
fn keys_versions_and_the_order_of_rows_do_not_count() {
    let other = DUMP
        .replace("\\restrict x", "\\restrict y")
        .replace("version 15", "version 16")
        .replace("1\n2\n", "2\n1\n");
    assert_same_dump(DUMP, &other);
}

#[test]
fn everything_else_counts() {
    for (from, to) in [
        ("1\n2\n", "1\n3\n"),
        ("1\n2\n", "1\n"),
        ("END", "end"),
        ("CREATE TABLE t ();\n", ""),
    ] {
        assert_ne!(
            normalised(DUMP),
            normalised(&DUMP.replace(from, to)),
            "{from:?}"
        );
    }
}
