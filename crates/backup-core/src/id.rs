//! Identifiers of backups and restores.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kind::BackupKind;

const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Identifies a backup: `20260131T020000Z-full-1f9a03c2`.
///
/// The time (UTC, start of the backup) comes first, so that ids sort by time; 32 random bits make it unique across hosts.
/// It is the stem of the archive's file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId(String);

impl BackupId {
    /// Makes an id for a backup that starts at `now`.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn generate(now: DateTime<Utc>, kind: BackupKind) -> io::Result<Self> {
        Ok(Self(format!(
            "{}-{kind}-{}",
            now.format(TIME_FORMAT),
            random_suffix()?
        )))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind of backup that the id names.
    pub fn kind(&self) -> BackupKind {
        self.0
            .split('-')
            .nth(1)
            .and_then(|kind| kind.parse().ok())
            .expect("checked when the id was made")
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<BackupId> for String {
    fn from(id: BackupId) -> Self {
        id.0
    }
}

/// Not a backup id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a backup id (such as 20260131T020000Z-full-1f9a03c2)")]
pub struct InvalidId(String);

impl FromStr for BackupId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut parts = text.split('-');
        let well_formed = parts
            .next()
            .is_some_and(|time| NaiveDateTime::parse_from_str(time, TIME_FORMAT).is_ok())
            && parts
                .next()
                .is_some_and(|kind| BackupKind::ALL.iter().any(|known| known.name() == kind))
            && parts.next().is_some_and(is_suffix)
            && parts.next().is_none();
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for BackupId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

/// Makes an id for a restore that starts at `now`: `20260131T020000Z-restore-1f9a03c2`.
pub(crate) fn restore_id(now: DateTime<Utc>) -> io::Result<String> {
    Ok(format!(
        "{}-restore-{}",
        now.format(TIME_FORMAT),
        random_suffix()?
    ))
}

fn is_suffix(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn random_suffix() -> io::Result<String> {
    Ok(format!("{:08x}", u32::from_be_bytes(random_bytes()?)))
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let early = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let late = DateTime::from_timestamp(1_700_000_001, 0).unwrap();
        let a = BackupId::generate(early, BackupKind::Incremental).unwrap();
        let b = BackupId::generate(late, BackupKind::Database).unwrap();
        assert!(a < b);
        assert_eq!(a.as_str().parse::<BackupId>().unwrap(), a);
        assert_eq!(a.kind(), BackupKind::Incremental);
    }

    #[test]
    fn refuses_what_is_not_an_id() {
        for text in [
            "",
            "20260131T020000Z-full",
            "20260131T020000Z-other-1f9a03c2",
            "20260131T020000Z-full-1F9A03C2",
            "20261331T020000Z-full-1f9a03c2",
            "20260131T020000Z-full-1f9a03c2-x",
            "../20260131T020000Z-full-1f9a03c2",
        ] {
            assert!(text.parse::<BackupId>().is_err(), "{text}");
        }
    }
}
