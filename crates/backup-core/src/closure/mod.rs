//! Closure: every row that names a file has it in the backup, as it should be.
//!
//! ```text
//! snapshot: rows ──> path in the archive, checksum ──> sorted ─┐
//!                                                              ├─> merged ─> report
//! capture: files ──> path in the archive, SHA-256  ──> sorted ─┘
//! ```
//! Both sides are sorted in bounded memory, with temporary files beside the archive that is made. Rows are those of the backup's own snapshot, and
//! files those that were captured: what is compared is what a restore brings back. NULL and empty values name no file.

mod hashing;
mod report;
mod restored;
mod rules;
mod sorter;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use backup_archive::ArchivePath;

pub(crate) use hashing::Hashing;
pub use report::{ClosureReport, Findings};
pub(crate) use restored::check_restored;
use rules::{ColumnRules, Meaning, by_column, columns_of};
use sorter::{Record, Sorter};

use crate::config::ReferenceRule;

/// A file is there.
const PRESENT: u8 = b'p';
/// The SHA-256 of a file.
const HASH: u8 = b'h';

/// A check while rows and files are gathered. Used from several threads.
#[derive(Debug)]
pub(crate) struct Closure {
    columns: Vec<ColumnRules>,
    roots: BTreeSet<String>,
    hashed_roots: BTreeSet<String>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rows: Sorter,
    files: Sorter,
    report: ClosureReport,
    /// The first thing that went wrong where nobody could be told.
    failed: Option<io::Error>,
}

impl Closure {
    /// A check of `rules` for a backup with `roots`; `None` when none of them is about it. Temporary files go to `scratch`.
    pub(crate) fn new(
        rules: &[ReferenceRule],
        roots: impl IntoIterator<Item = String>,
        scratch: &Path,
    ) -> Option<Self> {
        let here: BTreeSet<String> = roots.into_iter().collect();
        let named = |with_checksum: bool| -> BTreeSet<String> {
            rules
                .iter()
                .filter(|rule| !with_checksum || rule.checksum_column.is_some())
                .map(|rule| rule.root.clone())
                .filter(|root| here.contains(root))
                .collect()
        };
        let roots = named(false);
        if roots.is_empty() {
            return None;
        }
        Some(Self {
            columns: by_column(rules),
            hashed_roots: named(true),
            roots,
            state: Mutex::new(State {
                rows: Sorter::new(scratch),
                files: Sorter::new(scratch),
                report: ClosureReport::default(),
                failed: None,
            }),
        })
    }

    /// Reads the rows. `copy_out` runs a `COPY … TO STDOUT` and hands on each row.
    ///
    /// # Errors
    /// Those of `copy_out`. That rows cannot be spilled is told by [`Closure::finish`].
    pub(crate) fn read_rows<E>(
        &self,
        mut copy_out: impl FnMut(&str, &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, E>,
    ) -> Result<(), E> {
        for column in &self.columns {
            let mut take = |line: &[u8]| {
                let mut state = self.state();
                let taken = state.row(column, &columns_of(line), &self.roots);
                state.remember(taken);
                state.failed.is_none()
            };
            copy_out(&column.statement(), &mut take)?;
        }
        Ok(())
    }

    /// The tables that rows are read from, for people.
    pub(crate) fn tables(&self) -> String {
        let names: BTreeSet<&str> = self.columns.iter().map(|one| one.table.as_str()).collect();
        Vec::from_iter(names).join(", ")
    }

    /// Whether files of this root are to be hashed.
    pub(crate) fn hashes(&self, root: &str) -> bool {
        self.hashed_roots.contains(root)
    }

    /// A file, or a link, is in the backup.
    pub(crate) fn present(&self, path: &ArchivePath) {
        self.file(path, vec![PRESENT]);
    }

    /// A file was read, and this is its SHA-256.
    fn hashed(&self, path: &ArchivePath, sha256: &[u8]) {
        let mut payload = vec![HASH];
        payload.extend_from_slice(sha256);
        self.file(path, payload);
    }

    fn file(&self, path: &ArchivePath, payload: Vec<u8>) {
        let path = path.as_bytes();
        let root = path
            .strip_prefix(b"files/")
            .and_then(|rest| rest.split(|byte| *byte == b'/').next())
            .and_then(|root| std::str::from_utf8(root).ok());
        if root.is_some_and(|root| self.roots.contains(root)) {
            let mut state = self.state();
            let put = state.files.put(path.to_vec(), payload);
            state.remember(put);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares rows and files.
    ///
    /// # Errors
    /// When a temporary file cannot be written or read.
    pub(crate) fn finish(&self) -> io::Result<ClosureReport> {
        let mut state = self.state();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        // Nameless files: no folder is needed to read them.
        let nowhere = Path::new("");
        let mut rows = std::mem::replace(&mut state.rows, Sorter::new(nowhere)).finish()?;
        let mut files = std::mem::replace(&mut state.files, Sorter::new(nowhere)).finish()?;
        let mut report = std::mem::take(&mut state.report);
        loop {
            let file_first = match (rows.peek(), files.peek()) {
                (None, None) => return Ok(report),
                (Some(row), Some(file)) => file <= row,
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            if !file_first {
                let record = rows.next()?.expect("peeked");
                self.judge_missing(&record, &mut report);
                continue;
            }
            let (path, mut payload) = files.next()?.expect("peeked");
            let mut is_present = false;
            let mut hash = None;
            loop {
                match payload.split_first() {
                    Some((&HASH, sha256)) => hash = Some(sha256.to_vec()),
                    _ => is_present = true,
                }
                if files.peek() != Some(&path) {
                    break;
                }
                payload = files.next()?.expect("peeked").1;
            }
            let mut is_named = false;
            while rows.peek() == Some(&path) {
                is_named = true;
                let record = rows.next()?.expect("peeked");
                if is_present {
                    self.judge_checksum(&record, hash.as_deref(), &mut report);
                } else {
                    self.judge_missing(&record, &mut report);
                }
            }
            if is_present && !is_named {
                report
                    .orphaned
                    .add(|| String::from_utf8_lossy(&path).into_owned());
            }
        }
    }

    fn judge_missing(&self, record: &Record, report: &mut ClosureReport) {
        let row = Row::decode(&record.1);
        report.missing.add(|| self.name(&row));
    }

    fn judge_checksum(&self, record: &Record, hash: Option<&[u8]>, report: &mut ClosureReport) {
        let row = Row::decode(&record.1);
        let (Some(expected), Some(hash)) = (row.checksum, hash) else {
            return;
        };
        report.compared += 1;
        if !expected.eq_ignore_ascii_case(&crate::verify::hex(hash)) {
            report.mismatching.add(|| self.name(&row));
        }
    }

    fn name(&self, row: &Row<'_>) -> String {
        let column = &self.columns[row.column];
        format!("{}: {}", column.name(), row.value)
    }
}

/// A row that names a file, as it is spilled: column, checksum, value.
struct Row<'a> {
    column: usize,
    checksum: Option<&'a str>,
    value: &'a str,
}

impl<'a> Row<'a> {
    fn encode(column: usize, checksum: Option<&str>, value: &str) -> Vec<u8> {
        let checksum = checksum.unwrap_or_default();
        format!("{column}\0{checksum}\0{value}").into_bytes()
    }

    fn decode(payload: &'a [u8]) -> Self {
        let text = std::str::from_utf8(payload).expect("encoded as text");
        let mut parts = text.splitn(3, '\0');
        let mut part = || parts.next().unwrap_or_default();
        Self {
            column: part().parse().expect("encoded as a number"),
            checksum: Some(part()).filter(|checksum| !checksum.is_empty()),
            value: part(),
        }
    }
}

impl State {
    fn row(
        &mut self,
        column: &ColumnRules,
        values: &[Option<String>],
        roots: &BTreeSet<String>,
    ) -> io::Result<()> {
        let Some(value) = values.first().and_then(Option::as_deref) else {
            return Ok(());
        };
        if value.is_empty() {
            return Ok(());
        }
        match column.meaning(value, roots) {
            Meaning::Elsewhere => {}
            Meaning::Unpicked => {
                self.report
                    .unpicked
                    .add(|| format!("{}: {value}", column.name()));
            }
            Meaning::Outside(value) => {
                self.report.rows += 1;
                self.report
                    .missing
                    .add(|| format!("{}: {value}", column.name()));
            }
            Meaning::File { path, checksum } => {
                self.report.rows += 1;
                let checksum = checksum
                    .and_then(|place| values.get(place + 1)?.as_deref())
                    .map(str::trim);
                self.rows
                    .put(path, Row::encode(column.place, checksum, value))?;
            }
        }
        Ok(())
    }

    fn remember(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_mismatching_orphaned_and_unpicked_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let rule = ReferenceRule {
            table: "public.documents".into(),
            path_column: "file".into(),
            root: "documents".into(),
            checksum_column: Some("sum".into()),
            when_prefix: "d/".into(),
            strip_prefix: "d/".into(),
        };
        assert!(
            Closure::new(
                std::slice::from_ref(&rule),
                ["media".to_owned()],
                folder.path()
            )
            .is_none()
        );
        let closure = Closure::new(
            &[rule],
            ["documents".to_owned(), "media".to_owned()],
            folder.path(),
        )
        .unwrap();
        let path = |name: &str| ArchivePath::new(format!("files/{name}")).unwrap();
        for (name, sum) in [("good", 1), ("twice", 2), ("bad", 3), ("unread", 4)] {
            let path = path(&format!("documents/{name}"));
            closure.hashed(&path, &[9; 32]);
            closure.hashed(&path, &[sum; 32]);
            if name != "unread" {
                closure.present(&path);
            }
        }
        closure.present(&path("documents/orphan"));
        closure.present(&path("media/of another root"));
        let sum = |byte: u8| format!("{byte:02X}").repeat(32);
        let rows = [
            format!("d/good\t{}\n", sum(1)),
            format!("d/twice\t{}\n", sum(2)),
            "d/twice\t\\N\n".to_owned(),
            format!("d/bad\t{}\n", sum(1)),
            "d/unread\t\\N\n".to_owned(),
            "d/none\t\\N\n".to_owned(),
            "d/../up\t\\N\n".to_owned(),
            "elsewhere\t\\N\n".to_owned(),
            "\\N\t\\N\n".to_owned(),
            "\t\\N\n".to_owned(),
        ];
        closure
            .read_rows(|statement, take| {
                assert!(statement.contains("\"sum\""));
                Ok::<_, ()>(rows.iter().all(|row| take(row.as_bytes())))
            })
            .unwrap();
        let report = closure.finish().unwrap();
        let row = |name: &str| format!("public.documents.file: {name}");
        assert_eq!((report.rows, report.compared), (7, 3));
        assert_eq!(
            report.missing.first,
            [row("d/../up"), row("d/none"), row("d/unread")]
        );
        assert_eq!(report.mismatching.first, [row("d/bad")]);
        assert_eq!(report.orphaned.first, ["files/documents/orphan"]);
        assert_eq!(report.unpicked.first, [row("elsewhere")]);
        assert!(!report.is_closed());
        assert!(report.describe_missing().unwrap().starts_with("3 rows"));
    }
}
