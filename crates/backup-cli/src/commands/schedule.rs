//! `schedule`: configurations, and what runs them.

use std::path::PathBuf;

use backup_core::Settings;
use backup_core::request::{
    CreateDefaultsRequest, EnableRequest, RunDueRequest, ScheduleListRequest, ServiceError,
};
use backup_core::schedule::{
    CommandRunner, ConfigurationStatus, SiteRun, crontab, note_setup, systemd,
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// List the configurations, when they run next and how they ran last
    List,
    /// Add sensible configurations to the configuration file; those that miss something are added turned off
    CreateDefaults(CreateDefaults),
    /// Turn a configuration on
    Enable(Named),
    /// Turn a configuration off
    Disable(Named),
    /// Make every backup that is due now
    RunDue,
    /// Let the system call `schedule run-due` every five minutes
    Setup(Setup),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name of the configuration
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct CreateDefaults {
    /// Zone of the times, an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
}

#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// A systemd timer and its hardened service
    #[arg(long, required_unless_present = "cron", conflicts_with = "cron")]
    systemd: bool,
    /// A line in the crontab of this user
    #[arg(long)]
    cron: bool,
    /// Take it away again
    #[arg(long)]
    remove: bool,
    /// Folder of the units
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/etc/systemd/system",
        conflicts_with = "cron"
    )]
    unit_folder: PathBuf,
    /// Who runs the service [default: root]
    #[arg(long, value_name = "USER", conflicts_with = "cron")]
    user: Option<String>,
    /// A file of NAME=value lines for the service, such as the connection of the database
    #[arg(long, value_name = "FILE", conflicts_with = "cron")]
    environment_file: Option<PathBuf>,
}

impl Schedule {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::List => list(context),
            Self::CreateDefaults(options) => options.run(context),
            Self::Enable(named) => named.set(context, true),
            Self::Disable(named) => named.set(context, false),
            Self::RunDue => run_due(context),
            Self::Setup(options) => options.run(context),
        }
    }
}

fn list(context: &Context) -> Result<Exit, CommandError> {
    let all = ScheduleListRequest {}.run(&context.site()?)?;
    if context.json() {
        output::json(&all)?;
        return Ok(Exit::Complete);
    }
    let mut text = format!(
        "{:<24} {:<12} {:<10} {:<8} {:<17} {}\n",
        "NAME", "TYPE", "FREQUENCY", "ENABLED", "NEXT (UTC)", "LAST"
    );
    for one in &all {
        text += &describe(one);
    }
    if all.is_empty() {
        text = "no configurations: `edms-backup schedule create-defaults` adds some\n".to_owned();
    }
    output::text(&text)?;
    Ok(Exit::Complete)
}

fn describe(one: &ConfigurationStatus) -> String {
    let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
    let next = match one.next_run_at {
        _ if one.is_due => "due now".to_owned(),
        Some(next) => time(next),
        None => "-".to_owned(),
    };
    let last = match &one.last_run {
        Some(run) => format!("{} {}", run.result.status, time(run.ended_at)),
        None => "never".to_owned(),
    };
    format!(
        "{:<24} {:<12} {:<10} {:<8} {:<17} {}\n",
        output::printable(&one.name),
        one.backup_type,
        one.frequency,
        if one.enabled { "yes" } else { "no" },
        next,
        last
    )
}

impl Named {
    fn set(self, context: &Context, enabled: bool) -> Result<Exit, CommandError> {
        let request = EnableRequest {
            name: self.name,
            enabled,
        };
        let set = request.run(&context.site()?)?;
        if context.json() {
            output::json(&set)?;
        } else if !context.quiet() {
            let state = if enabled { "enabled" } else { "disabled" };
            output::text(&format!(
                "{} is {state}\n{}",
                output::printable(&set.name),
                output::warnings(&set.warnings, usize::MAX)
            ))?;
        }
        Ok(Exit::Complete)
    }
}

impl CreateDefaults {
    fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = CreateDefaultsRequest {
            time_zone: self.time_zone,
        };
        let mut site = context.site()?;
        site.config = Some(context.config_path_or_default());
        let created = request.run(&site)?;
        if context.json() {
            output::json(&created)?;
        } else if !context.quiet() {
            let mut text = format!("{}\n", created.path.display());
            for name in &created.added {
                text += &format!("  added     {name}\n");
            }
            for (name, missing) in &created.disabled {
                text += &format!("  disabled  {name}: it needs {}\n", missing.join(" and "));
            }
            for name in &created.present {
                text += &format!("  kept      {name}\n");
            }
            text += "`edms-backup schedule setup` lets the system run them\n";
            text += &output::warnings(&created.warnings, usize::MAX);
            output::text(&text)?;
        }
        Ok(Exit::Complete)
    }
}

fn run_due(context: &Context) -> Result<Exit, CommandError> {
    let mut site = context.site()?;
    site.who.face = "schedule".to_owned();
    let progress = context.progress();
    let result = RunDueRequest {}.run(&site, &progress);
    progress.finish();
    let ran = result?;
    if context.json() {
        output::json(&ran)?;
    } else if !context.quiet() {
        for run in &ran.runs {
            output::text(&summary(run))?;
        }
    }
    Ok(ran.status().into())
}

fn summary(run: &SiteRun) -> String {
    let mut text = match run.status {
        Some(status) => format!("{status} {}", output::printable(&run.configuration)),
        None => format!(
            "{}: another job of it is running\n",
            output::printable(&run.configuration)
        ),
    };
    if run.status.is_none() {
        return text;
    }
    if let Some(backup) = &run.backup {
        text += &format!(" {backup}");
    }
    text.push('\n');
    if let Some(error) = &run.error {
        text += &output::describe_failure(error);
    }
    if let Some(result) = &run.result {
        for id in &result.pruned {
            text += &format!("  removed {id}\n");
        }
        text += &output::warnings(&result.record.warnings, 20);
    }
    text
}

impl Setup {
    fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let site = context.site()?;
        let runner = &mut CommandRunner;
        let program = std::env::current_exe()?;
        let arguments = self.arguments(context)?;
        match (self.cron, self.remove) {
            (true, true) => crontab::remove(runner)?,
            (true, false) => {
                let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
                crontab::install(&crontab::line(&program, &words)?, runner)?;
            }
            (false, true) => systemd::remove(&self.unit_folder, runner)?,
            (false, false) => {
                let units = systemd::Units::render(&systemd::UnitOptions {
                    program,
                    arguments,
                    writable: writable(&site.settings)?,
                    user: self.user.clone(),
                    environment_file: self.environment_file.clone(),
                })?;
                systemd::install(&self.unit_folder, &units, runner)?;
            }
        }
        let what = if self.cron {
            "crontab"
        } else {
            "systemd timer"
        };
        let state = if self.remove { "removed" } else { "set up" };
        let warnings = note_setup(&site.settings, what, state, &site.who);
        if context.json() {
            #[derive(Serialize)]
            struct Document<'a> {
                scheduler: &'a str,
                installed: bool,
                warnings: &'a [String],
            }
            output::json(&Document {
                scheduler: what,
                installed: !self.remove,
                warnings: &warnings,
            })?;
        } else if !context.quiet() {
            output::text(&format!(
                "{what} {state}\n{}",
                output::warnings(&warnings, usize::MAX)
            ))?;
        }
        Ok(Exit::Complete)
    }

    /// What the system runs: this configuration file, or the repository that was named.
    fn arguments(&self, context: &Context) -> Result<Vec<String>, CommandError> {
        let mut arguments = Vec::new();
        for (option, path) in context.paths_for_later() {
            let path = std::path::absolute(path)?;
            arguments.push(option.to_owned());
            arguments.push(path.to_string_lossy().into_owned());
        }
        arguments.extend(["schedule", "run-due", "--quiet"].map(str::to_owned));
        Ok(arguments)
    }
}

fn writable(settings: &Settings) -> Result<Vec<PathBuf>, CommandError> {
    let repositories = settings.repositories();
    if repositories.is_empty() {
        return Err(ServiceError::no_repository().into());
    }
    repositories
        .into_iter()
        .map(|path| Ok(std::path::absolute(path)?))
        .collect()
}
