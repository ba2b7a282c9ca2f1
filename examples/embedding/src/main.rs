//! Backs up a database and a folder, and restores both elsewhere: `embedding URL FOLDER TARGET_URL TARGET_FOLDER`.
//!
//! A program that embeds `backup-core` needs no other crate of this workspace. Passwords come from the URL here; a real program takes them
//! from where it keeps its secrets.

use std::error::Error;
use std::path::PathBuf;

use backup_core::{
    BackupKind, ConnectOptions, ConnectSources, CreateOptions, Destination, RestoreOptions, Silent,
    Status, create, restore,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, folder, target_url, target_folder] = arguments.as_slice() else {
        return Err("usage: embedding URL FOLDER TARGET_URL TARGET_FOLDER".into());
    };
    let repository = PathBuf::from(target_folder).join("backups");

    let mut options = CreateOptions::new(BackupKind::Full, Destination::Repository(repository));
    options.database = Some(connect(url)?);
    options.files.insert("documents".into(), folder.into());
    let backup = create(&options, &Silent)?;
    println!(
        "{} {}: {} rows, {} files",
        backup.status, backup.id, backup.rows, backup.files
    );
    for warning in &backup.warnings {
        println!("  {warning}");
    }

    let mut options = RestoreOptions::new(backup.path);
    options.database = Some(connect(target_url)?);
    options.target = Some(PathBuf::from(target_folder).join("restored"));
    options.verify = true;
    let restored = restore(&options, &Silent)?;
    println!(
        "{} {}: {} rows, {} files",
        restored.status, restored.id, restored.rows, restored.files
    );
    if restored.status != Status::Complete {
        return Err("the restore is not complete".into());
    }
    Ok(())
}

fn connect(url: &str) -> Result<ConnectOptions, Box<dyn Error>> {
    Ok(ConnectOptions::resolve(ConnectSources {
        url: Some(url),
        ..ConnectSources::default()
    })?)
}
