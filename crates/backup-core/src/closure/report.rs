//! What a check of rows against files found.

use serde::{Deserialize, Serialize};

/// Names that are kept of each kind of finding; the rest are only counted.
pub(super) const NAMES: usize = 20;

/// Whether every row has its file and every file its row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureReport {
    /// Rows that name a file and were looked up.
    pub rows: u64,
    /// Files that are there and whose checksum was compared with the row's.
    pub compared: u64,
    /// Rows whose file is not there.
    pub missing: Findings,
    /// Rows whose checksum is not that of their file.
    pub mismatching: Findings,
    /// Files of the roots that no row names.
    pub orphaned: Findings,
    /// Rows that no rule picks.
    pub unpicked: Findings,
}

/// How many, and the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// How many.
    pub count: u64,
    /// The first twenty: `public.documents.file_path: 2026/a.pdf` for rows, paths in the archive for files.
    pub first: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMES {
            self.first.push(name());
        }
    }

    /// The names, and how many more there are.
    fn names(&self) -> String {
        let names = self.first.join(", ");
        match self.count - self.first.len() as u64 {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

impl ClosureReport {
    /// Whether every row has its file, as it should be.
    pub fn is_closed(&self) -> bool {
        self.missing.count == 0 && self.mismatching.count == 0
    }

    /// Rows whose files are not there, in a sentence; `None` when there are none.
    pub fn describe_missing(&self) -> Option<String> {
        (self.missing.count > 0).then(|| {
            format!(
                "{} rows name files that are not in the backup: {}",
                self.missing.count,
                self.missing.names()
            )
        })
    }

    /// What else is to be told, a sentence each.
    pub fn describe_others(&self) -> Vec<String> {
        [
            (
                &self.mismatching,
                "rows have another checksum than their file",
            ),
            (&self.unpicked, "rows are picked by no rule"),
            (&self.orphaned, "files are named by no row"),
        ]
        .into_iter()
        .filter(|(findings, _)| findings.count > 0)
        .map(|(findings, what)| format!("{} {what}: {}", findings.count, findings.names()))
        .collect()
    }
}
