//! What the operator wants left out of a root.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns of paths to leave out. The default leaves out nothing.
///
/// A pattern is a glob over the path below the root (`cache/**/*.tmp`; `*` and `?` stay within one part, `**` crosses parts). One
/// without a `/` is matched against the name alone, at any depth (`*.tmp`). A folder that matches is left out with everything in it.
#[derive(Debug, Clone, Default)]
pub struct Exclude {
    paths: GlobSet,
    names: GlobSet,
}

impl Exclude {
    /// Compiles patterns.
    ///
    /// # Errors
    /// The first pattern that is not a glob; the error names it.
    pub fn new<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, globset::Error> {
        let (mut paths, mut names) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let pattern = pattern.as_ref();
            let set = if pattern.contains('/') {
                &mut paths
            } else {
                &mut names
            };
            set.add(
                GlobBuilder::new(pattern.trim_matches('/'))
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()?,
            );
        }
        Ok(Self {
            paths: paths.build()?,
            names: names.build()?,
        })
    }

    /// Whether a path below the root is to be left out (its parents are not looked at: the walk never enters what is left out).
    pub fn matches(&self, relative: &[u8]) -> bool {
        if self.paths.is_empty() && self.names.is_empty() {
            return false;
        }
        let name = relative
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or(relative);
        self.paths.is_match(OsStr::from_bytes(relative))
            || self.names.is_match(OsStr::from_bytes(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_at_any_depth_and_paths_from_the_root() {
        let exclude =
            Exclude::new(["*.tmp", "cache/*", "/logs/", "a/**/z", "back\\*slash"]).unwrap();
        for left_out in [
            b"x.tmp".as_slice(),
            b"deep/er/\xff.tmp",
            b"cache/x",
            b"logs",
            b"a/b/c/z",
            b"a/z",
            b"back*slash",
        ] {
            assert!(exclude.matches(left_out), "{}", left_out.escape_ascii());
        }
        for kept in [
            b"x.tmpl".as_slice(),
            b"cache",
            b"cache/x/y",
            b"old/logs",
            b"b/a/z",
            b"backXslash",
        ] {
            assert!(!exclude.matches(kept), "{}", kept.escape_ascii());
        }
        assert!(!Exclude::default().matches(b"x.tmp"));
        assert!(Exclude::new(["a["]).is_err());
    }
}
