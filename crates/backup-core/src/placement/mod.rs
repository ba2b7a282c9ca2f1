//! Putting restored files in the place of living ones, so that at any moment either the old tree or the new one can be had.
//!
//! Files are extracted into a staging folder inside the target, `<target>/.edms-restore-<id>/new` (the target itself may be a mount
//! point and is never renamed), verified there by the caller, and then swapped child by child; what was there moves to `old` beside
//! it. A journal in the staging folder is written and synced before each phase, so that [`recover`] can finish or take back a
//! restore that was interrupted at any step, and [`undo`] can take back one that is complete, until [`forget`] deletes the old files.
//!
//! ```
//! use backup_core::placement::{Scope, StageOptions, forget, stage, undo};
//! use std::fs;
//!
//! let live = tempfile::tempdir()?;
//! fs::write(live.path().join("letter.txt"), "old")?;
//!
//! let staging = stage(live.path(), "r1", &StageOptions { force: true, ..StageOptions::default() })?;
//! fs::write(staging.path().join("letter.txt"), "restored")?; // stands for extracting an archive
//! staging.prepare(Scope::Whole)?.place()?;
//! assert_eq!(fs::read_to_string(live.path().join("letter.txt"))?, "restored");
//!
//! undo(live.path(), "r1")?;
//! assert_eq!(fs::read_to_string(live.path().join("letter.txt"))?, "old");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod area;
mod error;
mod folder_state;
mod journal;
mod names;
mod plan;
mod recovery;
mod remove;
mod staging;
mod steps;
mod swap;

pub use area::RESTORE_PREFIX;
pub(crate) use area::is_ours;
pub use error::PlacementError;
pub use recovery::{
    Direction, Recovered, Restore, RestoreState, forget, list, recover, recover_to, undo,
};
pub use staging::{Placed, Prepared, Scope, StageOptions, Staging, stage};
pub use steps::Steps;
