//! The databases of a swap: their names, what is noted on them, and in which state that leaves the swap.

use serde::{Deserialize, Serialize};

use super::error::RestoreError;
use crate::quote::{literal, quote};
use crate::{QueryError, Session};

/// Longest name of a database, in bytes.
const MAX_NAME_LEN: usize = 63;

/// Longest id of a swap, in bytes.
const MAX_ID_LEN: usize = 40;

/// Names of the databases that take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The one that the application uses.
    pub(crate) live: String,
    /// The one that is filled.
    pub(crate) new: String,
    /// The one that was live before the swap.
    pub(crate) old: String,
    /// The restored one, after the swap was taken back.
    pub(crate) undone: String,
}

impl Names {
    /// Names derived from the live database and the id of the restore.
    pub(crate) fn new(live: &str, id: &str) -> Result<Self, RestoreError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty() || id.len() > MAX_ID_LEN || !id.bytes().all(plain) {
            return Err(RestoreError::InvalidId { id: id.to_owned() });
        }
        let name = |role: &str| {
            let suffix = format!("__edms_{role}_{id}");
            let mut end = live.len().min(MAX_NAME_LEN - suffix.len());
            while !live.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}{suffix}", &live[..end])
        };
        Ok(Self {
            live: live.to_owned(),
            new: name("new"),
            old: name("old"),
            undone: name("undone"),
        })
    }
}

/// What is noted in the comment of a database that a swap put aside or prepares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Id of the restore.
    pub(crate) restore: String,
    /// Name of the live database.
    pub(crate) live: String,
    /// A new database may be swapped in.
    pub(crate) ready: bool,
    /// The comment that the database has for its users.
    pub(crate) comment: Option<String>,
}

/// So that nobody takes a marker for a comment of theirs.
const MARKER_PREFIX: &str = "edms-backup: ";

impl Marker {
    fn parse(comment: &str) -> Option<Self> {
        serde_json::from_str(comment.strip_prefix(MARKER_PREFIX)?).ok()
    }

    /// The statement that notes it.
    pub(crate) fn sql(&self, database: &str) -> String {
        let json = serde_json::to_string(self).expect("a marker is plain data");
        comment_sql(database, Some(&format!("{MARKER_PREFIX}{json}")))
    }
}

/// The statement that sets or removes a database's comment.
pub(crate) fn comment_sql(database: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON DATABASE {} IS {comment}", quote(database))
}

/// How far a swap got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapState {
    /// There is none of this id, or nothing is left of it.
    Absent,
    /// The new database is being filled, or was when the restore broke off.
    Unfinished,
    /// The new database is complete and compared; the live one still is the old one.
    Ready,
    /// The restored database is live, the one before is kept.
    Swapped,
    /// The one before is live again, the restored one is kept.
    Undone,
}

impl SwapState {
    /// In words, after "the restore is".
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Absent => "not known on this server",
            Self::Unfinished => "not finished",
            Self::Ready => "ready and not committed",
            Self::Swapped => "committed",
            Self::Undone => "taken back",
        }
    }
}

/// One database with its comment.
pub(crate) struct Commented {
    pub(crate) name: String,
    pub(crate) comment: Option<String>,
}

impl Commented {
    /// The marker, when it has one.
    pub(crate) fn marker(&self) -> Option<Marker> {
        Marker::parse(self.comment.as_deref()?)
    }

    /// The comment for its users.
    pub(crate) fn plain_comment(&self) -> Option<String> {
        match self.marker() {
            Some(marker) => marker.comment,
            None => self.comment.clone(),
        }
    }
}

/// A database by name, if it is there.
pub(crate) fn find(session: &mut Session, name: &str) -> Result<Option<Commented>, QueryError> {
    let row = session.query_opt(
        "SELECT datname::text, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1::text::name",
        &[&name],
    )?;
    Ok(row.map(|row| Commented {
        name: row.get(0),
        comment: row.get(1),
    }))
}

/// The state that the databases of these names are in.
pub(crate) fn state(session: &mut Session, names: &Names) -> Result<SwapState, QueryError> {
    if let Some(new) = find(session, &names.new)? {
        let ready = new.marker().is_some_and(|marker| marker.ready);
        return Ok(if ready {
            SwapState::Ready
        } else {
            SwapState::Unfinished
        });
    }
    if find(session, &names.old)?.is_some() {
        return Ok(SwapState::Swapped);
    }
    Ok(if find(session, &names.undone)?.is_some() {
        SwapState::Undone
    } else {
        SwapState::Absent
    })
}

/// Ids of all swaps of a live database that left something, oldest name first.
pub(crate) fn ids(session: &mut Session, live: &str) -> Result<Vec<String>, QueryError> {
    let rows = session.query(
        "SELECT datname::text, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
          WHERE datname ~ '__edms_(new|old|undone)_' ORDER BY datname",
        &[],
    )?;
    let mut ids: Vec<String> = Vec::new();
    for row in &rows {
        let database = Commented {
            name: row.get(0),
            comment: row.get(1),
        };
        let id = match database.marker() {
            Some(marker) if marker.live == live => marker.restore,
            Some(_) => continue,
            // It broke off before it was marked, or somebody changed the comment: the name tells.
            None => match id_in_name(&database.name, live) {
                Some(id) => id,
                None => continue,
            },
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn id_in_name(name: &str, live: &str) -> Option<String> {
    let (_, rest) = name.rsplit_once("__edms_")?;
    let (_, id) = rest.split_once('_')?;
    let names = Names::new(live, id).ok()?;
    [&names.new, &names.old, &names.undone]
        .contains(&&name.to_owned())
        .then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_lead_back() {
        let names = Names::new("edms_db", "20260101-ab12").unwrap();
        assert_eq!(names.new, "edms_db__edms_new_20260101-ab12");
        assert_eq!(
            id_in_name(&names.undone, "edms_db").as_deref(),
            Some("20260101-ab12")
        );
        assert_eq!(id_in_name(&names.old, "other"), None);
        let long = Names::new(&"é".repeat(31), &"i".repeat(40)).unwrap();
        assert!(
            long.undone.len() <= 63 && long.undone.starts_with('é'),
            "{}",
            long.undone
        );
        assert!(Names::new("x", "a/b").is_err() && Names::new("x", "").is_err());
    }
}
