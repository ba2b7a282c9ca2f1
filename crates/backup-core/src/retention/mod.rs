//! For how long backups are kept.
//!
//! [`plan()`] decides, from a list of what there is, a policy and a time; it deletes nothing. [`prune()`] does what a plan of a repository says, [`delete`] removes
//! one backup by name, [`pin`] protects one. A plan says for every backup which rules keep
//! it or why none does, and in which order the others can be deleted so that a deletion cut short leaves nothing that cannot be restored.
//!
//! What holds whatever the rules say:
//! - a pinned backup stays, and so does one dated in the future (some clock was wrong);
//! - of every configuration, the newest restorable complete backups stay ([`RetentionRules::floor`]): while new backups fail, the last good
//!   ones do not expire;
//! - what a kept backup builds on stays;
//! - one configuration's backups are never counted against another's.
//!
//! ```
//! use backup_core::retention::{Candidate, RetentionPolicy, RetentionRules, plan};
//! # let id = |day: u32| format!("202601{day:02}T020000Z-full-1f9a03c2").parse::<backup_core::BackupId>().unwrap();
//! # let made = |day: u32| format!("2026-01-{day:02}T02:00:00Z").parse().unwrap();
//! let backups: Vec<Candidate> = (1..=20)
//!     .map(|day| Candidate::new(id(day), made(day), backup_core::Status::Complete))
//!     .collect();
//! let rules = RetentionRules { max_backups: Some(5), ..RetentionRules::default() };
//! let plan = plan(&backups, &RetentionPolicy::from(rules), "2026-01-20T12:00:00Z".parse().unwrap());
//! assert_eq!(plan.kept().count(), 5);
//! ```

mod apply;
mod candidate;
mod chain;
mod decide;
mod error;
mod plan;
mod reason;
mod rules;

pub(crate) use apply::Catalogue;
pub use apply::{Deleted, PruneOutcome, delete, pin, plan_prune, prune, removable, unpin};
pub use candidate::Candidate;
pub(crate) use chain::Chains;
pub use chain::dependents;
pub use decide::plan;
pub use error::RemovalError;
pub use plan::{Decision, PrunePlan, Verdict};
pub use reason::Reason;
pub use rules::{DEFAULT_FLOOR, RetentionPolicy, RetentionRules};
