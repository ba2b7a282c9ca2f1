//! `health`: whether all is well.

use backup_core::health::{Check, HealthStatus};
use backup_core::request::HealthRequest;
use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Make this check: DATABASE, STORAGE, APPLICATION, BACKUP_SYSTEM or SECURITY. Repeatable [default: all]
    #[arg(long, value_name = "TYPE")]
    check: Vec<Check>,
    /// How the report is printed; --json is the same as --format json
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Prometheus,
}

impl Health {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
        let request = HealthRequest { check: self.check };
        let report = request.run(&context.site()?);
        match self.format {
            Format::Prometheus => output::text(&report.to_prometheus())?,
            Format::Text if !context.json() => {
                output::text(&format!("{}\n", report.to_text(context.verbose())))?;
            }
            Format::Text | Format::Json => output::json(&report)?,
        }
        Ok(match report.status {
            HealthStatus::Healthy => Exit::Complete,
            HealthStatus::Unknown | HealthStatus::Warning => Exit::Partial,
            HealthStatus::Critical => Exit::Failed,
        })
    }
}
