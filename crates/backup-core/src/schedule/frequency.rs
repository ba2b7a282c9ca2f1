//! How often.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How often a configuration runs. Written in upper case; read in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Frequency {
    /// Once an hour, at minute and second of the schedule's time.
    Hourly,
    /// Once a day.
    Daily,
    /// Once a week, on the schedule's day of the week.
    Weekly,
    /// Once a month, on the schedule's day of the month.
    Monthly,
    /// Only when somebody asks.
    OnDemand,
}

impl Frequency {
    /// Every frequency, most often first.
    pub const ALL: [Self; 5] = [
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::OnDemand,
    ];

    /// The name as written: upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hourly => "HOURLY",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::OnDemand => "ON_DEMAND",
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a frequency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown frequency {0:?}: HOURLY, DAILY, WEEKLY, MONTHLY or ON_DEMAND")]
pub struct UnknownFrequency(String);

impl FromStr for Frequency {
    type Err = UnknownFrequency;

    fn from_str(text: &str) -> Result<Self, UnknownFrequency> {
        Self::ALL
            .into_iter()
            .find(|frequency| frequency.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownFrequency(text.to_owned()))
    }
}

impl TryFrom<String> for Frequency {
    type Error = UnknownFrequency;

    fn try_from(text: String) -> Result<Self, UnknownFrequency> {
        text.parse()
    }
}

impl From<Frequency> for &'static str {
    fn from(frequency: Frequency) -> Self {
        frequency.name()
    }
}
