//! The edms-backup command: parses, calls one service of `backup-core`, prints, chooses the exit code.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod context;
mod error;
mod exit;
mod keys;
mod output;
mod progress;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let context = Context::new(cli.common);
    let result = match cli.command {
        Command::Create(command) => command.run(&context),
        Command::Consolidate(command) => command.run(&context),
        Command::Diff(command) => command.run(&context),
        Command::Restore(command) => command.run(&context),
        Command::Undo(command) => command.run(&context),
        Command::Recover(command) => command.run(&context),
        Command::Forget(command) => command.run(&context),
        Command::Verify(command) => command.run(&context),
        Command::List(command) => command.run(&context),
        Command::Show(command) => command.run(&context),
        Command::Cat(command) => command.run(&context),
        Command::Prune(command) => command.run(&context),
        Command::Delete(command) => command.run(&context),
        Command::Pin(command) => command.run(&context),
        Command::Unpin(command) => command.run(&context),
        Command::Schedule(command) => command.run(&context),
        Command::Health(command) => command.run(&context),
        Command::Audit(command) => command.run(&context),
        Command::Catalogue(command) => command.run(&context),
        Command::Key(command) => command.run(&context),
        Command::Config(command) => command.run(&context),
        Command::Completions(command) => command.run(),
    };
    match result {
        Ok(exit) => exit,
        // `edms-backup list | head`: whoever reads has seen enough.
        Err(CommandError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Failed,
        Err(error) => {
            output::failure(&context, &error);
            error.exit()
        }
    }
    .into()
}

/// Prints what the parser has to say: help, version, or what is wrong.
fn usage(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(
        error.kind(),
        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
    );
    if !asked_for && std::env::args_os().any(|argument| argument == "--json") {
        output::json_usage(error);
    } else {
        // Nothing can be done when the terminal is gone.
        let _ = error.print();
    }
    if asked_for {
        Exit::Complete
    } else {
        Exit::Usage
    }
    .into()
}
