//! Catalogue queries for the server's version.

/// Leaves out the lines that are for other major versions.
///
/// A line that ends in `--@ 15..` is for 15 and later, `--@ ..14` for 14 and earlier, `--@ 15..16` for these two.
pub(crate) fn for_version(sql: &str, major: u32) -> String {
    let mut out = String::with_capacity(sql.len());
    for line in sql.lines() {
        let (text, applies) = match line.rsplit_once("--@ ") {
            Some((text, range)) => (text, in_range(range, major)),
            None => (line, true),
        };
        if applies {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

fn in_range(range: &str, major: u32) -> bool {
    let (from, to) = range.split_once("..").unwrap_or((range, range));
    let above = from.parse().map_or(true, |from: u32| major >= from);
    let below = to.trim().parse().map_or(true, |to: u32| major <= to);
    above && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_other_versions_are_left_out() {
        let sql = "select a\n  b, --@ 15..\n  c, --@ ..14\n  d --@ 15..16\n";
        assert_eq!(for_version(sql, 14), "select a\n  c, \n");
        assert_eq!(for_version(sql, 16), "select a\n  b, \n  d \n");
        assert_eq!(for_version(sql, 17), "select a\n  b, \n");
    }
}
