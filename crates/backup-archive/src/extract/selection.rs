//! Which entries to extract.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::ArchivePath;

/// Entries chosen by patterns of their paths; the default is everything.
///
/// A pattern is a glob over the whole path in the archive (`files/documents/2024/*.pdf`): `*` and `?` stay within one part, `**`
/// crosses parts. What matches is selected with everything below it.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    globs: Option<GlobSet>,
}

/// A pattern is not a glob.
#[derive(Debug, thiserror::Error)]
#[error("invalid pattern")]
pub struct SelectionError(#[from] globset::Error);

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// What matches one of `patterns`.
    ///
    /// # Errors
    /// The first pattern that is not a glob; the source of the error names it.
    pub fn globs<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, SelectionError> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim_matches('/');
            set.add(
                GlobBuilder::new(pattern)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()?,
            );
        }
        Ok(Self {
            globs: Some(set.build()?),
        })
    }

    /// Whether an entry is selected: it matches, or a folder above it does.
    pub fn selects(&self, path: &ArchivePath) -> bool {
        match &self.globs {
            None => true,
            Some(globs) => {
                and_above(path.as_bytes()).any(|path| globs.is_match(OsStr::from_bytes(path)))
            }
        }
    }

    /// Whether an entry is selected by itself and no folder above it is: the path at which a tree that is replaced begins.
    pub fn is_topmost(&self, path: &ArchivePath) -> bool {
        match &self.globs {
            None => path.parent().is_none(),
            Some(globs) => {
                let mut paths =
                    and_above(path.as_bytes()).map(|path| globs.is_match(OsStr::from_bytes(path)));
                paths.next() == Some(true) && !paths.any(|is_match| is_match)
            }
        }
    }
}

/// A path and all folders above it, innermost first.
fn and_above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(path), |path| {
        let slash = path.iter().rposition(|byte| *byte == b'/')?;
        Some(&path[..slash])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(bytes: &[u8]) -> ArchivePath {
        ArchivePath::new(bytes).unwrap()
    }

    #[test]
    fn selects_what_matches_with_all_below() {
        let selection =
            Selection::globs(["files/*/2024", "/files/media/**/*.png/", "config/a\\*"]).unwrap();
        for selected in [
            &b"files/docs/2024"[..],
            b"files/docs/2024/x/\xff",
            b"files/media/a/b.png",
            b"config/a*",
        ] {
            assert!(
                selection.selects(&path(selected)),
                "{}",
                selected.escape_ascii()
            );
        }
        for left_out in [
            &b"files"[..],
            b"files/docs",
            b"files/docs/sub/2024",
            b"files/docs/2025",
            b"config/ab",
        ] {
            assert!(
                !selection.selects(&path(left_out)),
                "{}",
                left_out.escape_ascii()
            );
        }
        assert!(selection.is_topmost(&path(b"files/docs/2024")));
        assert!(!selection.is_topmost(&path(b"files/docs/2024/x")));
        assert!(!selection.is_topmost(&path(b"files/docs")));
        assert!(
            Selection::all().selects(&path(b"any")) && Selection::all().is_topmost(&path(b"any"))
        );
        assert!(Selection::globs(["a["]).is_err());
    }
}
