//! Which files are in a backup: the walk over a root, the reading of each file, and the guard before it.
//!
//! ```
//! use backup_archive::ArchivePath;
//! use backup_core::capture::{Found, WalkOptions, check_root, walk};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("letter.txt"), "Dear reader")?;
//! check_root(folder.path())?;
//! let mut paths = Vec::new();
//! for found in walk(folder.path(), ArchivePath::new("files/letters")?, WalkOptions::default())? {
//!     match found {
//!         Found::Folder { path, .. } | Found::File { path, .. } => paths.push(path.to_string()),
//!         other => panic!("unexpected: {other:?}"),
//!     }
//! }
//! assert_eq!(paths, ["files/letters", "files/letters/letter.txt"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod content;
mod exclude;
mod guard;
mod issue;
mod listing;
mod owners;
mod single;
mod source;
mod stat;
mod walk;
pub(crate) mod xattrs;

pub use exclude::Exclude;
pub use guard::{GuardError, GuardOptions, Totals, check_root, check_totals, measure};
pub use issue::{Issue, IssueReason, SkipReason};
pub(crate) use listing::Listing;
pub use owners::OwnerNames;
pub use single::single_file;
pub use source::CapturedFile;
pub(crate) use stat::mtime as mtime_of;
pub use walk::{Found, Walk, WalkError, WalkOptions, walk};
