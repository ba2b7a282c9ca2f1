//! How long a restore may take, before it begins.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::strategy::Strategy;

/// Bytes of COPY text that one connection loads and indexes in a second. Measured on two virtual cores; a fast machine takes a third.
const LOADED_PER_SECOND: f64 = 20e6;

/// Bytes of COPY text that one connection reads back and digests in a second.
const READ_PER_SECOND: f64 = 90e6;

/// Connecting, looking, creating: even nothing takes that long.
const LEAST: Duration = Duration::from_secs(1);

/// Exchanging two databases, when sessions end at once.
const EXCHANGE: Duration = Duration::from_millis(500);

/// Durations of a restore, estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// From beginning to end.
    pub total: Duration,
    /// For how long of that the application cannot use the database that is there.
    pub blocked: Duration,
}

impl Estimate {
    /// For `bytes` of COPY text.
    pub fn new(bytes: u64, jobs: NonZeroUsize, strategy: Strategy, verify: bool) -> Self {
        // More connections than the server has processors gain nothing; how many it has is not known here.
        let connections = match strategy {
            Strategy::Replace => 1.0,
            Strategy::Fresh | Strategy::Swap => jobs.get().min(8) as f64,
        };
        let mut seconds = bytes as f64 / LOADED_PER_SECOND;
        if verify || strategy == Strategy::Swap {
            seconds += bytes as f64 / READ_PER_SECOND;
        }
        let total = LEAST + Duration::from_secs_f64(seconds / connections);
        let blocked = match strategy {
            Strategy::Fresh => Duration::ZERO,
            Strategy::Swap => EXCHANGE,
            Strategy::Replace => total,
        };
        Self { total, blocked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_takes_longer_and_blocks_all_the_time() {
        let of = |strategy| Estimate::new(1 << 30, NonZeroUsize::new(2).unwrap(), strategy, false);
        let (fresh, swap, replace) = (
            of(Strategy::Fresh),
            of(Strategy::Swap),
            of(Strategy::Replace),
        );
        assert!(fresh.total < swap.total && swap.total < replace.total);
        assert_eq!(fresh.blocked, Duration::ZERO);
        assert_eq!(swap.blocked, EXCHANGE);
        assert_eq!(replace.blocked, replace.total);
    }
}
