//! What a check of the journal found.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::head::AuditHead;

/// What a check of the journal found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Lines that are what they should be.
    pub entries: u64,
    /// Time of the first of them.
    pub first: Option<DateTime<Utc>>,
    /// Time of the last of them.
    pub last: Option<DateTime<Utc>>,
    /// The last line, to be kept elsewhere.
    pub head: Option<AuditHead>,
    /// Numbers of the entries that tell of a repair; each says what was found.
    pub repairs: Vec<u64>,
    /// Everything that is wrong, by line; the first thousand.
    pub problems: Vec<AuditProblem>,
    /// How many problems there are in all.
    pub problem_count: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditProblem {
    /// The line of the file, from 1; `None` when it is about the end or the file beside it.
    pub line: Option<u64>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The line is not of the form that is written.
    Malformed,
    /// The line is not what its hash says.
    Edited,
    /// Lines are missing before this one.
    Missing {
        /// Number of the first one.
        first: u64,
        /// Number of the last one.
        last: u64,
    },
    /// The line is repeated, moved or inserted.
    OutOfOrder {
        /// Its number.
        seq: u64,
        /// The number that is due here.
        expected: u64,
    },
    /// The line does not follow the one before it, which has another hash.
    Unchained,
    /// The line is not the one that was noted elsewhere under its number.
    NotAsNoted {
        /// Its number.
        seq: u64,
    },
    /// Lines are missing at the end.
    CutAtEnd {
        /// Number of the last line that was noted.
        noted: u64,
        /// Number of the last line that is there.
        found: u64,
    },
    /// The last line is not whole: a crash while it was written. The next entry repairs it.
    Torn,
    /// The file beside the journal is missing, so that a cut at the end would not be seen.
    NoHead,
    /// The file beside the journal is damaged.
    DamagedHead,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.problem_count == 0
    }
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "not an entry"),
            Self::Edited => write!(f, "changed after it was written"),
            Self::Missing { first, last } if first == last => {
                write!(f, "entry {first} before it is missing")
            }
            Self::Missing { first, last } => {
                write!(f, "entries {first} to {last} before it are missing")
            }
            Self::OutOfOrder { seq, expected } => {
                write!(f, "entry {seq} stands where entry {expected} is due")
            }
            Self::Unchained => write!(f, "does not follow the entry before it"),
            Self::NotAsNoted { seq } => write!(f, "is not the entry {seq} that was noted"),
            Self::CutAtEnd { noted, found } => {
                write!(
                    f,
                    "the journal ends with entry {found}, but there was an entry {noted}"
                )
            }
            Self::Torn => write!(f, "the last entry is not whole"),
            Self::NoHead => write!(
                f,
                "the file that names the last entry is missing: a cut at the end would not be seen"
            ),
            Self::DamagedHead => write!(f, "the file that names the last entry is damaged"),
        }
    }
}
