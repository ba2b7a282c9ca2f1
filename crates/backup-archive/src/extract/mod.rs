//! Extraction confined to one folder.

mod folder;

pub use folder::Folder;
