//! Progress as JSON lines, for programs.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::monitor::{Monitor, Phase};

/// Bytes are reported no more often than this.
const INTERVAL: Duration = Duration::from_secs(1);

/// Writes what a service does as JSON lines:
///
/// ```text
/// {"event":"phase","phase":"files","total_bytes":1048576,"elapsed_ms":12}
/// {"event":"progress","phase":"files","bytes":524288,"total_bytes":1048576,"elapsed_ms":1013}
/// {"event":"warning","message":"documents/a.pdf: changed while it was read","elapsed_ms":1100}
/// ```
///
/// At most one `progress` a second. A writer that fails is not written to again: progress is no reason to stop a backup.
#[derive(Debug)]
pub struct EventLines<W> {
    begun: Instant,
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    writer: Option<W>,
    phase: Option<String>,
    bytes: u64,
    total_bytes: Option<u64>,
    reported: Instant,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    elapsed_ms: u64,
}

impl<W: Write + Send> EventLines<W> {
    /// Writes to `writer`, which is flushed after every line.
    pub fn new(writer: W) -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            state: Mutex::new(State {
                writer: Some(writer),
                phase: None,
                bytes: 0,
                total_bytes: None,
                reported: now,
            }),
        }
    }

    /// Runs with the state and the time since the beginning.
    fn with(&self, act: impl FnOnce(&mut State<W>, u64)) {
        let elapsed_ms = self.begun.elapsed().as_millis() as u64;
        act(
            &mut self.state.lock().unwrap_or_else(PoisonError::into_inner),
            elapsed_ms,
        );
    }
}

impl<W: Write> State<W> {
    fn write(&mut self, line: &Line<'_>) {
        let mut text = serde_json::to_vec(line).expect("plain fields");
        text.push(b'\n');
        let written = self
            .writer
            .as_mut()
            .map(|writer| writer.write_all(&text).and_then(|()| writer.flush()));
        if let Some(Err(_)) = written {
            self.writer = None;
        }
    }
}

impl<W: Write + Send> Monitor for EventLines<W> {
    fn phase(&self, phase: Phase, total_bytes: Option<u64>) {
        self.with(|state, elapsed_ms| {
            let name = phase.to_string();
            state.write(&Line {
                event: "phase",
                phase: Some(&name),
                bytes: None,
                total_bytes,
                message: None,
                elapsed_ms,
            });
            state.phase = Some(name);
            state.bytes = 0;
            state.total_bytes = total_bytes;
        });
    }

    fn advance(&self, bytes: u64) {
        self.with(|state, elapsed_ms| {
            state.bytes += bytes;
            if state.reported.elapsed() < INTERVAL {
                return;
            }
            state.reported = Instant::now();
            let phase = state.phase.clone();
            state.write(&Line {
                event: "progress",
                phase: phase.as_deref(),
                bytes: Some(state.bytes),
                total_bytes: state.total_bytes,
                message: None,
                elapsed_ms,
            });
        });
    }

    fn warning(&self, message: &str) {
        self.with(|state, elapsed_ms| {
            state.write(&Line {
                event: "warning",
                phase: None,
                bytes: None,
                total_bytes: None,
                message: Some(message),
                elapsed_ms,
            });
        });
    }
}
