//! What a migration package brings along for whoever restores it: `restore.sh`, which needs nothing but tar and psql, and `README.txt`.

mod readme;
mod script;

pub(crate) use readme::{ReadmeDatabase, ReadmeFacts, readme};
pub(crate) use script::restore_script;

/// The script inside a package; the first entry, so that it is found without reading the rest.
pub(crate) const RESTORE_SCRIPT: &str = "restore.sh";

/// The printed rescue steps inside a package.
pub(crate) const README: &str = "README.txt";
