//! A digest of a table's rows that does not depend on their order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

/// Sum, modulo 2^128, of XXH3-128 over every row's line of COPY text, without its line feed.
///
/// Equal digests and counts mean equal rows; it finds mistakes and damage, it does not resist somebody who looks for collisions. In text it
/// is 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct RowDigest(u128);

impl RowDigest {
    /// Adds one row: a line of COPY text, with or without its line feed.
    pub fn add_row(&mut self, line: &[u8]) {
        self.0 = self
            .0
            .wrapping_add(xxh3_128(line.strip_suffix(b"\n").unwrap_or(line)));
    }

    /// Adds all rows of a piece of COPY text, which ends with a whole row, and returns how many there are.
    pub fn add_rows(&mut self, text: &[u8]) -> u64 {
        let mut rows = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.add_row(line);
            rows += 1;
        }
        rows
    }

    /// Adds the rows of another digest.
    pub fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    pub(crate) fn add_hash(&mut self, hash: u128) {
        self.0 = self.0.wrapping_add(hash);
    }
}

impl fmt::Display for RowDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for RowDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RowDigest({self})")
    }
}

/// Text that is no digest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row digest has 32 hexadecimal digits")]
pub struct InvalidRowDigest;

impl FromStr for RowDigest {
    type Err = InvalidRowDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidRowDigest);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| InvalidRowDigest)
    }
}

impl Serialize for RowDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_pieces_do_not_matter_but_rows_do() {
        let of = |pieces: &[&[u8]]| {
            let mut digest = RowDigest::default();
            for piece in pieces {
                digest.add_rows(piece);
            }
            digest
        };
        assert_eq!(of(&[b"a\nb\nc\n"]), of(&[b"c\n", b"b\na\n"]));
        assert_ne!(of(&[b"a\nb\n"]), of(&[b"a\nb\nb\n"]));
        assert_ne!(of(&[b"a\n"]), of(&[b"a\nb\n"]));
        // Twice the same row does not cancel out.
        assert_ne!(of(&[b"a\na\n"]), of(&[]));
    }

    #[test]
    fn text_form() {
        let mut digest = RowDigest::default();
        digest.add_row(b"a\n");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("12".parse::<RowDigest>(), Err(InvalidRowDigest));
    }
}
