//! PostgreSQL to a schema model and streams of COPY segments, and back.
#![forbid(unsafe_code)]

mod cancel;
mod connect;
mod error;
mod secret;
mod session;

pub use cancel::CancelToken;
pub use connect::{ConnectError, ConnectOptions, ConnectSources, SslMode};
pub use error::QueryError;
pub use secret::Secret;
pub use session::{Canceller, CopyInError, Notice, Session};
