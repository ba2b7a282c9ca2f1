//! Seekable tar.gz and tar.zst archives: any tar reads the whole, this crate also reads one entry.
