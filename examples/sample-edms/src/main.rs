//! Writes the sample: `sample-edms FOLDER SCRIPT` makes the document store in FOLDER and the SQL that loads the database.
#![forbid(unsafe_code)]

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [folder, script] = arguments.as_slice() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "usage: sample-edms FOLDER SCRIPT",
        ));
    };
    let files = sample_edms::write_store(Path::new(folder))?;
    fs::write(script, sample_edms::load_script(&files))?;
    let bytes: u64 = files.iter().map(|file| file.size).sum();
    println!(
        "{} files, {:.1} MB in {}",
        files.len(),
        bytes as f64 / 1e6,
        folder.to_string_lossy()
    );
    Ok(())
}
