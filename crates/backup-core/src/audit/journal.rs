//! Writing to the journal.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::entry::{AuditEntry, AuditEvent, AuditResult};
use super::error::AuditError;
use super::head::{AuditHead, StoredHead};
use super::line::{self, MAX_LINE};
use crate::durable::{self, FILE_MODE};

/// The action of an entry that tells what an append found out of order.
pub(super) const REPAIR: &str = "audit-repair";

/// Details longer than this are left out.
const MAX_DETAILS: usize = 64 * 1024;
/// Names longer than so many characters are cut.
const MAX_TEXT: usize = 1000;

/// A journal, which need not exist yet.
#[derive(Debug, Clone)]
pub struct AuditJournal {
    path: PathBuf,
}

impl AuditJournal {
    /// The journal at `path`; its folder must exist when something is written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry down: when this returns it is on disk. Several processes may append at the same time.
    ///
    /// # Errors
    /// When that fails. The entry may be there all the same when only the file beside the journal could not be written.
    pub fn append(&self, event: &AuditEvent, now: DateTime<Utc>) -> Result<AuditHead, AuditError> {
        let is_new = !self.path.exists();
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(FILE_MODE)
            .open(&self.path)
            .map_err(AuditError::io("open", &self.path))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| AuditError::io("lock", &self.path)(error.into()))?;
        let (before, found) = self.end(&file)?;
        let mut lines = Vec::new();
        let mut head = before;
        if !found.is_empty() {
            head = push(&mut lines, &head, &repair(event, found), now);
        }
        head = push(&mut lines, &head, event, now);
        self.write(&file, &lines)?;
        if is_new {
            durable::sync_folder(durable::parent(&self.path))
                .map_err(AuditError::io("sync", &self.path))?;
        }
        head.store(&self.path)?;
        Ok(head)
    }

    /// The last line, as the file beside the journal names it; to be kept elsewhere, so that a forgery of both is found.
    ///
    /// # Errors
    /// When that file cannot be read. A journal without one, or with a damaged one, has none.
    pub fn head(&self) -> Result<Option<AuditHead>, AuditError> {
        Ok(match AuditHead::load(&self.path)? {
            StoredHead::Named(head) => Some(head),
            StoredHead::Missing | StoredHead::Damaged => None,
        })
    }

    /// Reads the entries in order, oldest first, leaving out lines that are none; [`verify()`](super::verify()) names those.
    ///
    /// # Errors
    /// When the file cannot be read. A journal that does not exist has no entries.
    pub fn entries(&self) -> Result<impl Iterator<Item = AuditEntry>, AuditError> {
        let file = match File::open(&self.path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(AuditError::io("read", &self.path)(error)),
        };
        Ok(file
            .into_iter()
            .flat_map(|reader| reader.split(b'\n'))
            .map_while(Result::ok)
            .filter_map(|line| line::read(&line).ok())
            .map(|(entry, _)| entry))
    }

    /// The line to continue from, and what is out of order. Removes a torn last line.
    fn end(&self, file: &File) -> Result<(AuditHead, Vec<Value>), AuditError> {
        let mut found = Vec::new();
        let (last, torn) = self.last_line(file)?;
        if torn > 0 {
            found.push(json!({"found": "torn last line", "bytes": torn}));
        }
        let last = match last {
            None => Some(AuditHead::start()),
            Some(line) => line::read(&line).ok().map(|(_, head)| head),
        };
        let head = match AuditHead::load(&self.path)? {
            StoredHead::Named(head) => Some(head),
            StoredHead::Missing => {
                // Normal for a new journal, and after a crash in its first append.
                if last.as_ref().is_some_and(|last| last.seq > 1) {
                    found.push(json!({"found": "no head", "last": &last}));
                }
                None
            }
            StoredHead::Damaged => {
                found.push(json!({"found": "damaged head"}));
                None
            }
        };
        let before = match (last, head) {
            (None, head) => {
                found.push(json!({"found": "last line is no entry", "noted": &head}));
                head.unwrap_or_else(AuditHead::start)
            }
            (Some(last), None) => last,
            // After a crash between the two writes the head is behind; verify looks at what is between.
            (Some(last), Some(head)) if last == head || last.seq > head.seq => last,
            (Some(last), Some(head)) => {
                found.push(json!({"found": "not the last line that was noted", "last": &last, "noted": &head}));
                head
            }
        };
        Ok((before, found))
    }

    /// The last whole line without its line feed, and how many bytes of a torn one were removed.
    fn last_line(&self, file: &File) -> Result<(Option<Vec<u8>>, u64), AuditError> {
        let read_error = AuditError::io("read", &self.path);
        let length = match file.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => return Err(read_error(error)),
        };
        // Room for a torn line after a whole one.
        let start = length.saturating_sub(2 * MAX_LINE as u64 + 2);
        let mut tail = vec![0; (length - start) as usize];
        file.read_exact_at(&mut tail, start).map_err(read_error)?;
        let whole = tail
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let torn = (tail.len() - whole) as u64;
        if torn > 0 {
            file.set_len(length - torn)
                .map_err(AuditError::io("repair", &self.path))?;
        }
        tail.truncate(whole);
        if tail.pop().is_none() {
            return Ok((None, torn));
        }
        let begin = tail
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        Ok((Some(tail.split_off(begin)), torn))
    }

    fn write(&self, mut file: &File, lines: &[u8]) -> Result<(), AuditError> {
        let length = file.metadata().map(|metadata| metadata.len());
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if written.is_err()
            && let Ok(length) = length
        {
            // A disk that is full must not leave half a line; if this fails too, the next append repairs it.
            let _ = file.set_len(length);
        }
        written.map_err(AuditError::io("write", &self.path))
    }
}

/// Adds `event` as the line after `previous`.
fn push(
    lines: &mut Vec<u8>,
    previous: &AuditHead,
    event: &AuditEvent,
    now: DateTime<Utc>,
) -> AuditHead {
    let mut who = event.who.clone();
    for text in [&mut who.user, &mut who.host, &mut who.face] {
        *text = shortened(text);
    }
    let entry = AuditEntry {
        seq: previous.seq + 1,
        time: now,
        who,
        action: shortened(&event.action),
        subject: shortened(&event.subject),
        result: event.result,
        details: limited(&event.details),
        previous: previous.hash.clone(),
    };
    let (line, head) = line::write(&entry);
    lines.extend_from_slice(&line);
    head
}

fn repair(event: &AuditEvent, found: Vec<Value>) -> AuditEvent {
    AuditEvent {
        who: event.who.clone(),
        action: REPAIR.to_owned(),
        subject: "audit".to_owned(),
        result: AuditResult::Success,
        details: Value::Array(found),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn limited(details: &Value) -> Value {
    let bytes = details.to_string().len();
    if bytes <= MAX_DETAILS {
        return details.clone();
    }
    json!({"left_out_bytes": bytes})
}
