//! A dead-man switch: a service that raises an alarm when it is not called.

use std::fmt;
use std::time::Duration;

use ureq::Agent;

/// A URL that is asked when a job starts, succeeds and fails.
///
/// The URL is asked as it is on success, with `/start` and `/fail` added to its path otherwise, which is how healthchecks.io and its like work. When it has
/// `{event}` in it, that is replaced by `start`, `success` or `failure` instead. Its host may be shown, the rest is a secret.
#[derive(Clone)]
pub struct Ping {
    url: String,
    agent: Agent,
    attempts: u32,
    pause: Duration,
}

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingEvent {
    /// The job has begun.
    Start,
    /// It ended well.
    Success,
    /// It did not.
    Failure,
}

/// A ping that did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PingError {
    /// The URL is not one.
    #[error("the ping URL is not an http or https URL")]
    Url,
    /// The proxy is not one.
    #[error("the proxy for pings is not a URL")]
    Proxy,
    /// Nobody took it.
    #[error("{host} was not reached by a ping: {reason}")]
    NotReached {
        /// The host.
        host: String,
        /// Why, without the URL.
        reason: String,
    },
}

impl Ping {
    /// A ping to `url`, through `proxy` if there is one: at most ten seconds for each of three attempts.
    ///
    /// # Errors
    /// When one of the two is not a URL.
    pub fn new(url: &str, proxy: Option<&str>) -> Result<Self, PingError> {
        let scheme = url.split("://").next().unwrap_or_default();
        if !["http", "https"].contains(&scheme) || host(url).is_empty() {
            return Err(PingError::Url);
        }
        let proxy = proxy
            .map(ureq::Proxy::new)
            .transpose()
            .map_err(|_| PingError::Proxy)?;
        let agent = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .max_redirects(3)
            .user_agent(concat!("edms-backup/", env!("CARGO_PKG_VERSION")))
            // Unless told, ureq would ask the environment.
            .proxy(proxy)
            .build()
            .new_agent();
        Ok(Self {
            url: url.to_owned(),
            agent,
            attempts: 3,
            pause: Duration::from_secs(1),
        })
    }

    /// How often it is tried, and for how long the first pause is; each next one is twice as long.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32, pause: Duration) -> Self {
        self.attempts = attempts.max(1);
        self.pause = pause;
        self
    }

    /// Tells what happened. A start is tried once only: nothing shall wait for it.
    ///
    /// # Errors
    /// When nobody took it, after the last attempt.
    pub fn send(&self, event: PingEvent) -> Result<(), PingError> {
        let url = self.url_for(event);
        let mut left = match event {
            PingEvent::Start => 1,
            PingEvent::Success | PingEvent::Failure => self.attempts,
        };
        let mut pause = self.pause;
        loop {
            left -= 1;
            match self.agent.get(&url).call() {
                Ok(_) => return Ok(()),
                Err(error) if left > 0 && may_pass(&error) => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                Err(error) => {
                    return Err(PingError::NotReached {
                        host: host(&self.url).to_owned(),
                        reason: reason(&error),
                    });
                }
            }
        }
    }

    fn url_for(&self, event: PingEvent) -> String {
        const PLACEHOLDER: &str = "{event}";
        if self.url.contains(PLACEHOLDER) {
            let name = match event {
                PingEvent::Start => "start",
                PingEvent::Success => "success",
                PingEvent::Failure => "failure",
            };
            return self.url.replace(PLACEHOLDER, name);
        }
        let suffix = match event {
            PingEvent::Start => "/start",
            PingEvent::Success => return self.url.clone(),
            PingEvent::Failure => "/fail",
        };
        let end = self.url.find(['?', '#']).unwrap_or(self.url.len());
        let (path, rest) = self.url.split_at(end);
        format!("{}{suffix}{rest}", path.trim_end_matches('/'))
    }
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ping")
            .field("host", &host(&self.url))
            .finish_non_exhaustive()
    }
}

/// Host and port: the part of the URL that is no secret.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Whether another attempt may do better.
fn may_pass(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::StatusCode(code) => *code >= 500 || *code == 429 || *code == 408,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::TooManyRedirects => false,
        _ => true,
    }
}

/// What happened, in words that hold nothing of the URL.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("it answered with status {code}"),
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => {
            "its certificate or its TLS is not accepted".to_owned()
        }
        ureq::Error::TooManyRedirects => "it redirects in circles".to_owned(),
        _ => "the request failed".to_owned(),
    }
}
