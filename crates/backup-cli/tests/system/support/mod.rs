//! Running the command, and a site to run it on.

mod command;
mod site;

pub use command::{edms, run, run_json};
pub use site::{Site, path_of, text};
