//! A tar writer that writes whatever it is told, right or wrong.

/// Bytes of a tar stream under construction.
#[derive(Default, Clone)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

/// A header block. All fields can be overwritten before it is sealed with its checksum.
#[derive(Clone)]
pub(crate) struct Header([u8; 512]);

impl Header {
    /// A ustar header as every program writes it.
    pub(crate) fn new(name: &[u8], kind: u8) -> Self {
        let mut header = Self([0; 512]);
        let len = name.len().min(100);
        header.0[..len].copy_from_slice(&name[..len]);
        header = header
            .field(100, b"0000644\0")
            .field(108, b"0000000\0")
            .field(116, b"0000000\0");
        header = header.size(0).field(136, b"14000000000\0");
        header.0[156] = kind;
        header.field(257, b"ustar\x0000")
    }

    pub(crate) fn field(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn size(self, size: u64) -> Self {
        self.field(124, format!("{size:011o}\0").as_bytes())
    }

    pub(crate) fn link(self, target: &[u8]) -> Self {
        self.field(157, target)
    }

    pub(crate) fn seal(mut self) -> [u8; 512] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn block(mut self, block: [u8; 512]) -> Self {
        self.0.extend_from_slice(&block);
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &[u8], content: &[u8]) -> Self {
        self.block(Header::new(name, b'0').size(content.len() as u64).seal())
            .bytes(content)
    }

    pub(crate) fn folder(self, name: &[u8]) -> Self {
        let header = Header::new(name, b'5').field(100, b"0000755\0");
        self.block(header.seal())
    }

    pub(crate) fn symlink(self, name: &[u8], target: &[u8]) -> Self {
        self.block(Header::new(name, b'2').link(target).seal())
    }

    pub(crate) fn hard_link(self, name: &[u8], target: &[u8]) -> Self {
        self.block(Header::new(name, b'1').link(target).seal())
    }

    /// An extended header for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        self.extended(b'x', &records_of(records))
    }

    /// An extended header for all entries that follow.
    pub(crate) fn global(self, records: &[(&str, &[u8])]) -> Self {
        self.extended(b'g', &records_of(records))
    }

    pub(crate) fn extended(self, kind: u8, content: &[u8]) -> Self {
        self.block(Header::new(b"pax", kind).size(content.len() as u64).seal())
            .bytes(content)
    }

    /// The two blocks that end an archive.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

fn records_of(records: &[(&str, &[u8])]) -> Vec<u8> {
    records
        .iter()
        .flat_map(|(key, value)| record(key, value))
        .collect()
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let mut len = rest.len() + 1;
    while len != rest.len() + len.to_string().len() {
        len = rest.len() + len.to_string().len();
    }
    [len.to_string().as_bytes(), &rest].concat()
}
