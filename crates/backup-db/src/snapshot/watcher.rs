//! Looks for others who wait behind our locks, and makes room for them.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::copy::Shared;
use super::error::{Blocker, DumpError};
use crate::Session;
use crate::quote::quote;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Who has waited longer than `$2` milliseconds for a table that one of `$1` holds. Everybody who wants that table queues behind the waiter.
const WAITERS: &str = "
SELECT w.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''), coalesce(a.query, ''), n.nspname::text, c.relname::text
  FROM pg_catalog.pg_locks w
  JOIN pg_catalog.pg_class c ON c.oid = w.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
 WHERE NOT w.granted AND w.locktype = 'relation'
   AND w.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND w.waitstart < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $2::float8 / 1000)
   AND pg_catalog.pg_blocking_pids(w.pid) && $1::int4[]
 LIMIT 1";

/// A thread with a connection of its own. Dropping it ends it.
pub(crate) struct Watcher {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches the sessions with these process ids; when somebody waited for them longer than `patience`, stops the copying and ends
    /// the sessions, and with them the locks.
    pub(crate) fn start(
        mut session: Session,
        pids: Vec<i32>,
        patience: Duration,
        shared: Arc<Shared>,
    ) -> Self {
        let (stop, stopped) = mpsc::channel();
        let millis = patience.as_millis() as f64;
        let thread = std::thread::spawn(move || {
            while matches!(
                stopped.recv_timeout(INTERVAL),
                Err(RecvTimeoutError::Timeout)
            ) {
                // Should the connection break, the dump goes on unwatched: its own connections tell if the server is gone.
                let Ok(found) = session.query_opt(WAITERS, &[&pids, &millis]) else {
                    return;
                };
                let Some(row) = found else { continue };
                let waiter = Blocker {
                    pid: row.get(0),
                    user: row.get(1),
                    application: row.get(2),
                    query: row.get(3),
                };
                let table = format!("{}.{}", quote(row.get(4)), quote(row.get(5)));
                shared.stop_for(DumpError::MadeRoom { table, waiter });
                for pid in &pids {
                    let _ = session.query("SELECT pg_catalog.pg_terminate_backend($1)", &[pid]);
                }
                return;
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
