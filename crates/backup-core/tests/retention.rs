//! What retention keeps, drops, and never drops.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;

use backup_core::retention::{
    Candidate, PrunePlan, RetentionPolicy, RetentionRules, dependents, plan,
};
use backup_core::{BackupId, Status};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn id(made: DateTime<Utc>, kind: &str, number: u32) -> BackupId {
    format!("{}-{kind}-{number:08x}", made.format("%Y%m%dT%H%M%SZ"))
        .parse()
        .unwrap()
}

fn full(made: &str) -> Candidate {
    let made = at(made);
    Candidate::new(id(made, "full", 1), made, Status::Complete)
}

fn increment(made: &str, base: &Candidate) -> Candidate {
    let made = at(made);
    Candidate {
        base: Some(base.id.clone()),
        ..Candidate::new(id(made, "incremental", 2), made, Status::Complete)
    }
}

fn days(count: u32) -> Vec<Candidate> {
    let first = at("2026-01-01T02:00:00Z");
    (0..count)
        .map(|day| {
            let made = first + TimeDelta::days(day.into());
            Candidate {
                stored_bytes: 10,
                ..Candidate::new(id(made, "full", 1), made, Status::Complete)
            }
        })
        .collect()
}

fn decide(candidates: &[Candidate], rules: RetentionRules, now: &str) -> PrunePlan {
    plan(candidates, &RetentionPolicy::from(rules), at(now))
}

fn kept_days(plan: &PrunePlan) -> Vec<String> {
    plan.kept()
        .map(|decision| decision.created_at.format("%m-%d").to_string())
        .collect()
}

const FLOOR_1: RetentionRules = RetentionRules {
    retention_days: None,
    max_backups: None,
    keep_daily: None,
    keep_weekly: None,
    keep_monthly: None,
    zone: chrono_tz::Tz::UTC,
    floor: NonZeroU32::MIN,
};

#[test]
fn without_rules_everything_stays() {
    let plan = decide(
        &days(100),
        RetentionRules::default(),
        "2030-01-01T00:00:00Z",
    );
    assert_eq!(plan.kept().count(), 100);
    assert_eq!(
        plan.decisions[0].reasons[0].to_string(),
        "no retention rule applies"
    );
}

#[test]
fn age_is_counted_in_full_days() {
    let rules = RetentionRules {
        retention_days: Some(5),
        ..FLOOR_1
    };
    let plan = decide(&days(10), rules, "2026-01-10T02:00:00Z");
    assert_eq!(
        kept_days(&plan),
        ["01-10", "01-09", "01-08", "01-07", "01-06"]
    );
    assert_eq!(
        plan.dropped().next().unwrap().reasons[0].to_string(),
        "5 days old (retention_days 5)"
    );
    assert_eq!(plan.freed_bytes, 50);
}

#[test]
fn age_and_number_limit_each_other_and_calendar_rules_keep_more() {
    let both = RetentionRules {
        retention_days: Some(30),
        max_backups: Some(4),
        ..FLOOR_1
    };
    let plan = decide(&days(40), both, "2026-02-09T03:00:00Z");
    assert_eq!(kept_days(&plan), ["02-09", "02-08", "02-07", "02-06"]);
    let calendar = RetentionRules {
        keep_weekly: Some(2),
        keep_monthly: Some(2),
        ..both
    };
    let plan = decide(&days(40), calendar, "2026-02-09T03:00:00Z");
    // 9 February 2026 is a Monday.
    assert_eq!(
        kept_days(&plan),
        ["02-09", "02-08", "02-07", "02-06", "01-31"]
    );
    let reasons: Vec<_> = plan.decisions[0]
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        reasons,
        [
            "number 1 of the newest (max_backups 4)",
            "younger than 30 days (retention_days)",
            "newest of the week of 2026-02-09 (keep_weekly 2)",
            "newest of month 2026-02 (keep_monthly 2)",
            "number 1 of the newest complete ones (floor 1)",
        ]
    );
}

#[test]
fn days_begin_where_the_zone_says() {
    let backups = [full("2026-01-01T22:30:00Z"), full("2026-01-01T23:30:00Z")];
    let daily = RetentionRules {
        keep_daily: Some(7),
        ..FLOOR_1
    };
    let utc = decide(&backups, daily, "2026-01-02T00:00:00Z");
    assert_eq!(utc.kept().count(), 1);
    let berlin = RetentionRules {
        zone: chrono_tz::Europe::Berlin,
        ..daily
    };
    let berlin = decide(&backups, berlin, "2026-01-02T00:00:00Z");
    assert_eq!(berlin.kept().count(), 2);
}

#[test]
fn days_without_backups_do_not_count() {
    let backups = [full("2020-05-01T02:00:00Z"), full("2026-01-01T02:00:00Z")];
    let rules = RetentionRules {
        keep_daily: Some(2),
        ..FLOOR_1
    };
    assert_eq!(
        decide(&backups, rules, "2026-01-02T00:00:00Z")
            .kept()
            .count(),
        2
    );
}

#[test]
fn a_failing_streak_does_not_expire_the_last_good_ones() {
    let mut backups = days(4);
    for day in 5..=60 {
        let made = at("2026-01-01T02:00:00Z") + TimeDelta::days(day);
        let status = if day % 2 == 0 {
            Status::Partial
        } else {
            Status::Failed
        };
        backups.push(Candidate::new(id(made, "full", 1), made, status));
    }
    let rules = RetentionRules {
        retention_days: Some(7),
        max_backups: Some(5),
        ..RetentionRules::default()
    };
    let plan = decide(&backups, rules, "2026-03-10T00:00:00Z");
    let complete: Vec<_> = plan
        .kept()
        .filter(|decision| decision.status == Status::Complete)
        .map(|decision| decision.created_at.format("%m-%d").to_string())
        .collect();
    assert_eq!(complete, ["01-04", "01-03", "01-02"]);
    assert!(
        plan.kept()
            .all(|decision| decision.status != Status::Failed)
    );
}

#[test]
fn partial_backups_do_not_push_out_complete_ones() {
    let mut backups = days(5);
    for backup in &mut backups[3..] {
        backup.status = Status::Partial;
    }
    let rules = RetentionRules {
        max_backups: Some(3),
        ..FLOOR_1
    };
    let plan = decide(&backups, rules, "2026-01-06T00:00:00Z");
    assert_eq!(kept_days(&plan), ["01-05", "01-03", "01-02", "01-01"]);
    assert_eq!(
        plan.decisions[0].reasons[0].to_string(),
        "newest, though not complete"
    );

    let mut one_day = [full("2026-01-01T02:00:00Z"), full("2026-01-01T03:00:00Z")];
    one_day[1].status = Status::Partial;
    let rules = RetentionRules {
        keep_daily: Some(1),
        ..FLOOR_1
    };
    let plan = decide(&one_day, rules, "2026-01-06T00:00:00Z");
    assert_eq!(
        plan.decisions[1].reasons[0].to_string(),
        "newest of day 2026-01-01 (keep_daily 1)"
    );
}

#[test]
fn max_backups_below_the_floor_is_taken_at_its_word_down_to_one() {
    for (most, kept) in [(5, 5), (2, 2), (1, 1), (0, 1)] {
        let rules = RetentionRules {
            max_backups: Some(most),
            ..RetentionRules::default()
        };
        assert_eq!(
            decide(&days(9), rules, "2026-02-01T00:00:00Z")
                .kept()
                .count(),
            kept
        );
    }
}

#[test]
fn pinned_backups_stay_and_take_no_place() {
    let mut backups = days(6);
    backups[0].pinned = true;
    let rules = RetentionRules {
        max_backups: Some(2),
        ..FLOOR_1
    };
    let plan = decide(&backups, rules, "2026-01-06T12:00:00Z");
    assert_eq!(kept_days(&plan), ["01-06", "01-05", "01-01"]);
    assert_eq!(plan.decisions[5].reasons[0].to_string(), "pinned");
}

#[test]
fn what_a_kept_increment_builds_on_stays() {
    let base = full("2026-01-01T02:00:00Z");
    let first = increment("2026-01-02T02:00:00Z", &base);
    let second = increment("2026-01-03T02:00:00Z", &first);
    let unneeded = increment("2026-01-02T03:00:00Z", &base);
    let backups = [
        base.clone(),
        first.clone(),
        second.clone(),
        unneeded.clone(),
    ];
    let rules = RetentionRules {
        max_backups: Some(1),
        ..FLOOR_1
    };
    let plan = decide(&backups, rules, "2026-01-04T00:00:00Z");
    assert_eq!(plan.deletion_order, std::slice::from_ref(&unneeded.id));
    let of_base = plan.kept().find(|decision| decision.id == base.id).unwrap();
    assert_eq!(
        of_base.reasons[0].to_string(),
        format!("needed by {}", second.id)
    );
    assert_eq!(
        dependents(&backups, &base.id),
        [&first.id, &second.id, &unneeded.id]
    );
    assert!(dependents(&backups, &second.id).is_empty());
}

#[test]
fn increments_are_deleted_before_what_they_build_on() {
    let base = full("2026-01-01T02:00:00Z");
    // A clock that was set back: the increment is dated before its base.
    let early = increment("2025-12-31T02:00:00Z", &base);
    let late = increment("2026-01-02T02:00:00Z", &early);
    let newer = full("2026-02-01T02:00:00Z");
    let rules = RetentionRules {
        max_backups: Some(1),
        ..FLOOR_1
    };
    let plan = decide(
        &[base.clone(), early.clone(), late.clone(), newer],
        rules,
        "2026-02-02T00:00:00Z",
    );
    assert_eq!(plan.deletion_order, [late.id, early.id, base.id]);
}

#[test]
fn an_increment_without_its_base_is_not_a_good_backup() {
    let mut backups = days(3);
    let lost = full("2025-12-01T02:00:00Z");
    let orphan = increment("2026-01-04T02:00:00Z", &lost);
    backups.push(orphan.clone());
    let rules = RetentionRules {
        max_backups: Some(1),
        ..FLOOR_1
    };
    let plan = decide(&backups, rules, "2026-01-05T00:00:00Z");
    assert_eq!(kept_days(&plan), ["01-04", "01-03"]);
    assert_eq!(
        plan.warnings,
        [format!(
            "{} cannot be restored: it builds on {}, which is not there",
            orphan.id, lost.id
        )]
    );
}

#[test]
fn backups_of_the_future_stay_and_do_not_push_out_others() {
    let mut backups = days(3);
    backups.push(full("2099-01-01T02:00:00Z"));
    let rules = RetentionRules {
        max_backups: Some(2),
        ..FLOOR_1
    };
    let plan = decide(&backups, rules, "2026-01-05T00:00:00Z");
    assert_eq!(kept_days(&plan), ["01-01", "01-03", "01-02"]);
}

#[test]
fn configurations_are_counted_apart() {
    let mut backups = days(6);
    for (index, backup) in backups.iter_mut().enumerate() {
        backup.configuration =
            [None, Some("daily".to_owned()), Some("gone".to_owned())][index % 3].clone();
    }
    let mut policy = RetentionPolicy::default();
    let one = RetentionRules {
        max_backups: Some(1),
        ..FLOOR_1
    };
    policy.configurations.insert("daily".to_owned(), one);
    let plan = plan(&backups, &policy, at("2026-01-07T00:00:00Z"));
    assert_eq!(plan.deletion_order, [backups[1].id.clone()]);
}

#[test]
fn a_plan_reads_well_and_is_json() {
    let rules = RetentionRules {
        keep_daily: Some(1),
        ..FLOOR_1
    };
    let plan = decide(&days(2), rules, "2026-01-03T00:00:00Z");
    assert_eq!(
        plan.to_string(),
        "keep  20260102T020000Z-full-00000001  newest of day 2026-01-02 (keep_daily 1); number 1 of the newest complete ones (floor 1)\n\
         drop  20260101T020000Z-full-00000001  not the newest of a day, week or month that is kept\n\
         1 to keep, 1 to drop (10 bytes)"
    );
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["decisions"][1]["verdict"], "drop");
    assert_eq!(json["decisions"][1]["status"], "COMPLETE");
    assert_eq!(
        json["decisions"][0]["reasons"][0],
        "newest of day 2026-01-02 (keep_daily 1)"
    );
}

/// Any history: bases anywhere (also in the future, missing, or in a ring), any status, any date.
fn histories() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        0..2_000_000_i64,
        prop::sample::select(vec![
            Status::Complete,
            Status::Complete,
            Status::Partial,
            Status::Failed,
        ]),
        prop::option::of(0..40_u32),
        prop::bool::weighted(0.05),
        prop::sample::select(vec![None, Some("a"), Some("b")]),
    );
    prop::collection::vec(one, 0..40).prop_map(|raw| {
        let times: Vec<_> = raw
            .iter()
            .map(|one| at("2026-01-01T00:00:00Z") + TimeDelta::seconds(one.0 * 10))
            .collect();
        let ids: Vec<_> = (0..40)
            .map(|n| id(times.get(n).copied().unwrap_or_default(), "full", n as u32))
            .collect();
        raw.into_iter()
            .enumerate()
            .map(|(n, (_, status, base, pinned, configuration))| Candidate {
                base: base.map(|base| ids[base as usize].clone()),
                pinned,
                configuration: configuration.map(str::to_owned),
                ..Candidate::new(ids[n].clone(), times[n], status)
            })
            .collect()
    })
}

fn any_rules() -> impl Strategy<Value = RetentionRules> {
    let some = || prop::option::of(0..12_u32);
    (some(), some(), some(), some(), some(), 1..5_u32).prop_map(
        |(retention_days, max_backups, keep_daily, keep_weekly, keep_monthly, floor)| {
            RetentionRules {
                retention_days,
                max_backups,
                keep_daily,
                keep_weekly,
                keep_monthly,
                zone: chrono_tz::Pacific::Apia,
                floor: NonZeroU32::new(floor).unwrap(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn holds_for_every_history(backups in histories(), rules in any_rules(), now in 0..20_000_000_i64) {
        let now = at("2026-01-01T00:00:00Z") + TimeDelta::seconds(now);
        let plan = plan(&backups, &RetentionPolicy::from(rules), now);
        let by_id: HashMap<_, _> = backups.iter().map(|one| (&one.id, one)).collect();
        let kept: BTreeSet<_> = plan.kept().map(|decision| &decision.id).collect();
        let dropped: BTreeSet<_> = plan.dropped().map(|decision| &decision.id).collect();

        // Every backup is decided on once, with a reason; the deletion order is what is dropped.
        prop_assert_eq!(plan.decisions.len(), backups.len());
        prop_assert!(plan.decisions.iter().all(|decision| !decision.reasons.is_empty()));
        prop_assert_eq!(plan.deletion_order.iter().collect::<BTreeSet<_>>(), dropped);

        for backup in &backups {
            let must_stay = backup.pinned
                || (backup.created_at > now && backup.status != Status::Failed);
            prop_assert!(!must_stay || kept.contains(&backup.id));
            // Nothing kept loses its base.
            if let Some(base) = backup.base.as_ref().filter(|base| by_id.contains_key(base)) {
                prop_assert!(!kept.contains(&backup.id) || kept.contains(base));
            }
        }

        // The floor, with "good" worked out anew: complete down to a link without base.
        for configuration in [None, Some("a"), Some("b")] {
            let good = |backup: &&Candidate| {
                let mut link = *backup;
                for _ in 0..=backups.len() {
                    if link.status != Status::Complete { return false; }
                    match &link.base {
                        None => return true,
                        Some(base) => match by_id.get(base) { Some(next) => link = next, None => return false },
                    }
                }
                false
            };
            let mut good: Vec<_> = backups.iter()
                .filter(|one| one.configuration.as_deref() == configuration && one.created_at <= now)
                .filter(good)
                .collect();
            good.sort_by_key(|one| std::cmp::Reverse((one.created_at, &one.id)));
            let floor = rules.floor.get().min(rules.max_backups.unwrap_or(u32::MAX).max(1));
            for one in good.into_iter().take(floor as usize) {
                prop_assert!(kept.contains(&one.id));
            }
        }

        // Cut short anywhere, the deletion leaves no increment without its base. (Rings cannot happen; they only must do no harm.)
        let depends = |one: &Candidate, other: &BackupId| dependents(&backups, other).contains(&&one.id);
        let has_ring = backups.iter().any(|one| {
            let base = one.base.as_ref().and_then(|base| by_id.get(base));
            base.is_some_and(|base| base.id == one.id || depends(base, &one.id))
        });
        let mut left: BTreeSet<_> = by_id.keys().copied().collect();
        for id in &plan.deletion_order {
            left.remove(id);
            let orphaned = left.iter().any(|other| by_id[*other].base.as_ref() == Some(id));
            prop_assert!(has_ring || !orphaned);
        }

        // The order in which backups are given does not matter.
        let mut reversed = backups.clone();
        reversed.reverse();
        prop_assert_eq!(plan_at(&reversed, rules, now), plan);
    }
}

fn plan_at(backups: &[Candidate], rules: RetentionRules, now: DateTime<Utc>) -> PrunePlan {
    plan(backups, &RetentionPolicy::from(rules), now)
}
