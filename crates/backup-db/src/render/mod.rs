//! From ordered steps to SQL.
//!
//! One file per topic; each function gives the SQL of one step. Names are qualified and quoted, types and expressions are the server's own texts.

mod assemble;
mod context;
mod database;
mod foreign;
mod functions;
mod indexes;
mod keywords;
mod names;
mod operators;
mod portable;
mod privileges;
mod replication;
mod rules;
mod satellites;
mod sql;
mod table;
mod target;
mod text_search;
mod types;
mod view;

pub(crate) use assemble::{SETTINGS, script};
pub(crate) use names::{ident, qualified};

use context::Context;
