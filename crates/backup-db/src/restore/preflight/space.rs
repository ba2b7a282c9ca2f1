//! Whether the disk of the server has room for what is restored.

use std::path::PathBuf;

use super::look::Look;
use super::problem::Problem;
use crate::Session;
use crate::restore::error::RestoreError;

/// A restore that certainly does not fit is refused: less than this share of the estimate is free.
const LEAST_SHARE: f64 = 0.5;

/// A restore may not fit when less than this share of the estimate is free: tables without gaps, but the server's log beside them.
const GOOD_SHARE: f64 = 1.2;

impl Look<'_> {
    /// Holds what is needed against what is free, when that can be known: only for a server on this machine, and a role that may see where
    /// its data is.
    pub(super) fn space(&mut self) -> Result<(), RestoreError> {
        let needed = self.needed_bytes();
        let Some(free) = free_bytes(&mut self.session) else {
            return Ok(());
        };
        let share = free as f64 / needed as f64;
        if share < LEAST_SHARE {
            self.report.problems.push(Problem::NoSpace {
                needed_bytes: needed,
                free_bytes: free,
            });
        } else if share < GOOD_SHARE {
            self.report.warnings.push(format!(
                "the restored database takes about {} MB, and {} MB are free on the server",
                needed / 1_000_000,
                free / 1_000_000
            ));
        }
        Ok(())
    }

    /// Bytes that the restored tables and their indexes take, estimated from the size of the database that was dumped.
    fn needed_bytes(&self) -> u64 {
        let stats = self.source.stats();
        let rows = stats.tables.iter().map(|table| table.bytes);
        let all = rows.sum::<u64>() + stats.large_objects.bytes;
        let loaded = self.rows_bytes();
        match self.source.server().size_bytes {
            // Older dumps do not say: rows and, as much again, their indexes.
            0 => loaded * 2,
            size if all == 0 => size,
            size => (size as f64 * (loaded as f64 / all as f64)) as u64,
        }
        .max(1)
    }
}

/// Bytes free for ordinary users where the server keeps its data; `None` when it is elsewhere, or this role may not know where.
fn free_bytes(session: &mut Session) -> Option<u64> {
    let folder: String = session
        .query_one(
            "SELECT pg_catalog.current_setting('data_directory') WHERE pg_catalog.inet_server_addr() IS NULL",
            &[],
        )
        .ok()?
        .get(0);
    let stat = rustix::fs::statvfs(PathBuf::from(folder)).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}
