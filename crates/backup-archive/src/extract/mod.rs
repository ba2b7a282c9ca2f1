//! Extraction confined to one folder.
//!
//! Nothing is ever created, changed or removed outside the target: every path is an [`ArchivePath`](crate::ArchivePath) (relative,
//! without `..`), and the kernel resolves it beneath a handle of the target without following any link (see [`Folder`]). On top of
//! that, all links are made after all files, so that while content is written there is no link that could be followed.
//!
//! Everything that the table of contents says is checked before the first file is written: the selection, names, link targets, the
//! number of entries and bytes, the free space. An archive that is refused leaves the target as it was.
//!
//! # Symbolic links
//! An archive of a living tree may hold links that point anywhere, such as `current -> /srv/releases/7`. For extraction a symbolic
//! link is only data: it is written as it is and never followed, so by default ([`SymlinkPolicy::AsStored`]) it comes back as it was
//! when the archive was made. [`SymlinkPolicy::Confined`] refuses those that leave the target: that is for archives from elsewhere,
//! whose links a program might follow later. Hard links are different: they share content with what they name, and always must stay
//! inside.

mod directories;
mod error;
mod files;
mod folder;
mod links;
mod metadata;
mod options;
mod preparation;
mod run;
mod selection;
mod space;

pub use error::{ExtractError, FailReason, FailedEntry};
pub use folder::Folder;
pub use options::{ExtractObserver, ExtractOptions, ExtractStats, Loss, Owners, SymlinkPolicy};
pub use run::extract;
pub use selection::{Selection, SelectionError};
