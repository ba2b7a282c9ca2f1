//! How the repository will grow.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::id::BackupId;
use crate::retention::{Candidate, RetentionPolicy, plan};

const DAYS: i64 = 7;
/// How many of the newest backups count as recent.
const RECENT: usize = 20;

/// How many bytes a day the repository grows, on average, if the coming week is like the last one and retention does its work. Negative when it
/// shrinks; `None` when nothing was backed up in the last week.
pub fn expected_daily_growth(
    backups: &[Candidate],
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
) -> Option<f64> {
    let week = TimeDelta::days(DAYS);
    let last_week = |one: &&Candidate| now - week < one.created_at && one.created_at <= now;
    let later: HashMap<_, _> = backups
        .iter()
        .filter(last_week)
        .filter_map(|one| Some((&one.id, shifted(&one.id, week)?)))
        .collect();
    if later.is_empty() {
        return None;
    }
    let repeated = backups.iter().filter_map(|one| {
        Some(Candidate {
            id: later.get(&one.id)?.clone(),
            created_at: one.created_at + week,
            base: one
                .base
                .as_ref()
                .map(|base| later.get(base).unwrap_or(base).clone()),
            pinned: false,
            ..one.clone()
        })
    });
    let then: Vec<_> = backups.iter().cloned().chain(repeated).collect();
    let growth = kept_bytes(&then, policy, now + week) - kept_bytes(backups, policy, now);
    Some(growth / DAYS as f64)
}

/// The size of the largest of the newest backups: what the next one may need.
pub fn largest_recent_backup(backups: &[Candidate]) -> Option<u64> {
    let mut newest: Vec<_> = backups.iter().collect();
    newest.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    newest.iter().take(RECENT).map(|one| one.stored_bytes).max()
}

fn kept_bytes(backups: &[Candidate], policy: &RetentionPolicy, now: DateTime<Utc>) -> f64 {
    let plan = plan(backups, policy, now);
    plan.kept()
        .map(|decision| decision.stored_bytes as f64)
        .sum()
}

/// The id of a backup that begins so much later.
fn shifted(id: &BackupId, by: TimeDelta) -> Option<BackupId> {
    const FORMAT: &str = "%Y%m%dT%H%M%SZ";
    let (time, rest) = id.as_str().split_once('-')?;
    let time = NaiveDateTime::parse_from_str(time, FORMAT).ok()? + by;
    format!("{}-{rest}", time.format(FORMAT)).parse().ok()
}
