//! The database: the schema as SQL, the rows as COPY text.

use backup_db::{DumpError, Snapshot};

use super::CreateError;
use super::job::{Job, own_metadata};
use crate::dump_layout::{
    DUMP, OBJECTS, POST_DATA, PRE_DATA, large_object_path, segment_path, table_folder,
};
use crate::manifest::{DatabaseManifest, Issue};
use crate::monitor::Phase;

/// Appends `database/…` from the snapshot.
pub(super) fn append(job: &mut Job<'_>, snapshot: Snapshot) -> Result<(), CreateError> {
    let expected = snapshot.tables().iter().map(|table| table.bytes).sum();
    job.monitor.phase(Phase::Database, Some(expected));
    job.append_text(PRE_DATA, snapshot.script().pre_data().to_owned())?;
    append_rows(job, &snapshot)?;
    append_large_objects(job, &snapshot)?;
    job.append_text(POST_DATA, snapshot.script().post_data().to_owned())?;
    job.append_text(OBJECTS, snapshot.script().records_to_jsonl())?;
    job.manifest
        .notes
        .extend(snapshot.warnings().iter().map(|warning| Issue {
            path: "database".to_owned(),
            reason: warning.clone(),
        }));
    let server = snapshot.server().clone();
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
