//! Telling everybody who wants to know.

use std::ffi::OsString;

use serde::Serialize;

use super::hook::{Hook, HookError};
use super::ping::{Ping, PingError, PingEvent};
use crate::kind::Status;

/// Who wants to know what.
#[derive(Debug, Clone, Default)]
pub struct NotifyOptions {
    /// Run after a job that FAILED.
    pub on_failure: Option<Hook>,
    /// Run after one that ended PARTIAL. Without it, `on_failure` is: something is missing.
    pub on_partial: Option<Hook>,
    /// Run after one that ended COMPLETE.
    pub on_success: Option<Hook>,
    /// Asked at the start and the end.
    pub ping: Option<Ping>,
    /// The caller's environment, from which hooks get `PATH`, `HOME` and `LANG`.
    pub environment: Vec<(OsString, OsString)>,
}

/// Tells everybody who wants to know. Nothing here fails; what went wrong is returned as warnings.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    options: NotifyOptions,
}

impl Notifier {
    /// A notifier.
    pub fn new(options: NotifyOptions) -> Self {
        Self { options }
    }

    /// A job starts.
    pub fn started(&self) -> Vec<String> {
        self.ping(PingEvent::Start).into_iter().collect()
    }

    /// A job has ended. `result` is what the command line prints with `--json`; it must hold no secrets. A ping counts PARTIAL as a failure.
    pub fn ended(&self, status: Status, result: &impl Serialize) -> Vec<String> {
        let options = &self.options;
        let (hook, event) = match status {
            Status::Complete => (&options.on_success, PingEvent::Success),
            Status::Partial => (
                if options.on_partial.is_some() {
                    &options.on_partial
                } else {
                    &options.on_failure
                },
                PingEvent::Failure,
            ),
            Status::Failed => (&options.on_failure, PingEvent::Failure),
        };
        // The ping first: a hook may take a minute.
        let mut warnings: Vec<_> = self.ping(event).into_iter().collect();
        if let Some(hook) = hook {
            warnings.extend(self.run(hook, result));
        }
        warnings
    }

    fn ping(&self, event: PingEvent) -> Option<String> {
        let ping = self.options.ping.as_ref()?;
        ping.send(event)
            .err()
            .map(|error: PingError| error.to_string())
    }

    fn run(&self, hook: &Hook, result: &impl Serialize) -> Option<String> {
        let mut input = match serde_json::to_vec(result) {
            Ok(input) => input,
            Err(error) => return Some(format!("the result cannot be written as JSON: {error}")),
        };
        input.push(b'\n');
        match hook.run(&input, &self.options.environment) {
            Ok(_) => None,
            Err(HookError::Start { program, source }) => {
                Some(format!("cannot start {program}: {source}"))
            }
            Err(error) => Some(error.to_string()),
        }
    }
}
