//! `[[references]]`: which file a row means.

use std::collections::BTreeSet;

use crate::config::ReferenceRule;

/// The rules of one column: rows are read once for all of them.
#[derive(Debug, Clone)]
pub(super) struct ColumnRules {
    /// Its place among the columns.
    pub(super) place: usize,
    pub(super) table: String,
    pub(super) path_column: String,
    /// Longest prefix first.
    rules: Vec<ReferenceRule>,
    /// The checksum columns, without repetition.
    pub(super) checksum_columns: Vec<String>,
}

/// What a value means.
pub(super) enum Meaning<'a> {
    /// A file, by its path in the archive.
    File {
        path: Vec<u8>,
        /// The place of the checksum column in [`ColumnRules::checksum_columns`].
        checksum: Option<usize>,
    },
    /// It is the rule's, but cannot be a path below its root.
    Outside(&'a str),
    /// No rule is for it.
    Unpicked,
    /// Its rule is for a root that is not part of the backup.
    Elsewhere,
}

/// Brings the rules of each column together, in the order of their first one.
pub(super) fn by_column(rules: &[ReferenceRule]) -> Vec<ColumnRules> {
    let mut columns: Vec<ColumnRules> = Vec::new();
    for rule in rules {
        let known = columns
            .iter_mut()
            .find(|one| one.table == rule.table && one.path_column == rule.path_column);
        let column = match known {
            Some(column) => column,
            None => {
                columns.push(ColumnRules {
                    place: columns.len(),
                    table: rule.table.clone(),
                    path_column: rule.path_column.clone(),
                    rules: Vec::new(),
                    checksum_columns: Vec::new(),
                });
                columns.last_mut().expect("just pushed")
            }
        };
        if let Some(checksum) = &rule.checksum_column
            && !column.checksum_columns.contains(checksum)
        {
            column.checksum_columns.push(checksum.clone());
        }
        column.rules.push(rule.clone());
    }
    for column in &mut columns {
        column
            .rules
            .sort_by_key(|rule| std::cmp::Reverse(rule.when_prefix.len()));
    }
    columns
}

impl ColumnRules {
    /// Its name, for people: `public.documents.file_path`.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.table, self.path_column)
    }

    /// The statement that reads its rows: path first, then the checksum columns.
    pub(super) fn statement(&self) -> String {
        let columns: Vec<String> = std::iter::once(&self.path_column)
            .chain(&self.checksum_columns)
            .map(|name| format!("{}::text", quoted(name)))
            .collect();
        let table: Vec<String> = self.table.splitn(2, '.').map(quoted).collect();
        format!(
            "COPY (SELECT {} FROM {}) TO STDOUT",
            columns.join(", "),
            table.join(".")
        )
    }

    /// The file that a value means.
    pub(super) fn meaning<'a>(&self, value: &'a str, roots: &BTreeSet<String>) -> Meaning<'a> {
        let Some(rule) = self
            .rules
            .iter()
            .find(|rule| value.starts_with(&rule.when_prefix))
        else {
            return Meaning::Unpicked;
        };
        if !roots.contains(&rule.root) {
            return Meaning::Elsewhere;
        }
        let rest = value.strip_prefix(&rule.strip_prefix).unwrap_or(value);
        let mut path = format!("files/{}", rule.root);
        for part in rest.split('/') {
            match part {
                "" | "." => {}
                ".." => return Meaning::Outside(value),
                part => {
                    path.push('/');
                    path.push_str(part);
                }
            }
        }
        let checksum = rule.checksum_column.as_ref().and_then(|name| {
            let mut columns = self.checksum_columns.iter();
            columns.position(|one| one == name)
        });
        Meaning::File {
            path: path.into_bytes(),
            checksum,
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns of a line of COPY text; `None` is NULL.
pub(super) fn columns_of(line: &[u8]) -> Vec<Option<String>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.split(|byte| *byte == b'\t').map(column).collect()
}

fn column(text: &[u8]) -> Option<String> {
    if text == b"\\N" {
        return None;
    }
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(&other) => other,
                None => b'\\',
            },
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(
        when_prefix: &str,
        strip_prefix: &str,
        root: &str,
        checksum: Option<&str>,
    ) -> ReferenceRule {
        ReferenceRule {
            table: "public.documents".into(),
            path_column: "file".into(),
            root: root.into(),
            checksum_column: checksum.map(str::to_owned),
            when_prefix: when_prefix.into(),
            strip_prefix: strip_prefix.into(),
        }
    }

    #[test]
    fn the_longest_prefix_picks_and_what_is_to_be_cut_is_cut() {
        let rules = [
            rule("", "", "documents", Some("sum")),
            rule("/app/media/", "/app/media/", "media", None),
            rule("/app/", "/app/storage", "documents", Some("other_sum")),
            rule("old/", "", "archive", None),
        ];
        let columns = by_column(&rules);
        assert_eq!(columns.len(), 1);
        assert_eq!(
            columns[0].statement(),
            "COPY (SELECT \"file\"::text, \"sum\"::text, \"other_sum\"::text FROM \"public\".\"documents\") TO STDOUT"
        );
        let roots = ["documents".to_owned(), "media".to_owned()].into();
        let means = |value| match columns[0].meaning(value, &roots) {
            Meaning::File { path, checksum } => {
                format!("{} {checksum:?}", String::from_utf8(path).unwrap())
            }
            Meaning::Outside(_) => "outside".into(),
            Meaning::Unpicked => "unpicked".into(),
            Meaning::Elsewhere => "elsewhere".into(),
        };
        assert_eq!(means("a/b.pdf"), "files/documents/a/b.pdf Some(0)");
        assert_eq!(means("./a//b.pdf"), "files/documents/a/b.pdf Some(0)");
        assert_eq!(means("/app/media/x"), "files/media/x None");
        assert_eq!(
            means("/app/storage/2026/x"),
            "files/documents/2026/x Some(1)"
        );
        assert_eq!(means("../secret"), "outside");
        assert_eq!(means("old/x"), "elsewhere");
        let picky = by_column(&[rule("documents/", "documents/", "documents", None)]);
        assert!(matches!(picky[0].meaning("x", &roots), Meaning::Unpicked));
    }

    #[test]
    fn lines_of_copy_text_are_read() {
        assert_eq!(
            columns_of(b"a\\tb\\\\c\t\\N\t\n"),
            [Some("a\tb\\c".to_owned()), None, Some(String::new())]
        );
    }
}
