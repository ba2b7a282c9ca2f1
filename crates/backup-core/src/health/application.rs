//! APPLICATION: the machine on which the application runs. (Its cache is looked at by the application itself.)

use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};
use super::quantity;
use super::thresholds::Thresholds;

/// What is known of the machine; `None` where the system does not tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApplicationFacts {
    /// Processors.
    pub cpus: Option<NonZeroUsize>,
    /// Part of the processor time that was in use while it was looked, from 0 to 1.
    pub cpu_ratio: Option<f64>,
    /// Load average over five minutes.
    pub load: Option<f64>,
    /// Memory of the machine in bytes.
    pub memory_total: Option<u64>,
    /// Memory that a new program could have, in bytes.
    pub memory_available: Option<u64>,
}

/// Looks at the machine. Takes as long as `watch`, during which the processors are observed.
pub fn probe(watch: Duration) -> ApplicationFacts {
    let before = cpu_ticks();
    std::thread::sleep(watch);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    ApplicationFacts {
        cpus: std::thread::available_parallelism().ok(),
        cpu_ratio: before
            .zip(cpu_ticks())
            .and_then(|(before, after)| busy(before, after)),
        load: fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split_whitespace().nth(1)?.parse().ok()),
        memory_total: memory_field(&memory, "MemTotal:"),
        memory_available: memory_field(&memory, "MemAvailable:"),
    }
}

/// Judges the machine.
pub fn evaluate(facts: &ApplicationFacts, thresholds: &Thresholds) -> Vec<Finding> {
    let limits = &thresholds.application;
    let cpu = facts.cpu_ratio.map(|ratio| {
        CPU.graded(
            ratio,
            limits.cpu_ratio,
            format!("processors busy at {}", quantity::percent(ratio)),
            "Find out what keeps the processors busy (top), and move backups to a quiet hour.",
        )
    });
    let load = facts.load.zip(facts.cpus).map(|(load, cpus)| {
        LOAD.graded(
            load / cpus.get() as f64,
            limits.load_per_cpu,
            format!("load average {load:.2} on {cpus} processors"),
            "More is waiting than the machine can do: look for what waits (top, iotop), and move backups to a quiet hour.",
        )
    });
    let memory = facts
        .memory_available
        .zip(facts.memory_total.filter(|total| *total > 0))
        .map(|(available, total)| {
            MEMORY.graded(
                available as f64 / total as f64,
                limits.memory_available_ratio,
                format!("{} of {} of memory available", quantity::bytes(available), quantity::bytes(total)),
                "Give the machine more memory or its programs less: when it runs out, the system ends programs.",
            )
        });
    [(&CPU, cpu), (&LOAD, load), (&MEMORY, memory)]
        .into_iter()
        .map(|(measure, finding)| {
            finding.unwrap_or_else(|| {
                measure.judged(
                    HealthStatus::Unknown,
                    "the system does not tell".to_owned(),
                    "Mount /proc where this runs.",
                )
            })
        })
        .collect()
}

const CPU: Measure = Measure {
    check: Check::Application,
    code: "cpu_busy",
    unit: Unit::Ratio,
    title: "Processor time in use, as part of all processors.",
};
const LOAD: Measure = Measure {
    check: Check::Application,
    code: "load_per_cpu",
    unit: Unit::Count,
    title: "Load average over five minutes, for each processor.",
};
const MEMORY: Measure = Measure {
    check: Check::Application,
    code: "memory_available",
    unit: Unit::Ratio,
    title: "Memory that can still be had, as part of all.",
};

/// All ticks and idle ones since the start of the system: the first line of `/proc/stat`.
fn cpu_ticks() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        // Guest time, the last two, is part of user time.
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let idle = fields.get(3)? + fields.get(4)?;
    Some((fields.iter().sum(), idle))
}

fn busy(before: (u64, u64), after: (u64, u64)) -> Option<f64> {
    let all = after.0.checked_sub(before.0).filter(|all| *all > 0)?;
    let idle = after.1.saturating_sub(before.1).min(all);
    Some((all - idle) as f64 / all as f64)
}

/// A field of `/proc/meminfo`, in bytes.
fn memory_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
