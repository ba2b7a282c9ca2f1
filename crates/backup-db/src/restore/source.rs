//! What a restore reads.

use bytes::Bytes;

use crate::{DumpStats, LargeObjectPiece, Script, ServerInfo};

/// Any error of somebody else's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A finished dump, wherever it is kept. Several threads read it at once.
pub trait DumpSource: Sync {
    /// The server and database that it was taken from.
    fn server(&self) -> &ServerInfo;

    /// The schema.
    fn script(&self) -> &Script;

    /// Tables and large objects. A table's index in this list is what `table` means below.
    fn stats(&self) -> &DumpStats;

    /// How many segments a table has.
    fn segment_count(&self, table: usize) -> usize;

    /// The rows of one segment, complete and verified. Segments may be read in any order, and again.
    ///
    /// # Errors
    /// Whatever keeps them from being read; the restore fails with it.
    fn read_segment(&self, table: usize, segment: usize) -> Result<Bytes, BoxError>;

    /// All large objects' pieces; those of one object follow each other.
    ///
    /// # Errors
    /// As [`DumpSource::read_segment`], also from the iterator.
    fn large_objects(&self) -> Result<LargeObjectSource<'_>, BoxError>;
}

/// What [`DumpSource::large_objects`] gives.
pub type LargeObjectSource<'a> = Box<dyn Iterator<Item = Result<LargeObjectPiece, BoxError>> + 'a>;

/// A dump in memory, for tests and for small databases.
#[derive(Debug, Clone)]
pub struct MemoryDump {
    server: ServerInfo,
    script: Script,
    stats: DumpStats,
    segments: Vec<Vec<Bytes>>,
    large_objects: Vec<LargeObjectPiece>,
}

impl MemoryDump {
    /// Reads a whole snapshot.
    ///
    /// # Errors
    /// As reading a snapshot.
    pub fn take(snapshot: crate::Snapshot) -> Result<Self, crate::DumpError> {
        let (server, script) = (snapshot.server().clone(), snapshot.script().clone());
        let mut segments = vec![Vec::new(); snapshot.tables().len()];
        for segment in snapshot.segments() {
            let segment = segment?;
            segments[segment.table].push(segment.data);
        }
        let large_objects = snapshot.large_object_pieces().collect::<Result<_, _>>()?;
        Ok(Self {
            server,
            script,
            stats: snapshot.finish()?,
            segments,
            large_objects,
        })
    }
}

impl DumpSource for MemoryDump {
    fn server(&self) -> &ServerInfo {
        &self.server
    }

    fn script(&self) -> &Script {
        &self.script
    }

    fn stats(&self) -> &DumpStats {
        &self.stats
    }

    fn segment_count(&self, table: usize) -> usize {
        self.segments[table].len()
    }

    fn read_segment(&self, table: usize, segment: usize) -> Result<Bytes, BoxError> {
        Ok(self.segments[table][segment].clone())
    }

    fn large_objects(&self) -> Result<LargeObjectSource<'_>, BoxError> {
        Ok(Box::new(self.large_objects.iter().cloned().map(Ok)))
    }
}
