//! Everything that can be seen of a tree, as text per path, so that two trees compare as maps and a difference reads well.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is at each path below a folder (the folder itself is the empty path).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, Seen>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    kind: String,
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
    xattrs: Vec<(OsString, Vec<u8>)>,
    /// The first path, in order, of the same inode.
    same_as: Option<PathBuf>,
    holes: bool,
    content: Option<Vec<u8>>,
}

/// Reads a whole tree: kinds, modes, owners, times, links, attributes, holes and content.
///
/// # Panics
/// When something cannot be read: a test cannot go on then.
pub fn snapshot(root: &Path) -> Snapshot {
    let mut seen = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let path = if relative.as_os_str().is_empty() {
            root.to_path_buf()
        } else {
            root.join(&relative)
        };
        let entry = look(&path).unwrap_or_else(|error| panic!("cannot read {path:?}: {error}"));
        if entry.kind == "folder" {
            let children =
                fs::read_dir(&path).unwrap_or_else(|error| panic!("cannot list {path:?}: {error}"));
            pending.extend(
                children.map(|child| relative.join(child.expect("a folder entry").file_name())),
            );
        }
        seen.insert(relative, entry);
    }
    name_first_links(root, &mut seen);
    Snapshot(seen)
}

/// Differences between two trees, one line per difference, empty when they are the same.
pub fn differences(left: &Path, right: &Path) -> Vec<String> {
    snapshot(left).differences(&snapshot(right))
}

/// Panics, naming every difference, unless both trees are the same in content and metadata.
///
/// Owners are compared too: as an ordinary user both trees must be yours.
#[track_caller]
pub fn assert_same_tree(left: &Path, right: &Path) {
    let found = differences(left, right);
    assert!(
        found.is_empty(),
        "{left:?} and {right:?} differ:\n  {}",
        found.join("\n  ")
    );
}

impl Snapshot {
    /// Differences to another snapshot, one line each.
    pub fn differences(&self, other: &Snapshot) -> Vec<String> {
        let mut found = Vec::new();
        for (path, here) in &self.0 {
            match other.0.get(path) {
                None => found.push(format!("{path:?}: only in the first")),
                Some(there) => found.extend(
                    here.differences(there)
                        .into_iter()
                        .map(|what| format!("{path:?}: {what}")),
                ),
            }
        }
        found.extend(
            other
                .0
                .keys()
                .filter(|path| !self.0.contains_key(*path))
                .map(|path| format!("{path:?}: only in the second")),
        );
        found
    }

    /// The same without everything at or below the paths that `leave_out` picks.
    pub fn without(mut self, leave_out: impl Fn(&Path) -> bool) -> Snapshot {
        self.0.retain(|path, _| !path.ancestors().any(&leave_out));
        self
    }

    /// Paths in the tree, without the folder itself.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0
            .keys()
            .map(PathBuf::as_path)
            .filter(|path| !path.as_os_str().is_empty())
    }
}

impl Seen {
    fn differences(&self, other: &Seen) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |what: &str, left: String, right: String| {
            if left != right {
                found.push(format!("{what} {left} / {right}"));
            }
        };
        note("kind", self.kind.clone(), other.kind.clone());
        note(
            "mode",
            format!("{:o}", self.mode),
            format!("{:o}", other.mode),
        );
        note(
            "owner",
            format!("{:?}", self.owner),
            format!("{:?}", other.owner),
        );
        note(
            "mtime",
            format!("{:?}", self.mtime),
            format!("{:?}", other.mtime),
        );
        note(
            "xattrs",
            format!("{:?}", self.xattrs),
            format!("{:?}", other.xattrs),
        );
        note(
            "same file as",
            format!("{:?}", self.same_as),
            format!("{:?}", other.same_as),
        );
        note("holes", self.holes.to_string(), other.holes.to_string());
        if self.content != other.content {
            found.push(describe_content(
                self.content.as_deref(),
                other.content.as_deref(),
            ));
        }
        found
    }
}

fn describe_content(left: Option<&[u8]>, right: Option<&[u8]>) -> String {
    let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
    let equal = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    format!(
        "content: {} / {} bytes, first difference at {equal}",
        left.len(),
        right.len()
    )
}

fn look(path: &Path) -> io::Result<Seen> {
    let metadata = fs::symlink_metadata(path)?;
    let file_type = metadata.file_type();
    let kind = if file_type.is_dir() {
        "folder".to_owned()
    } else if file_type.is_symlink() {
        format!("link to {:?}", fs::read_link(path)?)
    } else if file_type.is_file() {
        "file".to_owned()
    } else {
        format!("special {:o}", metadata.mode())
    };
    Ok(Seen {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        mtime: (metadata.mtime(), metadata.mtime_nsec()),
        xattrs: xattrs(path)?,
        same_as: None,
        holes: file_type.is_file() && metadata.blocks() * 512 < metadata.size(),
        content: if file_type.is_file() {
            Some(fs::read(path)?)
        } else {
            None
        },
    })
}

fn xattrs(path: &Path) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let mut names = vec![0; 64 * 1024];
    let len = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(len) => len,
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for name in names[..len]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let mut value = vec![0; 64 * 1024];
        let len = rustix::fs::lgetxattr(
            path,
            OsString::from_vec(name.to_vec()).as_os_str(),
            &mut value[..],
        )?;
        value.truncate(len);
        found.push((OsString::from_vec(name.to_vec()), value));
    }
    found.sort();
    Ok(found)
}

fn name_first_links(root: &Path, seen: &mut BTreeMap<PathBuf, Seen>) {
    let mut first: HashMap<(u64, u64), PathBuf> = HashMap::new();
    for (path, entry) in seen.iter_mut().filter(|(_, entry)| entry.kind == "file") {
        let Ok(metadata) = fs::symlink_metadata(root.join(path)) else {
            continue;
        };
        if metadata.nlink() > 1 {
            entry.same_as = Some(
                first
                    .entry((metadata.dev(), metadata.ino()))
                    .or_insert_with(|| path.clone())
                    .clone(),
            );
        }
    }
}
