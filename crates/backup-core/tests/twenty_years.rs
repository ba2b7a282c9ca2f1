//! Twenty simulated years of one site: outages, clocks that jump, streaks of failures, prunes that are cut short, in any zone.
//!
//! The model is a set of the slots that were run and the list of backups that are there. After every step: no slot has run twice, the newest slot
//! has run unless the site was down, the floor of good backups holds, and nothing that is there misses what it builds on.

use std::collections::{BTreeSet, HashMap, HashSet};

use backup_core::retention::{Candidate, RetentionPolicy, RetentionRules, plan};
use backup_core::schedule::{Frequency, Schedule, Slot, SlotHistory};
use backup_core::{BackupId, Status};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

const YEARS: i64 = 20;
/// How often the site looks for what is due. Hourly runs are thus mostly catching up.
const TICK: TimeDelta = TimeDelta::hours(11);

/// A small generator, so that a seed tells everything.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

struct Configuration {
    name: &'static str,
    schedule: Schedule,
    kind: &'static str,
    history: SlotHistory,
    ran: BTreeSet<Slot>,
}

/// A clock that is sometimes wrong.
#[derive(Default)]
struct Clock {
    skew: TimeDelta,
    wrong_for: u64,
}

impl Clock {
    fn tick(&mut self, dice: &mut Dice) {
        if self.wrong_for > 0 {
            self.wrong_for -= 1;
            if self.wrong_for == 0 {
                self.skew = TimeDelta::zero();
            }
        } else if dice.one_in(300) {
            let hours = [1, 25, 24 * 40, 24 * 365 * 3, 24 * 365 * 60][dice.below(5) as usize];
            let hours = 1 + dice.below(hours) as i64;
            self.skew = TimeDelta::hours(if dice.one_in(2) { hours } else { -hours });
            self.wrong_for = 1 + dice.below(12);
        }
    }
}

struct Site {
    dice: Dice,
    configurations: Vec<Configuration>,
    policy: RetentionPolicy,
    backups: Vec<Candidate>,
    /// Ticks for which every run fails, or makes partial backups.
    failing: u64,
    /// Ticks for which the machine is off.
    down: u64,
    made: u32,
}

impl Site {
    fn new(seed: u64, zone: Tz) -> Self {
        let configuration = |name, kind, frequency| Configuration {
            name,
            kind,
            schedule: Schedule {
                zone,
                ..Schedule::new(frequency)
            },
            history: SlotHistory::default(),
            ran: BTreeSet::new(),
        };
        let rules = |change: fn(&mut RetentionRules)| {
            let mut rules = RetentionRules {
                zone,
                ..RetentionRules::default()
            };
            change(&mut rules);
            rules
        };
        let policy = RetentionPolicy {
            configurations: [
                (
                    "hourly",
                    rules(|rules| {
                        rules.retention_days = Some(2);
                        rules.max_backups = Some(6);
                    }),
                ),
                ("daily", rules(|rules| rules.keep_daily = Some(7))),
                (
                    "weekly",
                    rules(|rules| {
                        rules.retention_days = Some(30);
                        rules.keep_monthly = Some(3);
                    }),
                ),
                ("monthly", rules(|rules| rules.max_backups = Some(12))),
            ]
            .map(|(name, rules)| (name.to_owned(), rules))
            .into(),
            others: None,
        };
        Self {
            dice: Dice(seed | 1),
            configurations: vec![
                configuration("daily", "full", Frequency::Daily),
                configuration("hourly", "incremental", Frequency::Hourly),
                configuration("weekly", "full", Frequency::Weekly),
                configuration("monthly", "export", Frequency::Monthly),
            ],
            policy,
            backups: Vec::new(),
            failing: 0,
            down: 0,
            made: 0,
        }
    }

    fn live(&mut self, start: DateTime<Utc>) {
        let mut clock = Clock::default();
        let mut time = start;
        while time < start + TimeDelta::days(365 * YEARS) {
            time += TICK + TimeDelta::minutes(self.dice.below(30) as i64);
            clock.tick(&mut self.dice);
            self.streaks();
            if self.down == 0 {
                self.run_due(time + clock.skew);
            }
        }
    }

    fn streaks(&mut self) {
        self.failing = self.failing.saturating_sub(1);
        self.down = self.down.saturating_sub(1);
        if self.dice.one_in(400) {
            self.failing = self.dice.below(400);
        }
        if self.dice.one_in(800) {
            self.down = self.dice.below(120);
        }
    }

    fn run_due(&mut self, now: DateTime<Utc>) {
        for index in 0..self.configurations.len() {
            let configuration = &mut self.configurations[index];
            let newest = configuration.schedule.previous_slot(now).unwrap();
            let due = configuration.schedule.due(&configuration.history, now);
            // Due is the newest slot, if and only if it has not run. (When a clock goes back over a thousand outages, what was missed before them
            // stays missed.)
            let forgotten = configuration.ran.range(newest..).nth(900).is_some();
            if !(forgotten && due.is_none()) {
                assert_eq!(
                    due,
                    Some(newest).filter(|slot| !configuration.ran.contains(slot))
                );
            }
            let Some(slot) = due else { continue };
            configuration.history.record(slot, &configuration.schedule);
            assert!(
                configuration.ran.insert(slot),
                "{slot} of {} ran twice",
                configuration.name
            );
            // Every prune looks at everything: too much for each of all those backups.
            if self.back_up(index, now) == Status::Complete && self.dice.one_in(10) {
                self.prune(now);
            }
        }
    }

    fn back_up(&mut self, index: usize, now: DateTime<Utc>) -> Status {
        let status = match self.failing {
            0 => Status::Complete,
            _ if self.dice.one_in(3) => Status::Partial,
            _ => return Status::Failed,
        };
        let Configuration { name, kind, .. } = self.configurations[index];
        // An increment builds on the newest backup but exports, whoever made it; without any there is no increment.
        let base = match kind {
            "incremental" => {
                let candidates = self
                    .backups
                    .iter()
                    .filter(|one| one.configuration.as_deref() != Some("monthly"));
                match candidates.max_by_key(|one| (one.created_at, &one.id)) {
                    Some(base) => Some(base.id.clone()),
                    None => return Status::Failed,
                }
            }
            _ => None,
        };
        self.made += 1;
        let id: BackupId = format!("{}-{kind}-{:08x}", now.format("%Y%m%dT%H%M%SZ"), self.made)
            .parse()
            .unwrap();
        self.backups.push(Candidate {
            base,
            configuration: Some(name.to_owned()),
            pinned: self.dice.one_in(5000),
            ..Candidate::new(id, now, status)
        });
        status
    }

    fn prune(&mut self, now: DateTime<Utc>) {
        let before = self.newest_good(now);
        let plan = plan(&self.backups, &self.policy, now);
        // One prune in ten is killed on the way.
        let done = match self.dice.one_in(10) {
            true => self.dice.below(plan.deletion_order.len() as u64 + 1) as usize,
            false => plan.deletion_order.len(),
        };
        let deleted: HashSet<_> = plan.deletion_order[..done].iter().collect();
        self.backups.retain(|one| !deleted.contains(&one.id));

        let there: HashMap<_, _> = self.backups.iter().map(|one| (&one.id, one)).collect();
        for backup in &self.backups {
            assert!(
                backup
                    .base
                    .as_ref()
                    .is_none_or(|base| there.contains_key(base)),
                "{} lost its base",
                backup.id
            );
        }
        for id in &before {
            assert!(there.contains_key(id), "{id} is one of the last good ones");
        }
    }

    /// Of each configuration, the three newest complete backups (fewer when there are no more) down to bases that are complete too.
    fn newest_good(&self, now: DateTime<Utc>) -> Vec<BackupId> {
        let there: HashMap<_, _> = self.backups.iter().map(|one| (&one.id, one)).collect();
        let mut good = Vec::new();
        for configuration in &self.configurations {
            let mut own: Vec<_> = self
                .backups
                .iter()
                .filter(|one| one.configuration.as_deref() == Some(configuration.name))
                .filter(|one| one.created_at <= now && one.status == Status::Complete)
                .collect();
            own.sort_by_key(|one| std::cmp::Reverse((one.created_at, &one.id)));
            let is_good = |one: &&&Candidate| {
                let mut link = **one;
                while let Some(base) = &link.base {
                    link = there[base];
                    if link.status != Status::Complete {
                        return false;
                    }
                }
                true
            };
            good.extend(own.iter().filter(is_good).take(3).map(|one| one.id.clone()));
        }
        good
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twenty_years(seed in any::<u64>(), zone in prop::sample::select(&TZ_VARIANTS[..])) {
        let mut site = Site::new(seed, zone);
        site.live("2006-01-01T00:00:00Z".parse().unwrap());
        // The simulation did something, and retention kept the repository small.
        prop_assert!(site.made > 5_000);
        prop_assert!(site.backups.len() < 2_000, "{}", site.backups.len());
    }
}
