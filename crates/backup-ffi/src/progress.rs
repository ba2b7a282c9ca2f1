//! What a running job tells about itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use backup_core::{Monitor, Phase};
use serde_json::{Value, json};

/// Warnings that are kept for progress reports; the result has all.
const KEPT_WARNINGS: usize = 100;

/// Keeps what the service tells while it works.
pub(crate) struct Progress {
    began: Instant,
    phase: Mutex<(Phase, Option<u64>, Instant)>,
    done: AtomicU64,
    warnings: Mutex<Vec<String>>,
    cancelled: AtomicBool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            phase: Mutex::new((Phase::Preparing, None, now)),
            done: AtomicU64::new(0),
            warnings: Mutex::new(Vec::new()),
            cancelled: AtomicBool::new(false),
        }
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// As JSON, with `state` and the milliseconds that the job took, if it has ended.
    pub(crate) fn report(&self, state: &str, ended_ms: Option<u64>) -> Value {
        let (phase, total, since) = *self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "state": state,
            "phase": phase.to_string(),
            "bytes_done": self.done.load(Ordering::Relaxed),
            "bytes_total": total,
            "phase_ms": elapsed_ms(since),
            "elapsed_ms": ended_ms.unwrap_or_else(|| self.elapsed_ms()),
            "cancelling": self.is_cancelled(),
            "warnings": *warnings,
        })
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        elapsed_ms(self.began)
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Monitor for Progress {
    fn phase(&self, phase: Phase, total_bytes: Option<u64>) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) =
            (phase, total_bytes, Instant::now());
        self.done.store(0, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    fn warning(&self, message: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < KEPT_WARNINGS {
            warnings.push(message.to_owned());
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
