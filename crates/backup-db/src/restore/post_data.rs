//! Indexes and constraints on several connections at once, everything else in order.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, PoisonError};

use super::error::RestoreError;
use super::fill::{Filling, on_all, sizes};
use super::plan::Step;
use crate::{ObjectKind, Session, TableName};

/// Runs all records after the rows.
///
/// Neighbours in the script that may run at the same time are run by all sessions; what lies between them keeps its place.
pub(crate) fn run(sessions: &mut [Session], filling: &Filling<'_>) -> Result<(), RestoreError> {
    let mut steps = filling.plan.post_data.as_slice();
    while let Some(first) = steps.first() {
        let parallel = is_parallel(first.record.kind);
        let count = steps
            .iter()
            .take_while(|step| is_parallel(step.record.kind) == parallel)
            .count();
        let (group, rest) = steps.split_at(count);
        if parallel {
            run_group(sessions, filling, group)?;
        } else {
            for step in group {
                filling.run(&mut sessions[0], step)?;
                filling.progress.advance(1);
            }
        }
        steps = rest;
    }
    Ok(())
}

/// What takes long and depends on nothing but its records' dependencies.
fn is_parallel(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Index
            | ObjectKind::IndexAttach
            | ObjectKind::KeyConstraint
            | ObjectKind::ForeignKey
            | ObjectKind::CheckConstraint
            | ObjectKind::NotNullConstraint
            | ObjectKind::Statistics
            | ObjectKind::Refresh
    )
}

fn run_group(
    sessions: &mut [Session],
    filling: &Filling<'_>,
    steps: &[Step<'_>],
) -> Result<(), RestoreError> {
    let schedule = Schedule::new(filling, steps);
    let (state, changed) = (Mutex::new(schedule), Condvar::new());
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    on_all(sessions, |session| {
        loop {
            let step = {
                let mut schedule = lock();
                loop {
                    if schedule.is_over() {
                        return Ok(());
                    }
                    if let Some(step) = schedule.take() {
                        break step;
                    }
                    schedule = changed
                        .wait(schedule)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            };
            let outcome = filling
                .check_cancelled()
                .and_then(|()| filling.run(session, &steps[step]));
            let mut schedule = lock();
            match &outcome {
                Ok(()) => schedule.done(step),
                Err(_) => schedule.failed = true,
            }
            changed.notify_all();
            drop(schedule);
            outcome?;
            filling.progress.advance(1);
        }
    })?;
    Ok(())
}

/// Which steps of a group may start.
struct Schedule {
    jobs: Vec<Job>,
    /// Not started, those that take longest last.
    waiting: Vec<usize>,
    running: HashSet<usize>,
    finished: HashSet<usize>,
    failed: bool,
}

struct Job {
    /// Steps of the group that come first.
    needs: Vec<usize>,
    /// Tables that it locks, and whether nobody else may at the same time.
    locks: Vec<(TableName, bool)>,
}

impl Schedule {
    fn new(filling: &Filling<'_>, steps: &[Step<'_>]) -> Self {
        let position: HashMap<usize, usize> = steps
            .iter()
            .enumerate()
            .map(|(position, step)| (step.index, position))
            .collect();
        let records = filling.source.script().records();
        let jobs: Vec<Job> = steps
            .iter()
            .map(|step| {
                let needs = step
                    .record
                    .dependencies
                    .iter()
                    .filter_map(|index| position.get(&(*index as usize)).copied());
                // Several indexes of one table can be built at once. A constraint locks its table, a foreign key also the one that it refers
                // to: two of them in opposite directions would wait for each other.
                let exclusive =
                    !matches!(step.record.kind, ObjectKind::Index | ObjectKind::Statistics);
                let mut locks: Vec<(TableName, bool)> = step
                    .record
                    .table
                    .iter()
                    .map(|table| (table.clone(), exclusive))
                    .collect();
                if step.record.kind != ObjectKind::Index {
                    let needed = step
                        .record
                        .dependencies
                        .iter()
                        .filter_map(|index| records[*index as usize].table.clone());
                    locks.extend(needed.map(|table| (table, exclusive)));
                }
                Job {
                    needs: needs.collect(),
                    locks,
                }
            })
            .collect();
        let sizes = sizes(filling.source);
        let size = |step: &Step<'_>| {
            let table = step.record.table.as_ref()?;
            sizes
                .get(&(table.schema.as_str(), table.name.as_str()))
                .copied()
        };
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        waiting.sort_by_key(|step| (size(&steps[*step]).unwrap_or(0), Reverse(*step)));
        Self {
            jobs,
            waiting,
            running: HashSet::new(),
            finished: HashSet::new(),
            failed: false,
        }
    }

    fn is_over(&self) -> bool {
        self.failed || self.waiting.is_empty()
    }

    /// The longest step that may start now.
    fn take(&mut self) -> Option<usize> {
        let ready = |step: &usize| {
            let job = &self.jobs[*step];
            job.needs
                .iter()
                .all(|needed| self.finished.contains(needed))
                && !self
                    .running
                    .iter()
                    .any(|other| conflict(&self.jobs[*other].locks, &job.locks))
        };
        let at = self.waiting.iter().rposition(ready)?;
        let step = self.waiting.remove(at);
        self.running.insert(step);
        Some(step)
    }

    fn done(&mut self, step: usize) {
        self.running.remove(&step);
        self.finished.insert(step);
    }
}

fn conflict(one: &[(TableName, bool)], other: &[(TableName, bool)]) -> bool {
    one.iter().any(|(table, exclusive)| {
        other
            .iter()
            .any(|(name, also)| name == table && (*exclusive || *also))
    })
}
