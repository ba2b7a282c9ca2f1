//! Checking the journal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::entry::AuditEntry;
use super::error::AuditError;
use super::head::{AuditHead, StoredHead};
use super::journal::REPAIR;
use super::line::{self, BadLine, MAX_LINE};
use super::report::{AuditProblem, AuditReport, ProblemKind};

/// Problems beyond this are only counted.
const MAX_PROBLEMS: usize = 1000;

/// Reads the whole journal at `path` and says what is wrong with it. `noted` are heads that were kept elsewhere, in any order.
///
/// Needs memory for one line. A journal that does not exist and is not named by a head is intact, and empty.
///
/// # Errors
/// When a file cannot be read; everything else is in the report.
pub fn verify(path: &Path, noted: &[AuditHead]) -> Result<AuditReport, AuditError> {
    let start = AuditHead::start();
    let mut check = Check {
        noted: noted.to_vec(),
        line: 0,
        due: start.seq + 1,
        previous: Some(start.hash),
        report: AuditReport::default(),
    };
    let file = match File::open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(AuditError::io("read", path)(error)),
    };
    if let Some(file) = &file {
        // Not in the middle of an append.
        flock(file, FlockOperation::LockShared)
            .map_err(|error| AuditError::io("lock", path)(error.into()))?;
    }
    match AuditHead::load(path)? {
        StoredHead::Named(head) => check.noted.push(head),
        StoredHead::Damaged => check.problem(None, ProblemKind::DamagedHead),
        StoredHead::Missing if file.is_some() => check.problem(None, ProblemKind::NoHead),
        StoredHead::Missing => {}
    }
    if let Some(file) = file {
        check
            .lines(BufReader::with_capacity(MAX_LINE, file))
            .map_err(AuditError::io("read", path))?;
    }
    Ok(check.finish())
}

struct Check {
    noted: Vec<AuditHead>,
    line: u64,
    /// Number and `previous` of the entry that is due; `None` after a line that is no entry, whose hash nobody knows.
    due: u64,
    previous: Option<String>,
    report: AuditReport,
}

impl Check {
    fn lines(&mut self, mut reader: impl BufRead) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let limit = MAX_LINE as u64 + 1;
            reader.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
            if bytes.is_empty() {
                return Ok(());
            }
            self.line += 1;
            if bytes.pop_if(|last| *last == b'\n').is_some() {
                self.one(&bytes);
            } else if bytes.len() > MAX_LINE {
                self.bad(ProblemKind::Malformed);
                skip_line(&mut reader)?;
            } else {
                self.problem(Some(self.line), ProblemKind::Torn);
            }
        }
    }

    fn one(&mut self, bytes: &[u8]) {
        match line::read(bytes) {
            Err(BadLine::Malformed) => self.bad(ProblemKind::Malformed),
            Err(BadLine::WrongHash) => self.bad(ProblemKind::Edited),
            Ok((entry, head)) => {
                self.place(&entry);
                if self
                    .noted
                    .iter()
                    .any(|noted| noted.seq == head.seq && noted.hash != head.hash)
                {
                    self.problem(Some(self.line), ProblemKind::NotAsNoted { seq: head.seq });
                }
                let report = &mut self.report;
                report.entries += 1;
                report.first = report.first.or(Some(entry.time));
                report.last = Some(entry.time);
                if entry.action == REPAIR {
                    report.repairs.push(entry.seq);
                }
                self.due = head.seq + 1;
                self.previous = Some(head.hash.clone());
                self.report.head = Some(head);
            }
        }
    }

    /// Whether the entry belongs here.
    fn place(&mut self, entry: &AuditEntry) {
        let expected = self.due;
        let kind = if entry.seq < expected {
            let seq = entry.seq;
            ProblemKind::OutOfOrder { seq, expected }
        } else if entry.seq > expected {
            ProblemKind::Missing {
                first: expected,
                last: entry.seq - 1,
            }
        } else if self
            .previous
            .as_ref()
            .is_some_and(|hash| *hash != entry.previous)
        {
            ProblemKind::Unchained
        } else {
            return;
        };
        self.problem(Some(self.line), kind);
    }

    /// The line is no entry; it has the place of one.
    fn bad(&mut self, kind: ProblemKind) {
        self.problem(Some(self.line), kind);
        self.due += 1;
        self.previous = None;
    }

    fn problem(&mut self, line: Option<u64>, kind: ProblemKind) {
        self.report.problem_count += 1;
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(AuditProblem { line, kind });
        }
    }

    fn finish(mut self) -> AuditReport {
        let found = self.due - 1;
        let noted = self.noted.iter().map(|noted| noted.seq).max().unwrap_or(0);
        if noted > found {
            self.problem(None, ProblemKind::CutAtEnd { noted, found });
        }
        self.report
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}
