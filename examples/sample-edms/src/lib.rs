//! A small EDMS for the demo and the tests: a document store on disk and SQL for a database whose rows agree with it.
//!
//! Everything is made up here and deterministic: two calls give the same bytes, names and times.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let files = sample_edms::write_store(folder.path())?;
//! let script = sample_edms::load_script(&files); // feed it to psql on an empty database
//! # assert!(script.contains("COPY stored_file"));
//! # std::io::Result::Ok(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod content;
mod script;
mod store;

pub use script::load_script;
pub use store::{StoredFile, write_store};
