//! Telling others how a job ended: commands of the operator, and a dead-man switch.
//!
//! A [`Notifier`] is told when a job starts and when it has ended. Whatever goes wrong in telling is returned as warnings: it never changes the result of
//! the job. [`EventLines`] is a [`Monitor`](crate::Monitor) that writes what happens as JSON lines.
//!
//! - **Commands** ([`Hook`]) get the result as JSON on standard input. No shell takes part; the environment is `PATH`, `HOME`, `LANG` and nothing else, so that no
//!   secret reaches it; after a time limit the command and everything it started is killed.
//! - **Pings** ([`Ping`]) are GET requests to a URL of a service that raises an alarm when none comes. The URL itself is a secret and is in no message.

mod event_lines;
mod hook;
mod notifier;
mod ping;
mod section;

pub use event_lines::EventLines;
pub use hook::{Hook, HookError};
pub use notifier::{Notifier, NotifyOptions};
pub use ping::{Ping, PingError, PingEvent};
