//! Progress on standard error: a bar on a terminal, plain lines otherwise; and the signals that stop the work.

use std::io::Stderr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backup_core::notify::EventLines;
use backup_core::{Monitor, Phase};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often a plain line is printed during long work.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Shows progress, and asks the service to stop after SIGINT or SIGTERM.
pub(crate) struct Progress {
    cancelled: Arc<AtomicBool>,
    view: View,
}

enum View {
    Nothing,
    Lines(Lines),
    Bar(ProgressBar),
    Events(EventLines<Stderr>),
}

struct Lines {
    total: AtomicU64,
    done: AtomicU64,
    state: Mutex<LineState>,
}

struct LineState {
    phase: Phase,
    began: Instant,
    printed: Instant,
}

impl Progress {
    pub(crate) fn new(shown: bool, terminal: bool) -> Self {
        let view = match (shown, terminal) {
            (false, _) => View::Nothing,
            (true, true) => View::Bar(bar()),
            (true, false) => View::Lines(Lines::new()),
        };
        Self {
            cancelled: stop_signals(),
            view,
        }
    }

    /// Writes JSON lines to standard error.
    pub(crate) fn events() -> Self {
        Self {
            cancelled: stop_signals(),
            view: View::Events(EventLines::new(std::io::stderr())),
        }
    }

    /// Takes the bar away before the result is printed.
    pub(crate) fn finish(&self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

/// The first signal asks for an orderly end; the second one ends the process at once.
fn stop_signals() -> Arc<AtomicBool> {
    let cancelled = Arc::new(AtomicBool::new(false));
    for signal in signal_hook::consts::TERM_SIGNALS {
        // Without handlers the signals end the process, which loses nothing but the tidy message.
        let _ =
            signal_hook::flag::register_conditional_shutdown(*signal, 1, Arc::clone(&cancelled));
        let _ = signal_hook::flag::register(*signal, Arc::clone(&cancelled));
    }
    cancelled
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn bar_style(phase: Phase, total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => format!(
            "{phase:<10} {{bar:30}} {{percent:>3}} % {{binary_bytes}} of {{binary_total_bytes}}, {{binary_bytes_per_sec}}, {{eta}} left"
        ),
        None => format!("{phase:<10} {{spinner}} {{binary_bytes}}, {{binary_bytes_per_sec}}"),
    };
    ProgressStyle::with_template(&template).expect("a constant template")
}

impl Lines {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            state: Mutex::new(LineState {
                phase: Phase::Preparing,
                began: now,
                printed: now,
            }),
        }
    }

    fn begin(&self, phase: Phase, total: Option<u64>) {
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        let now = Instant::now();
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = LineState {
            phase,
            began: now,
            printed: now,
        };
        eprintln!("{phase}");
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Ok(mut state) = self.state.try_lock() else {
            return;
        };
        if state.printed.elapsed() < LINE_INTERVAL {
            return;
        }
        state.printed = Instant::now();
        let rate = done as f64 / state.began.elapsed().as_secs_f64().max(0.001);
        let total = self.total.load(Ordering::Relaxed);
        let left = if total > done && rate > 0.0 {
            let seconds = (total - done) as f64 / rate;
            format!(
                " of {}, {} left",
                output::size(total),
                output::duration((seconds * 1000.0) as u64)
            )
        } else {
            String::new()
        };
        eprintln!(
            "{}: {}{left}, {}/s",
            state.phase,
            output::size(done),
            output::size(rate as u64)
        );
    }
}

impl Monitor for Progress {
    fn phase(&self, phase: Phase, total_bytes: Option<u64>) {
        match &self.view {
            View::Nothing => {}
            View::Events(events) => events.phase(phase, total_bytes),
            View::Lines(lines) => lines.begin(phase, total_bytes),
            View::Bar(bar) => {
                bar.reset();
                bar.set_style(bar_style(phase, total_bytes));
                bar.set_length(total_bytes.unwrap_or(0));
            }
        }
    }

    fn advance(&self, bytes: u64) {
        match &self.view {
            View::Nothing => {}
            View::Events(events) => events.advance(bytes),
            View::Lines(lines) => lines.advance(bytes),
            View::Bar(bar) => bar.inc(bytes),
        }
    }

    fn warning(&self, message: &str) {
        let line = format!("warning: {}", output::printable(message));
        match &self.view {
            View::Nothing => {}
            View::Events(events) => events.warning(message),
            View::Lines(_) => eprintln!("{line}"),
            View::Bar(bar) => bar.println(line),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
