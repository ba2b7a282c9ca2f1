//! Contents of documents: text that compresses, and noise that does not, as in PDF streams and JPEG.

/// A small deterministic generator of random numbers (splitmix64).
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    pub(crate) fn uuid(&mut self) -> String {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        let version_4 = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{version_4:032x}");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

const WORDS: [&str; 32] = [
    "the",
    "document",
    "shall",
    "be",
    "reviewed",
    "approved",
    "by",
    "quality",
    "assurance",
    "before",
    "it",
    "becomes",
    "effective",
    "Prüfung",
    "record",
    "of",
    "training",
    "and",
    "deviation",
    "is",
    "kept",
    "for",
    "ten",
    "years",
    "in",
    "archive",
    "version",
    "change",
    "control",
    "procedure",
    "手順",
    "audit",
];

/// Content of about `len` bytes as a file with this extension would have.
pub(crate) fn content(extension: &str, len: usize, noise: &mut Noise) -> Vec<u8> {
    match extension {
        "txt" => prose(len, noise),
        "csv" => table(len, noise),
        "xml" => markup(len, noise),
        "pdf" => framed(
            b"%PDF-1.7\n1 0 obj << /Filter /FlateDecode >> stream\n",
            b"\nendstream\n%%EOF\n",
            len,
            noise,
        ),
        "jpg" => framed(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"\xff\xd9", len, noise),
        _ => framed(b"PK\x03\x04", b"PK\x05\x06", len, noise),
    }
}

fn framed(head: &[u8], tail: &[u8], len: usize, noise: &mut Noise) -> Vec<u8> {
    let body = noise.bytes(len.saturating_sub(head.len() + tail.len()));
    [head, &body, tail].concat()
}

fn prose(len: usize, noise: &mut Noise) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < len {
        text.push_str(WORDS[noise.below(WORDS.len())]);
        text.push(if noise.below(12) == 0 { '\n' } else { ' ' });
    }
    text.into_bytes()
}

fn table(len: usize, noise: &mut Noise) -> Vec<u8> {
    let mut text = String::from("id;name;amount\r\n");
    for row in 1.. {
        if text.len() >= len {
            break;
        }
        let (name, amount) = (WORDS[noise.below(WORDS.len())], noise.below(100_000));
        text.push_str(&format!(
            "{row};\"{name}\";{}.{:02}\r\n",
            amount / 100,
            amount % 100
        ));
    }
    text.into_bytes()
}

fn markup(len: usize, noise: &mut Noise) -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<form>\n");
    while text.len() < len {
        text.push_str(&format!(
            "  <field code=\"{:04}\">{}</field>\n",
            noise.below(10_000),
            WORDS[noise.below(WORDS.len())]
        ));
    }
    text.push_str("</form>\n");
    text.into_bytes()
}
