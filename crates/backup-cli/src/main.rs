//! The edms-backup command.
fn main() {}
