//! SHA-256 of files while they are read for the archive.

use std::io::{self, Read};
use std::sync::Arc;

use backup_archive::{ArchivePath, FileSource, Metadata, OpenFile};
use sha2::{Digest, Sha256};

use super::Closure;

/// A file whose SHA-256 is told when it has been read.
pub(crate) struct Hashing {
    inner: Box<dyn FileSource>,
    path: ArchivePath,
    closure: Arc<Closure>,
}

impl Hashing {
    pub(crate) fn new(
        inner: impl FileSource + 'static,
        path: ArchivePath,
        closure: Arc<Closure>,
    ) -> Self {
        Self {
            inner: Box::new(inner),
            path,
            closure,
        }
    }
}

impl FileSource for Hashing {
    fn size_hint(&self) -> u64 {
        self.inner.size_hint()
    }

    fn open(&mut self) -> io::Result<Box<dyn OpenFile + '_>> {
        Ok(Box::new(Hashed {
            inner: self.inner.open()?,
            sha256: Sha256::new(),
            path: self.path.clone(),
            closure: Arc::clone(&self.closure),
        }))
    }
}

struct Hashed<'a> {
    inner: Box<dyn OpenFile + 'a>,
    sha256: Sha256,
    path: ArchivePath,
    closure: Arc<Closure>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.sha256.update(&buf[..read]);
        Ok(read)
    }
}

impl OpenFile for Hashed<'_> {
    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn unchanged(&mut self) -> io::Result<bool> {
        let unchanged = self.inner.unchanged()?;
        // Of several attempts the last one counts: it is what the archive holds.
        self.closure
            .hashed(&self.path, &self.sha256.finalize_reset());
        Ok(unchanged)
    }
}
