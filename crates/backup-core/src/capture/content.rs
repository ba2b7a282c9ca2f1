//! Content of one file, read by position; holes are not read from the disk.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// Reads the first `len` bytes of a file by position, so that several readers can share the handle. Holes come as zeros.
///
/// Asking for holes moves the file's own offset: nobody may rely on that.
#[derive(Debug)]
pub(super) struct Content {
    file: Arc<File>,
    position: u64,
    len: u64,
    /// The stretch around `position`: a hole, or data, up to here.
    until: u64,
    in_hole: bool,
}

impl Content {
    /// A file without holes: the kernel is never asked for them.
    pub(super) fn dense(file: Arc<File>, len: u64) -> Self {
        Self {
            file,
            position: 0,
            len,
            until: len,
            in_hole: false,
        }
    }

    /// A file that occupies less than its length.
    pub(super) fn sparse(file: Arc<File>, len: u64) -> Self {
        Self {
            file,
            position: 0,
            len,
            until: 0,
            in_hole: false,
        }
    }

    /// Finds out what is at `position` and how far it goes.
    fn look(&mut self) -> io::Result<()> {
        match rustix::fs::seek(&*self.file, SeekFrom::Data(self.position)) {
            Ok(data) if data > self.position => {
                (self.in_hole, self.until) = (true, data.min(self.len))
            }
            Ok(_) => {
                let hole = rustix::fs::seek(&*self.file, SeekFrom::Hole(self.position))
                    .unwrap_or(self.len);
                (self.in_hole, self.until) = (false, hole.clamp(self.position + 1, self.len));
            }
            // No data from here to the end.
            Err(Errno::NXIO) => (self.in_hole, self.until) = (true, self.len),
            // The file system does not tell.
            Err(Errno::INVAL | Errno::NOTSUP) => (self.in_hole, self.until) = (false, self.len),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl Read for Content {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.len {
            return Ok(0);
        }
        if self.position >= self.until {
            self.look()?;
        }
        let wanted = usize::try_from(self.until - self.position)
            .map_or(buf.len(), |left| left.min(buf.len()));
        let read = if self.in_hole {
            buf[..wanted].fill(0);
            wanted
        } else {
            self.file.read_at(&mut buf[..wanted], self.position)?
        };
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_bytes_as_a_plain_read() {
        let folder = tempfile::tempdir().unwrap();
        for (len, offset, data) in [
            (5_000_000, 3_000_000, b"island".as_slice()),
            (100_000, 0, b"start"),
            (70_000, 69_995, b"end!!"),
            (4096, 0, b""),
        ] {
            let path = folder.path().join(format!("{len}"));
            testkit::tree::sparse_file(&path, len, offset, data);
            let file = Arc::new(File::open(&path).unwrap());
            for mut content in [
                Content::sparse(file.clone(), len),
                Content::dense(file, len),
            ] {
                let mut read = Vec::new();
                content.read_to_end(&mut read).unwrap();
                assert!(read == std::fs::read(&path).unwrap(), "{len}");
            }
        }
    }
}
