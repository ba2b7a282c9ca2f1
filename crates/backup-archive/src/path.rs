//! Paths inside an archive: bytes, relative, and never a way out of the folder they are extracted to.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

/// Path of an entry: bytes (any but NUL), `/` between parts, relative, with no empty, `.` or `..` part.
///
/// The order compares part by part, so `/` sorts before every other byte: it is the order of a depth-first walk that visits
/// the children of each folder sorted by name, and a folder comes right before what it holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ArchivePath(Box<[u8]>);

/// Why bytes are not an [`ArchivePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No bytes at all.
    #[error("path is empty")]
    Empty,
    /// Begins with `/`.
    #[error("path is absolute")]
    Absolute,
    /// Two `/` in a row, or one at the end.
    #[error("path has an empty part")]
    EmptyPart,
    /// A part is `.` or `..`.
    #[error("path has a part that is `.` or `..`")]
    DotPart,
    /// Holds a NUL byte, which no file system can store.
    #[error("path holds a NUL byte")]
    Nul,
}

impl ArchivePath {
    /// Checks `path` and takes a copy of it.
    ///
    /// # Errors
    /// [`PathError`] says which rule is broken.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let path = path.as_ref();
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path[0] == b'/' {
            return Err(PathError::Absolute);
        }
        for part in path.split(|&byte| byte == b'/') {
            check_part(part)?;
        }
        Ok(Self(path.into()))
    }

    /// The path as stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// This path with `name`, one part or several, below it.
    ///
    /// # Errors
    /// `name` breaks a rule of [`ArchivePath::new`].
    pub fn join(&self, name: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let name = Self::new(name)?;
        let mut joined = Vec::with_capacity(self.0.len() + 1 + name.0.len());
        joined.extend_from_slice(&self.0);
        joined.push(b'/');
        joined.extend_from_slice(&name.0);
        Ok(Self(joined.into()))
    }

    /// Whether this path is `folder` or lies below it, by whole parts.
    pub fn starts_with(&self, folder: &Self) -> bool {
        match self.0.strip_prefix(&*folder.0) {
            Some([]) | Some([b'/', ..]) => true,
            Some(_) | None => false,
        }
    }

    /// The rest of this path below `folder`; `None` if it is not below it, or is the folder itself.
    pub fn strip_prefix(&self, folder: &Self) -> Option<Self> {
        match self.0.strip_prefix(&*folder.0) {
            Some([b'/', rest @ ..]) => Some(Self(rest.into())),
            Some(_) | None => None,
        }
    }

    /// The parts, outermost first; at least one.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }

    /// The folder that holds this path; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        let slash = self.0.iter().rposition(|&byte| byte == b'/')?;
        Some(Self(self.0[..slash].into()))
    }

    /// The last part.
    pub fn file_name(&self) -> &[u8] {
        self.parts().next_back().unwrap_or(&self.0)
    }
}

fn check_part(part: &[u8]) -> Result<(), PathError> {
    match part {
        b"" => Err(PathError::EmptyPart),
        b"." | b".." => Err(PathError::DotPart),
        _ if part.contains(&0) => Err(PathError::Nul),
        _ => Ok(()),
    }
}

impl Ord for ArchivePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.as_bytes(), other.as_bytes());
        let common = left.iter().zip(right).take_while(|(a, b)| a == b).count();
        match (left.get(common), right.get(common)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(b'/'), Some(_)) => Ordering::Less,
            (Some(_), Some(b'/')) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        }
    }
}

impl PartialOrd for ArchivePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl AsRef<[u8]> for ArchivePath {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl TryFrom<&str> for ArchivePath {
    type Error = PathError;

    fn try_from(path: &str) -> Result<Self, PathError> {
        Self::new(path)
    }
}

/// For people: control characters are escaped and bytes that are not UTF-8 are written as `\xNN`, so that a hostile name
/// cannot drive a terminal.
impl fmt::Display for ArchivePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_readable(formatter, &self.0)
    }
}

impl fmt::Debug for ArchivePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        write_readable(formatter, &self.0)?;
        formatter.write_char('"')
    }
}

/// Writes bytes of an unknown encoding so that a person can read them and a terminal stays as it is.
pub(crate) fn write_readable(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                write!(out, "{}", character.escape_default())?;
            } else {
                out.write_char(character)?;
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ArchivePath {
        ArchivePath::new(text).unwrap()
    }

    #[test]
    fn refuses_what_could_leave_the_target() {
        for (bytes, error) in [
            (&b""[..], PathError::Empty),
            (b"/etc", PathError::Absolute),
            (b"a//b", PathError::EmptyPart),
            (b"a/", PathError::EmptyPart),
            (b".", PathError::DotPart),
            (b"a/../b", PathError::DotPart),
            (b"..", PathError::DotPart),
            (b"a\0b", PathError::Nul),
        ] {
            assert_eq!(ArchivePath::new(bytes).unwrap_err(), error, "{bytes:?}");
        }
        assert_eq!(path("...").as_bytes(), b"...");
        assert_eq!(path("-rf").as_bytes(), b"-rf");
    }

    #[test]
    fn order_is_that_of_a_sorted_walk() {
        let walk = ["a", "a/b", "a/b/c", "a/b!", "a!", "a.txt", "a0", "b"];
        let mut sorted: Vec<_> = walk.iter().map(|text| path(text)).collect();
        sorted.reverse();
        sorted.sort();
        assert_eq!(
            sorted
                .iter()
                .map(|path| path.to_string())
                .collect::<Vec<_>>(),
            walk
        );
    }

    #[test]
    fn below_means_by_whole_parts() {
        assert!(path("a/b").starts_with(&path("a")));
        assert!(path("a").starts_with(&path("a")));
        assert!(!path("ab").starts_with(&path("a")));
        assert_eq!(path("a/b/c").strip_prefix(&path("a")), Some(path("b/c")));
        assert_eq!(path("a").strip_prefix(&path("a")), None);
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), None);
        assert_eq!(path("a/b").file_name(), b"b");
        assert_eq!(path("a").join("b/c").unwrap(), path("a/b/c"));
        assert!(path("a").join("../b").is_err());
    }

    #[test]
    fn display_is_safe_for_a_terminal() {
        let odd = ArchivePath::new(b"caf\xc3\xa9/\x1b[2J\xff\n").unwrap();
        assert_eq!(odd.to_string(), "café/\\u{1b}[2J\\xff\\n");
    }
}
