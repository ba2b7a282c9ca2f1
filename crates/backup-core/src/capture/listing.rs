//! The names in one folder, sorted by their bytes, in little memory: folders with a million files exist.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::{RawDir, SeekFrom};

/// Bytes asked of the kernel per call.
const BUFFER_LEN: usize = 64 * 1024;

/// Sorted names of one folder, taken one after the other.
#[derive(Debug)]
pub(crate) struct Listing {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
}

impl Listing {
    /// Lists a folder. When the kernel fails half-way, what was listed before is there beside the error.
    pub(crate) fn read(folder: impl AsFd) -> (Self, io::Result<()>) {
        let mut listing = Self {
            bytes: Vec::new(),
            spans: Vec::new(),
            next: 0,
        };
        let outcome = listing.fill(folder);
        let bytes = &listing.bytes;
        listing
            .spans
            .sort_unstable_by(|a, b| a.of(bytes).cmp(b.of(bytes)));
        (listing, outcome)
    }

    fn fill(&mut self, folder: impl AsFd) -> io::Result<()> {
        // The handle may have been listed before.
        rustix::fs::seek(&folder, SeekFrom::Start(0))?;
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER_LEN];
        let mut entries = RawDir::new(folder, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                self.spans.push(Span {
                    start: self.bytes.len(),
                    len: name.len(),
                });
                self.bytes.extend_from_slice(name);
            }
        }
        Ok(())
    }

    /// The next name in order.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        let span = self.spans.get(self.next)?;
        self.next += 1;
        Some(span.of(&self.bytes))
    }
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.len]
    }
}
