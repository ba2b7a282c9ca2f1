//! Random sequences of what can be done with a repository, held against a model.

use std::collections::BTreeSet;
use std::fs;

use backup_core::BackupId;
use backup_core::retention::{RetentionPolicy, RetentionRules, delete, pin, prune, unpin};
use chrono::{TimeDelta, Utc};

use crate::site::{Site, somebody};

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn whatever_is_done_what_is_listed_is_what_the_model_says() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let site = Site::new();
        let (mut known, mut pinned) = (BTreeSet::new(), BTreeSet::new());
        known.insert(site.create().id);
        let repository = site.repository();
        let policy = RetentionPolicy::from(RetentionRules {
            max_backups: Some(3),
            ..RetentionRules::default()
        });
        for _ in 0..40 {
            let pick = |dice: &mut Dice, known: &BTreeSet<BackupId>| {
                known.iter().nth(dice.roll(known.len().max(1))).cloned()
            };
            match dice.roll(8) {
                0 | 1 => {
                    known.insert(site.create_for("daily").id);
                }
                2 => {
                    known.insert(site.create().id);
                }
                3 => {
                    // A job that was killed: nobody knows its process any more.
                    let dead = site.path("backups/running/dead");
                    fs::create_dir_all(&dead).unwrap();
                    fs::write(dead.join("archive"), "half").unwrap();
                }
                4 => {
                    let Some(id) = pick(&mut dice, &known) else {
                        continue;
                    };
                    pin(&repository, id.as_str(), None, &somebody()).unwrap();
                    pinned.insert(id);
                }
                5 => {
                    let Some(id) = pick(&mut dice, &known) else {
                        continue;
                    };
                    unpin(&repository, id.as_str(), &somebody()).unwrap();
                    pinned.remove(&id);
                }
                6 => {
                    let Some(id) = pick(&mut dice, &known) else {
                        continue;
                    };
                    let deleted = delete(&repository, id.as_str(), &policy, true, &somebody());
                    assert_eq!(deleted.is_ok(), !pinned.contains(&id), "{deleted:?}");
                    if deleted.is_ok() {
                        known.remove(&id);
                    }
                }
                _ => {
                    let now = Utc::now() + TimeDelta::seconds(5);
                    let outcome = prune(&repository, &policy, &somebody(), now).unwrap();
                    for id in &outcome.deleted {
                        assert!(known.remove(id) && !pinned.contains(id), "{id}");
                    }
                    for configuration in [None, Some("daily")] {
                        let kept = outcome
                            .plan
                            .kept()
                            .filter(|one| one.configuration.as_deref() == configuration)
                            .count();
                        let held = outcome
                            .plan
                            .kept()
                            .filter(|one| pinned.contains(&one.id))
                            .count();
                        assert!(kept <= 3 + held, "{}", outcome.plan);
                    }
                }
            }
            assert_eq!(site.ids().into_iter().collect::<BTreeSet<_>>(), known);
            assert!(pinned.is_subset(&known));
        }
        known.insert(site.create().id);
        let running = fs::read_dir(site.path("backups/running")).unwrap().count();
        assert_eq!(running, 0, "what a dead job left is gone");
        let names = fs::read_dir(site.path("backups/backups")).unwrap().count();
        assert_eq!(names, 3 * known.len());
        assert!(repository.verify_journal().unwrap().is_intact());
    }
}
