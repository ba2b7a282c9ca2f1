//! How the services tell what they are doing while they work.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Receives progress and warnings of a running service. Called from several threads.
///
/// Every method has a default that does nothing, so an embedding program implements what it shows.
pub trait Monitor: Send + Sync {
    /// A new phase begins. `total_bytes` is an estimate, when there is one.
    fn phase(&self, phase: Phase, total_bytes: Option<u64>) {
        let _ = (phase, total_bytes);
    }

    /// `bytes` more were worked on in the current phase (before compression).
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Something worth knowing that does not end the work. Also part of the result.
    fn warning(&self, message: &str) {
        let _ = message;
    }

    /// Asked often; after `true` the service stops, cleans up and fails with a `cancelled` error.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Checking sources, targets and privileges.
    Preparing,
    /// Copying the rows of the database, out or in.
    Database,
    /// Reading or writing files.
    Files,
    /// Reading back what was written.
    Verifying,
    /// Making the result visible.
    Finishing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Preparing => "preparing",
            Self::Database => "database",
            Self::Files => "files",
            Self::Verifying => "verifying",
            Self::Finishing => "finishing",
        })
    }
}

/// Shows nothing and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {}

/// Keeps what it is told, for tests; can be told to cancel.
#[derive(Debug, Default)]
pub struct Recording {
    /// Phases in the order in which they began.
    pub phases: Mutex<Vec<Phase>>,
    /// Warnings in the order in which they came.
    pub warnings: Mutex<Vec<String>>,
    /// Set to stop the service.
    pub cancel: AtomicBool,
}

impl Monitor for Recording {
    fn phase(&self, phase: Phase, _total_bytes: Option<u64>) {
        self.phases
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .push(phase);
    }

    fn warning(&self, message: &str) {
        self.warnings
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .push(message.to_owned());
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
