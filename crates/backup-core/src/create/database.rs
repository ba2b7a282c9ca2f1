//! The database: the schema as SQL, the rows as COPY text.

use std::borrow::Cow;

use backup_db::{DumpError, Script, Snapshot};

use super::CreateError;
use super::job::{Job, own_metadata};
use crate::dump_layout::{
    DATA, DUMP, LOAD_LIST, OBJECTS, POST_DATA, PRE_DATA, large_object_path, segment_path,
    table_folder,
};
use crate::kind::BackupKind;
use crate::manifest::{DatabaseManifest, Issue};
use crate::monitor::Phase;

/// Appends `database/…` from the snapshot.
pub(super) fn append(job: &mut Job<'_>, snapshot: Snapshot) -> Result<(), CreateError> {
    let expected = snapshot.tables().iter().map(|table| table.bytes).sum();
    job.monitor.phase(Phase::Database, Some(expected));
    read_references(job, &snapshot)?;
    let script = script_for(job, &snapshot);
    job.append_text(PRE_DATA, script.pre_data().to_owned())?;
    if job.options.kind == BackupKind::Export {
        job.append_text(LOAD_LIST, load_list(&snapshot))?;
    }
    append_rows(job, &snapshot)?;
    append_large_objects(job, &snapshot)?;
    job.append_text(POST_DATA, script.post_data().to_owned())?;
    job.append_text(OBJECTS, script.records_to_jsonl())?;
    job.manifest
        .notes
        .extend(snapshot.warnings().iter().map(|warning| Issue {
            path: "database".to_owned(),
            reason: warning.clone(),
        }));
    let mut server = snapshot.server().clone();
    if job.options.kind == BackupKind::Export {
        // The target has neither this owner nor this cluster.
        server.owner.clear();
        server.system_identifier = None;
    }
    let snapshot_at = snapshot.taken_at().into();
    let stats = snapshot.finish()?;
    let database = DatabaseManifest {
        snapshot_at,
        server,
        stats,
    };
    let text = serde_json::to_string(&database).expect("plain data");
    job.append_text(DUMP, text)?;
    job.manifest.database = Some(database);
    Ok(())
}

/// Reads the rows that name files. First of all, so that a rule that cannot be is said before hours have passed.
fn read_references(job: &Job<'_>, snapshot: &Snapshot) -> Result<(), CreateError> {
    let Some(closure) = &job.closure else {
        return Ok(());
    };
    closure
        .read_rows(|statement, take| snapshot.copy_out(statement, take))
        .map_err(|source| match source {
            DumpError::MadeRoom { .. } | DumpError::Changing(_) => CreateError::Database(source),
            source => CreateError::References {
                table: closure.tables(),
                source: Box::new(source),
            },
        })
}

/// The schema; of a migration package without what only its own server knows.
fn script_for<'a>(job: &mut Job<'_>, snapshot: &'a Snapshot) -> Cow<'a, Script> {
    if job.options.kind != BackupKind::Export {
        return Cow::Borrowed(snapshot.script());
    }
    let (script, left_out) = snapshot.script().portable();
    job.manifest
        .notes
        .extend(left_out.into_iter().map(|object| Issue {
            path: "database".to_owned(),
            reason: format!("left out of the package: {object}"),
        }));
    Cow::Owned(script)
}

/// One line per table: the folder of its rows, a tab, the statement that takes them. For a restore without this program.
fn load_list(snapshot: &Snapshot) -> String {
    let mut list = String::new();
    for table in snapshot.tables() {
        let folder = table_folder(&table.schema, &table.name);
        let folder = folder.trim_start_matches(DATA).trim_start_matches('/');
        list.push_str(&format!("{folder}\t{}\n", table.copy_in_line()));
    }
    list
}

fn append_rows(job: &mut Job<'_>, snapshot: &Snapshot) -> Result<(), CreateError> {
    let folders: Vec<String> = snapshot
        .tables()
        .iter()
        .map(|table| table_folder(&table.schema, &table.name))
        .collect();
    let metadata = own_metadata(job.manifest.created_at);
    for segment in snapshot.segments() {
        job.check_cancelled()?;
        let segment = segment?;
        job.monitor.advance(segment.data.len() as u64);
        let path = segment_path(&folders[segment.table], segment.part, segment.sequence);
        job.writer.append_bytes(&path, &metadata, segment.data)?;
    }
    Ok(())
}

fn append_large_objects(job: &mut Job<'_>, snapshot: &Snapshot) -> Result<(), CreateError> {
    let metadata = own_metadata(job.manifest.created_at);
    for piece in snapshot.large_object_pieces() {
        job.check_cancelled()?;
        let piece = piece?;
        let path = large_object_path(piece.oid, piece.sequence);
        job.writer.append_bytes(&path, &metadata, piece.data)?;
    }
    Ok(())
}

/// Whether another attempt may succeed: the dump made room for somebody who changes the schema.
pub(super) fn is_transient(error: &CreateError) -> bool {
    matches!(
        error,
        CreateError::Database(DumpError::MadeRoom { .. } | DumpError::Changing(_))
    )
}
