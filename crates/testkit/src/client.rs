//! PostgreSQL's client programs: oracles of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A command for a client program of the folder that `TEST_PG_CLIENTS` names, or else the system's.
pub fn given(program: &str) -> Command {
    let folder = std::env::var_os("TEST_PG_CLIENTS").map_or_else(PathBuf::new, PathBuf::from);
    clean(&folder.join(program))
}

/// A command that does not see which server the surroundings mean.
pub(crate) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG"))
    {
        command.env_remove(name);
    }
    command
}
