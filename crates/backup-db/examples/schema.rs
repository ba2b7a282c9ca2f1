//! Writes a database's schema into a folder: `pre-data.sql`, `post-data.sql`, `objects.jsonl`.
//!
//! ```text
//! cargo run --example schema -- URL FOLDER
//! ```

use std::error::Error;
use std::path::PathBuf;

use backup_db::{ConnectOptions, ConnectSources, READ_SETTINGS, Schema, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: schema URL FOLDER".into());
    };
    let folder = PathBuf::from(folder);
    let sources = ConnectSources {
        url: Some(&url),
        ..ConnectSources::default()
    };
    let mut session = Session::connect(&ConnectOptions::resolve(sources)?)?;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    session.batch(READ_SETTINGS)?;
    let schema = Schema::read(&mut session)?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("pre-data.sql"), schema.script.pre_data())?;
    std::fs::write(folder.join("post-data.sql"), schema.script.post_data())?;
    std::fs::write(
        folder.join("objects.jsonl"),
        schema.script.records_to_jsonl(),
    )?;
    Ok(())
}
