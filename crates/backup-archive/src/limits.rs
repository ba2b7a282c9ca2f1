//! What a reader accepts before it believes an archive.

/// Bounds on what an archive may claim. A claim beyond is an error before anything is allocated for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Number of entries. Default: 100 million. Against archives that fill the target with empty files.
    pub entries: u64,
    /// Content of all entries together, in bytes. Default: 1 PiB. Against bombs; restores set it to the free space.
    pub content_bytes: u64,
    /// Length of the tar stream divided by the length of the file, when it is scanned. Default: 1100, more than gzip can reach; zstd
    /// can, for zeros. Against bombs. Streams below 64 MiB are not held to it.
    pub ratio: u64,
    /// Length of a path or of a link target, in bytes. Default: 64 KiB; Linux itself allows 4096 in one call.
    pub path_bytes: usize,
    /// Length of the extended headers of one entry, in bytes. Default: 1 MiB. Against headers that fill the memory.
    pub pax_bytes: u64,
    /// Length of the decoded index of the table of contents, in bytes: it is held in memory. Default: 32 MiB, enough for more than 100 million entries.
    pub index_bytes: u64,
    /// Length of the table of contents that a scan makes, in bytes: it is held in memory. Default: 1 GiB, more than 10 million entries.
    pub scanned_table_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100_000_000,
            content_bytes: 1 << 50,
            ratio: 1100,
            path_bytes: 64 << 10,
            pax_bytes: 1 << 20,
            index_bytes: 32 << 20,
            scanned_table_bytes: 1 << 30,
        }
    }
}
