//! BACKUP_SYSTEM: whether backups are made as they should be.

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};
use super::quantity;
use super::thresholds::{BackupSystemThresholds, Limit, Thresholds};
use crate::audit::{AuditError, AuditJournal, AuditResult};
use crate::kind::{BackupKind, Status};
use crate::retention::Candidate;
use crate::schedule::{ScheduleStore, Scheduled, Slot};

/// Runs older than this do not count for the rate of success.
const RECENT: TimeDelta = TimeDelta::days(30);

/// What is known of the backups that were made, or were not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BackupSystemFacts {
    /// What is to be backed up, and when that was done last, completely.
    pub components: Vec<ComponentFacts>,
    /// Configurations that are turned on.
    pub configurations: Vec<ConfigurationFacts>,
    /// Runs in the last 30 days that were COMPLETE.
    pub complete_runs: u64,
    /// All runs in the last 30 days.
    pub runs: u64,
    /// When a backup was last restored into a scratch database and folder and compared.
    pub last_rehearsal: Option<DateTime<Utc>>,
    /// The most increments that build on one another.
    pub longest_chain: usize,
}

/// A part of the site that is to be backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFacts {
    /// Which.
    pub component: Component,
    /// When the newest complete backup that contains it began.
    pub last_complete: Option<DateTime<Utc>>,
}

/// A part of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The database.
    Database,
    /// The file roots.
    Files,
}

/// A configuration that is turned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationFacts {
    /// Its name.
    pub name: String,
    /// The slot that waits for its run.
    pub waiting: Option<Slot>,
    /// Runs in a row that were not complete; or why that is not known.
    pub failing_streak: Result<u32, String>,
}

impl Component {
    fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Files => "files",
        }
    }

    fn is_in(self, kind: BackupKind) -> bool {
        match kind {
            BackupKind::Full | BackupKind::Export => true,
            BackupKind::Database => self == Self::Database,
            BackupKind::Files | BackupKind::Incremental => self == Self::Files,
        }
    }
}

/// Gathers what repository, schedule and journal know. `components` are those that the site has.
///
/// Runs are journal entries with action `create`; rehearsals are those with action `verify` and `"rehearsed": true` in their details.
///
/// # Errors
/// When the journal cannot be read.
pub fn gather(
    backups: &[Candidate],
    components: &[Component],
    configurations: &[Scheduled],
    store: &ScheduleStore,
    journal: &AuditJournal,
    now: DateTime<Utc>,
) -> Result<BackupSystemFacts, AuditError> {
    let mut facts = BackupSystemFacts {
        components: components
            .iter()
            .map(|component| last_complete(*component, backups))
            .collect(),
        configurations: configurations
            .iter()
            .filter_map(|configuration| configuration_facts(configuration, store, now))
            .collect(),
        longest_chain: longest_chain(backups),
        ..BackupSystemFacts::default()
    };
    for entry in journal.entries()? {
        if entry.action == "create" && entry.time > now - RECENT {
            facts.runs += 1;
            facts.complete_runs += u64::from(entry.result == AuditResult::Success);
        }
        if entry.action == "verify"
            && entry.result == AuditResult::Success
            && entry.details["rehearsed"] == true
        {
            facts.last_rehearsal = facts.last_rehearsal.max(Some(entry.time));
        }
    }
    Ok(facts)
}

fn last_complete(component: Component, backups: &[Candidate]) -> ComponentFacts {
    let last_complete = backups
        .iter()
        .filter(|one| one.status == Status::Complete && component.is_in(one.id.kind()))
        .map(|one| one.created_at)
        .max();
    ComponentFacts {
        component,
        last_complete,
    }
}

fn configuration_facts(
    configuration: &Scheduled,
    store: &ScheduleStore,
    now: DateTime<Utc>,
) -> Option<ConfigurationFacts> {
    let (waiting, failing_streak) = match store.load(&configuration.name) {
        Ok(state) if !state.enabled.unwrap_or(configuration.enabled) => return None,
        Ok(state) => (
            configuration.schedule.due(&state.history, now),
            Ok(state.failing_streak),
        ),
        Err(error) => (None, Err(error.to_string())),
    };
    Some(ConfigurationFacts {
        name: configuration.name.clone(),
        waiting,
        failing_streak,
    })
}

fn longest_chain(backups: &[Candidate]) -> usize {
    let chains = crate::retention::Chains::new(backups);
    backups
        .iter()
        .map(|one| chains.bases(one).count())
        .max()
        .unwrap_or(0)
}

/// Judges the backups at time `now`.
pub fn evaluate(
    facts: &BackupSystemFacts,
    thresholds: &Thresholds,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let limits = &thresholds.backup_system;
    let mut findings = Vec::new();
    findings.extend(
        facts
            .components
            .iter()
            .map(|component| age(component, limits, now)),
    );
    for configuration in &facts.configurations {
        findings.push(late(configuration, limits, now));
        findings.push(streak(configuration, limits));
    }
    if facts.configurations.is_empty() {
        findings.push(LATE.judged(
            HealthStatus::Warning,
            "no configuration is turned on: backups are made by hand only".to_owned(),
            "`edms-backup schedule create-defaults` makes a sensible schedule, `schedule setup` lets the system run it.",
        ));
    }
    findings.extend(success(facts, limits));
    findings.push(rehearsal(facts, limits, now));
    findings.push(CHAIN.graded(
        facts.longest_chain as f64,
        limits.chain_length,
        format!("the longest chain has {} increments", facts.longest_chain),
        "Make a full backup more often, or `edms-backup consolidate` the chain: one damaged link costs all that follow.",
    ));
    findings
}

const AGE: Measure = Measure {
    check: Check::BackupSystem,
    code: "last_complete_backup_age",
    unit: Unit::Seconds,
    title: "Age of the newest complete backup of a component.",
};
const LATE: Measure = Measure {
    check: Check::BackupSystem,
    code: "schedule_late",
    unit: Unit::Seconds,
    title: "How long the due run of a configuration has been waiting.",
};
const STREAK: Measure = Measure {
    check: Check::BackupSystem,
    code: "failing_streak",
    unit: Unit::Count,
    title: "Runs of a configuration in a row that were not complete.",
};
const SUCCESS: Measure = Measure {
    check: Check::BackupSystem,
    code: "success",
    unit: Unit::Ratio,
    title: "Complete runs, as part of all runs of the last 30 days.",
};
const REHEARSAL: Measure = Measure {
    check: Check::BackupSystem,
    code: "last_rehearsal_age",
    unit: Unit::Seconds,
    title: "Time since a backup was last restored and compared.",
};
const CHAIN: Measure = Measure {
    check: Check::BackupSystem,
    code: "longest_chain",
    unit: Unit::Count,
    title: "The most increments that build on one another.",
};

fn age(facts: &ComponentFacts, limits: &BackupSystemThresholds, now: DateTime<Utc>) -> Finding {
    const ADVICE: &str = "Make one now with `edms-backup create full`, and find out from `edms-backup audit` why none was made.";
    let finding = match facts.last_complete {
        Some(time) => {
            let seconds = seconds_since(time, now);
            AGE.graded(
                seconds,
                scaled(limits.last_complete_hours, 3600.0),
                format!(
                    "the last complete backup is {} old",
                    quantity::duration(seconds)
                ),
                ADVICE,
            )
        }
        None => AGE.judged(
            HealthStatus::Critical,
            "there is no complete backup".to_owned(),
            ADVICE,
        ),
    };
    finding.of(facts.component.name())
}

fn late(
    facts: &ConfigurationFacts,
    limits: &BackupSystemThresholds,
    now: DateTime<Utc>,
) -> Finding {
    let finding = match facts.waiting {
        Some(slot) => {
            let seconds = seconds_since(slot.time(), now);
            LATE.graded(
                seconds,
                scaled(limits.late_minutes, 60.0),
                format!("the run of {slot} has been waiting for {}", quantity::duration(seconds)),
                "Is the timer on (`systemctl list-timers edms-backup.timer`, `crontab -l`)? `edms-backup schedule run-due` runs what is due.",
            )
        }
        None => LATE.healthy("on schedule".to_owned()).value(0.0),
    };
    finding.of(&facts.name)
}

fn streak(facts: &ConfigurationFacts, limits: &BackupSystemThresholds) -> Finding {
    let finding = match &facts.failing_streak {
        Ok(0) => STREAK
            .healthy("the last run was complete".to_owned())
            .value(0.0),
        Ok(count) => STREAK.graded(
            f64::from(*count),
            limits.failing_streak,
            format!("the last {count} runs were not complete"),
            "`edms-backup audit` shows why; retention keeps the last good ones meanwhile.",
        ),
        Err(reason) => STREAK.judged(
            HealthStatus::Unknown,
            format!("its runs are not known: {reason}"),
            "Remove the damaged file in the repository's folder `schedule`.",
        ),
    };
    finding.of(&facts.name)
}

fn success(facts: &BackupSystemFacts, limits: &BackupSystemThresholds) -> Option<Finding> {
    let ratio = (facts.runs > 0).then(|| facts.complete_runs as f64 / facts.runs as f64)?;
    Some(SUCCESS.graded(
        ratio,
        limits.success_ratio,
        format!(
            "{} of {} runs were complete in the last 30 days",
            facts.complete_runs, facts.runs
        ),
        "`edms-backup audit` shows the reasons of those that were not.",
    ))
}

fn rehearsal(
    facts: &BackupSystemFacts,
    limits: &BackupSystemThresholds,
    now: DateTime<Utc>,
) -> Finding {
    const ADVICE: &str = "`edms-backup verify --rehearse` restores the newest backup into a scratch database and folder: only that proves it.";
    match facts.last_rehearsal {
        Some(time) => {
            let seconds = seconds_since(time, now);
            REHEARSAL.graded(
                seconds,
                scaled(limits.rehearsal_days, 86_400.0),
                format!("the last rehearsal was {} ago", quantity::duration(seconds)),
                ADVICE,
            )
        }
        None => REHEARSAL.judged(
            HealthStatus::Warning,
            "no backup was ever restored as a rehearsal".to_owned(),
            ADVICE,
        ),
    }
}

fn seconds_since(time: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    (now - time).num_seconds().max(0) as f64
}

fn scaled(limit: Limit, factor: f64) -> Limit {
    Limit::new(limit.warning * factor, limit.critical * factor)
}
