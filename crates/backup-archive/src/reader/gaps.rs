//! A source whose unreadable places read as zeros, so that a scan passes over them as over any other damage.

use std::io;

use crate::Source;

/// A damaged disk loses so much at least; whatever else loses more, loses several in a row.
const SECTOR_LEN: u64 = 4096;
/// Linux's number for what a damaged disk answers.
const EIO: i32 = 5;

/// Reads zeros where the source below says that its bytes are lost.
pub(super) struct Gaps<'a>(pub(super) &'a dyn Source);

impl Source for Gaps<'_> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.0.read_at(buffer, offset) {
            Err(error) if is_loss(&error) => {}
            other => return other,
        }
        let sector_len = (SECTOR_LEN - offset % SECTOR_LEN).min(self.len() - offset);
        let len = usize::try_from(sector_len).map_or(buffer.len(), |len| len.min(buffer.len()));
        let sector = &mut buffer[..len];
        match self.0.read_at(sector, offset) {
            Err(error) if is_loss(&error) => {
                sector.fill(0);
                Ok(len)
            }
            other => other,
        }
    }
}

/// Whether the bytes are lost, rather than out of reach for the moment.
fn is_loss(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData || error.raw_os_error() == Some(EIO)
}
