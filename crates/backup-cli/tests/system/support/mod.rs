//! Running the command, and a site to run it on.

mod command;
mod site;

pub(crate) use command::{Done, edms, run, run_json};
pub(crate) use site::{Site, path_of, text};
