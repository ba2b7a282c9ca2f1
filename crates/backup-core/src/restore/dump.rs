//! The database inside an archive, as the database engine reads it.

use std::collections::HashMap;

use backup_archive::{ArchivePath, ArchiveReader, Entry};
use backup_db::{
    BoxError, DumpSource, DumpStats, LargeObjectPiece, LargeObjectSource, Script, ServerInfo,
};
use bytes::Bytes;

use super::error::RestoreError;
use crate::dump_layout::{
    DATA, DUMP, LARGE_OBJECTS, OBJECTS, POST_DATA, PRE_DATA, large_object_of, table_folder,
};
use crate::manifest::{DatabaseManifest, Manifest};
use crate::opened::OpenedBackup;

/// Longest text of our own that is read from an archive, in bytes.
const MAX_TEXT_LEN: u64 = 2 << 30;

/// The database inside an archive.
pub(crate) struct ArchivedDump<'a> {
    reader: &'a ArchiveReader,
    database: DatabaseManifest,
    script: Script,
    segments: Vec<Vec<Entry>>,
    large_objects: Vec<Entry>,
}

impl<'a> ArchivedDump<'a> {
    /// Reads the schema and finds the segments; `None` when the backup holds no database.
    pub(crate) fn open(backup: &'a OpenedBackup) -> Result<Option<Self>, RestoreError> {
        let reader = backup.reader();
        let Some(database) = describe(backup)? else {
            return Ok(None);
        };
        let text = |path| read_text(reader, path);
        let script = Script::from_parts(text(PRE_DATA)?, text(POST_DATA)?, &text(OBJECTS)?)?;
        let mut dump = Self {
            reader,
            segments: vec![Vec::new(); database.stats.tables.len()],
            large_objects: Vec::new(),
            database,
            script,
        };
        dump.find_segments()?;
        Ok(Some(dump))
    }

    /// The database part of the manifest.
    pub(crate) fn manifest(&self) -> &DatabaseManifest {
        &self.database
    }

    fn find_segments(&mut self) -> Result<(), RestoreError> {
        let tables: HashMap<Vec<u8>, usize> = self
            .database
            .stats
            .tables
            .iter()
            .enumerate()
            .map(|(index, table)| (table_folder(&table.schema, &table.name).into_bytes(), index))
            .collect();
        for entry in self.reader.entries() {
            let entry = entry?;
            let path = entry.path.as_bytes();
            if path.starts_with(LARGE_OBJECTS.as_bytes()) && large_object_of(path).is_some() {
                self.large_objects.push(entry);
            } else if path.starts_with(DATA.as_bytes())
                && let Some(slash) = path.iter().rposition(|byte| *byte == b'/')
                && let Some(table) = tables.get(&path[..slash])
            {
                self.segments[*table].push(entry);
            }
        }
        Ok(())
    }

    /// One segment of a table, as text.
    pub(super) fn segment_text(
        &self,
        table: usize,
        segment: usize,
    ) -> Result<String, RestoreError> {
        let entry = &self.segments[table][segment];
        let bytes = self.reader.read_bytes(entry, entry.size)?;
        let path = || entry.path.clone();
        String::from_utf8(bytes).map_err(|_| RestoreError::NotText { path: path() })
    }

    fn read(&self, entry: &Entry) -> Result<Bytes, BoxError> {
        Ok(self.reader.read_bytes(entry, entry.size)?.into())
    }
}

impl DumpSource for ArchivedDump<'_> {
    fn server(&self) -> &ServerInfo {
        &self.database.server
    }

    fn script(&self) -> &Script {
        &self.script
    }

    fn stats(&self) -> &DumpStats {
        &self.database.stats
    }

    fn segment_count(&self, table: usize) -> usize {
        self.segments[table].len()
    }

    fn read_segment(&self, table: usize, segment: usize) -> Result<Bytes, BoxError> {
        self.read(&self.segments[table][segment])
    }

    fn large_objects(&self) -> Result<LargeObjectSource<'_>, BoxError> {
        let mut offset = 0;
        Ok(Box::new(self.large_objects.iter().map(move |entry| {
            let (oid, sequence) = large_object_of(entry.path.as_bytes()).expect("found as one");
            let data = self.read(entry)?;
            if sequence == 0 {
                offset = 0;
            }
            let piece = LargeObjectPiece {
                oid,
                sequence,
                offset,
                data,
            };
            offset += piece.data.len() as u64;
            Ok(piece)
        })))
    }
}

/// The database part of the manifest, or its second copy when the manifest is lost.
fn describe(backup: &OpenedBackup) -> Result<Option<DatabaseManifest>, RestoreError> {
    match backup.require_manifest() {
        Ok(Manifest { database, .. }) => Ok(database.clone()),
        Err(lost) => {
            let Ok(text) = read_text(backup.reader(), DUMP) else {
                return Err(lost.into());
            };
            serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| lost.into())
        }
    }
}

fn read_text(reader: &ArchiveReader, path: &str) -> Result<String, RestoreError> {
    let path = ArchivePath::new(path).expect("a constant path");
    let missing = || RestoreError::Missing { path: path.clone() };
    let entry = reader.find(&path)?.ok_or_else(missing)?;
    let bytes = reader.read_bytes(&entry, MAX_TEXT_LEN)?;
    String::from_utf8(bytes).map_err(|_| RestoreError::NotText { path })
}
