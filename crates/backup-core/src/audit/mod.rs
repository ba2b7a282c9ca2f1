//! What happened: an append-only journal of JSON lines, each with the hash of the one before.
//!
//! ```text
//! {"seq":1,"time":"2026-01-31T02:00:07.123Z","who":{…},"action":"create",…,"previous":"000…","hash":"5f1c…"}
//! {"seq":2,…,                                                              "previous":"5f1c…","hash":"88a0…"}
//! ```
//! `hash` is the BLAKE3 digest of the line without its line feed and without `,"hash":"…"`; `previous` is the hash of the line before, 64 zeros
//! in the first. A small file beside the journal ([`head_path`]) names the last line, so that a cut at the end is found too.
//!
//! **What [`verify()`] finds:** every line that was changed, removed, inserted, repeated or moved, and a cut at the end. **What it cannot find:** a forgery of
//! the whole journal, its hashes computed anew, together with the file beside it, because no secret is involved. Whoever wants to find that too keeps an
//! [`AuditHead`] elsewhere (in every backup's record, in a notification) and gives it to [`verify()`].
//!
//! A crash in the middle of an append leaves a torn last line. The next append removes it, and an entry `audit-repair` says so; whatever else an append
//! finds out of order is noted in the same way and never hidden.
//!
//! The journal is a file of the repository, so it survives a restore of the database.

mod entry;
mod error;
mod head;
mod journal;
mod line;
mod report;
mod trail;
mod verify;

pub use entry::{Actor, AuditEntry, AuditEvent, AuditResult};
pub use error::AuditError;
pub use head::{AuditHead, head_path};
pub use journal::AuditJournal;
pub use report::{AuditProblem, AuditReport, ProblemKind};
pub use trail::AuditTrail;
pub(crate) use trail::warning;
pub use verify::verify;
