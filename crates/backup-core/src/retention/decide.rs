//! How a plan is made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::candidate::Candidate;
use super::chain::{Chains, deletion_order};
use super::plan::{Decision, PrunePlan, Verdict};
use super::reason::Reason;
use super::rules::{RetentionPolicy, RetentionRules};
use crate::id::BackupId;
use crate::kind::Status;

/// The rules that keep each backup.
type Keeps<'a> = HashMap<&'a BackupId, Vec<Reason>>;

/// Decides what stays and what goes at time `now`.
///
/// `candidates` are all backups of the repository, in any order: those of other configurations count too, because increments may build on them. The
/// same arguments give the same plan.
pub fn plan(candidates: &[Candidate], policy: &RetentionPolicy, now: DateTime<Utc>) -> PrunePlan {
    let chains = Chains::new(candidates);
    let newest_first = newest_first(candidates);
    let mut keeps = Keeps::new();
    let mut drops: HashMap<&BackupId, Reason> = HashMap::new();
    for (configuration, backups) in by_configuration(&newest_first) {
        match policy.rules(configuration) {
            Some(rules) if !rules.is_unlimited() => {
                let group = Group::new(rules, &backups, &chains, now);
                group.keep(&mut keeps);
                drops.extend(backups.iter().map(|one| (&one.id, group.why_dropped(one))));
            }
            _ => {
                for backup in backups {
                    keeps.insert(&backup.id, vec![Reason::NoRules]);
                }
            }
        }
    }
    for backup in &newest_first {
        if backup.pinned {
            keeps
                .entry(&backup.id)
                .or_default()
                .insert(0, Reason::Pinned);
        }
        if let Some(other) = &backup.needed_by {
            keeps
                .entry(&backup.id)
                .or_default()
                .push(Reason::NeededBy(other.clone()));
        }
    }
    keep_bases(&newest_first, &chains, &mut keeps);
    assemble(&newest_first, &chains, keeps, drops, now)
}

fn newest_first(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut sorted: Vec<_> = candidates.iter().collect();
    sorted.sort_by_key(|one| Reverse((one.created_at, &one.id)));
    sorted
}

fn by_configuration<'a>(
    newest_first: &[&'a Candidate],
) -> BTreeMap<Option<&'a str>, Vec<&'a Candidate>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for backup in newest_first {
        groups
            .entry(backup.configuration.as_deref())
            .or_default()
            .push(*backup);
    }
    groups
}

/// The backups of one configuration, under its rules.
struct Group<'r, 'a> {
    rules: &'r RetentionRules,
    now: DateTime<Utc>,
    future: Vec<&'a Candidate>,
    /// Neither failed nor dated in the future; newest first.
    usable: Vec<&'a Candidate>,
    /// Those of `usable` that are complete, with everything they build on.
    good: Vec<&'a Candidate>,
}

impl<'r, 'a> Group<'r, 'a> {
    fn new(
        rules: &'r RetentionRules,
        newest_first: &[&'a Candidate],
        chains: &Chains<'a>,
        now: DateTime<Utc>,
    ) -> Self {
        let (future, past): (Vec<_>, Vec<_>) = newest_first
            .iter()
            .copied()
            .filter(|one| one.status != Status::Failed)
            .partition(|one| one.created_at > now);
        let good = past.iter().copied().filter(|one| chains.is_good(one));
        Self {
            rules,
            now,
            future,
            good: good.collect(),
            usable: past,
        }
    }

    fn keep(&self, keeps: &mut Keeps<'a>) {
        let mut keep =
            |backup: &'a Candidate, reason| keeps.entry(&backup.id).or_default().push(reason);
        for backup in &self.future {
            keep(backup, Reason::Future);
        }
        self.keep_recent(&mut keep);
        self.keep_calendar(&mut keep);
        let floor = self.rules.effective_floor();
        for (place, backup) in (1..).zip(self.good.iter().take(floor)) {
            let floor = floor as u32;
            keep(backup, Reason::Floor { place, floor });
        }
        if let Some(newest) = self.usable.first()
            && !self.is_good(newest)
        {
            keep(newest, Reason::Newest);
        }
    }

    /// `retention_days` and `max_backups`.
    fn keep_recent(&self, keep: &mut impl FnMut(&'a Candidate, Reason)) {
        let RetentionRules {
            retention_days,
            max_backups,
            ..
        } = *self.rules;
        if retention_days.is_none() && max_backups.is_none() {
            return;
        }
        let incomplete = self.usable.iter().filter(|one| !self.is_good(one));
        let mut young: Vec<_> = self.good.iter().chain(incomplete).copied().collect();
        young.retain(|one| retention_days.is_none_or(|days| self.age(one) < days_long(days)));
        young.truncate(max_backups.map_or(usize::MAX, |most| most as usize));
        for (place, backup) in (1..).zip(young) {
            if let Some(max_backups) = max_backups {
                keep(backup, Reason::Recent { place, max_backups });
            }
            if let Some(retention_days) = retention_days {
                keep(backup, Reason::Young { retention_days });
            }
        }
    }

    fn keep_calendar(&self, keep: &mut impl FnMut(&'a Candidate, Reason)) {
        let rules = self.rules;
        if let Some(keep_daily) = rules.keep_daily {
            for (day, backup) in self.last_of_each(keep_daily, |day| day) {
                keep(backup, Reason::Daily { day, keep_daily });
            }
        }
        if let Some(keep_weekly) = rules.keep_weekly {
            let monday =
                |day: NaiveDate| day - TimeDelta::days(day.weekday().num_days_from_monday().into());
            for (monday, backup) in self.last_of_each(keep_weekly, monday) {
                keep(
                    backup,
                    Reason::Weekly {
                        monday,
                        keep_weekly,
                    },
                );
            }
        }
        if let Some(keep_monthly) = rules.keep_monthly {
            let first = |day: NaiveDate| day - TimeDelta::days(day.day0().into());
            for (first, backup) in self.last_of_each(keep_monthly, first) {
                keep(
                    backup,
                    Reason::Monthly {
                        first,
                        keep_monthly,
                    },
                );
            }
        }
    }

    /// The last backup of each of the newest `periods`; a complete one when the period has one.
    fn last_of_each(
        &self,
        periods: u32,
        period_of: impl Fn(NaiveDate) -> NaiveDate,
    ) -> Vec<(NaiveDate, &'a Candidate)> {
        let mut last: BTreeMap<Reverse<NaiveDate>, &'a Candidate> = BTreeMap::new();
        for backup in &self.usable {
            let day = backup
                .created_at
                .with_timezone(&self.rules.zone)
                .date_naive();
            last.entry(Reverse(period_of(day)))
                .and_modify(|chosen| {
                    if !self.is_good(chosen) && self.is_good(backup) {
                        *chosen = backup;
                    }
                })
                .or_insert(backup);
        }
        last.into_iter()
            .take(periods as usize)
            .map(|(Reverse(period), backup)| (period, backup))
            .collect()
    }

    fn why_dropped(&self, backup: &Candidate) -> Reason {
        let rules = self.rules;
        if backup.status == Status::Failed {
            return Reason::Failed;
        }
        match (rules.retention_days, rules.max_backups) {
            (Some(retention_days), _) if self.age(backup) >= days_long(retention_days) => {
                Reason::Old {
                    age_days: self.age(backup).num_days(),
                    retention_days,
                }
            }
            (_, Some(max_backups)) => Reason::Surplus { max_backups },
            _ => Reason::NotSelected,
        }
    }

    fn is_good(&self, backup: &Candidate) -> bool {
        self.good
            .binary_search_by_key(&Reverse((backup.created_at, &backup.id)), |one| {
                Reverse((one.created_at, &one.id))
            })
            .is_ok()
    }

    fn age(&self, backup: &Candidate) -> TimeDelta {
        self.now - backup.created_at
    }
}

fn days_long(days: u32) -> TimeDelta {
    TimeDelta::days(days.into())
}

/// Whatever keeps a backup keeps everything that it builds on.
fn keep_bases<'a>(newest_first: &[&'a Candidate], chains: &Chains<'a>, keeps: &mut Keeps<'a>) {
    for backup in newest_first {
        if !keeps.contains_key(&backup.id) {
            continue;
        }
        for base in chains.bases(backup) {
            let reasons = keeps.entry(&base.id).or_default();
            // One dependent is reason enough; a base of hundreds of increments need not list them.
            if !reasons
                .iter()
                .any(|reason| matches!(reason, Reason::NeededBy(_)))
            {
                reasons.push(Reason::NeededBy(backup.id.clone()));
            }
        }
    }
}

fn assemble<'a>(
    newest_first: &[&'a Candidate],
    chains: &Chains<'a>,
    mut keeps: Keeps<'a>,
    mut drops: HashMap<&'a BackupId, Reason>,
    now: DateTime<Utc>,
) -> PrunePlan {
    let mut decisions = Vec::with_capacity(newest_first.len());
    let mut dropped = Vec::new();
    let mut warnings = Vec::new();
    for backup in newest_first {
        let (verdict, reasons) = match keeps.remove(&backup.id) {
            Some(reasons) => (Verdict::Keep, reasons),
            None => {
                dropped.push(*backup);
                let reason = drops.remove(&backup.id).unwrap_or(Reason::NotSelected);
                (Verdict::Drop, vec![reason])
            }
        };
        if verdict == Verdict::Keep
            && let Some(missing) = chains.missing_base(backup)
        {
            warnings.push(format!(
                "{} cannot be restored: it builds on {missing}, which is not there",
                backup.id
            ));
        }
        decisions.push(Decision {
            id: backup.id.clone(),
            kind: backup.id.kind(),
            status: backup.status,
            created_at: backup.created_at,
            configuration: backup.configuration.clone(),
            stored_bytes: backup.stored_bytes,
            verdict,
            reasons,
        });
    }
    PrunePlan {
        now,
        decisions,
        freed_bytes: dropped.iter().map(|one| one.stored_bytes).sum(),
        deletion_order: deletion_order(&dropped).into_iter().cloned().collect(),
        warnings,
    }
}
