//! The document store: folders `documents` and `media` with about 300 files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use sha2::{Digest, Sha256};

use crate::content::{Noise, content};

/// One regular file of the store.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Path below the store, such as `documents/….pdf`.
    pub path: String,
    /// The file name's extension.
    pub kind: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content, lower-case hex.
    pub checksum: String,
    /// The UUID of the document whose file this is, if it is one.
    pub document: Option<String>,
}

const DOCUMENTS: usize = 200;
const KINDS: [&str; 7] = ["pdf", "docx", "txt", "jpg", "csv", "pdf", "xml"];

/// Names that trip careless tools, in `media/odd`.
const ODD_NAMES: [&str; 14] = [
    "-rf",
    "two  spaces ",
    "new\nline.txt",
    "tab\there",
    "back\\slash",
    "quote\"s'",
    "#hash %41 ?query&",
    "*?[a]",
    "emoji 🗄.txt",
    "手順書.xml",
    "تعليمات.txt",
    "NFC é",
    "NFD e\u{301}",
    "CASE",
];

/// Writes the store into `folder`, which must not hold `documents` or `media` yet. Returns its regular files in the
/// order in which they were made; links and folders are made too but not listed.
///
/// # Errors
/// Those of the file system.
pub fn write_store(folder: &Path) -> io::Result<Vec<StoredFile>> {
    let mut store = Store {
        folder,
        files: Vec::new(),
        noise: Noise::new(20_240_229),
    };
    for path in [
        "documents",
        "documents/incoming",
        "media",
        "media/empty/nested",
        "media/odd",
        "media/logos",
    ] {
        fs::create_dir_all(folder.join(path))?;
    }
    store.documents()?;
    store.media()?;
    store.odd_files()?;
    store.links()?;
    let files = store.files;
    set_times(folder)?;
    Ok(files)
}

struct Store<'a> {
    folder: &'a Path,
    files: Vec<StoredFile>,
    noise: Noise,
}

impl Store<'_> {
    fn documents(&mut self) -> io::Result<()> {
        for number in 0..DOCUMENTS {
            let uuid = self.noise.uuid();
            let kind = KINDS[number % KINDS.len()];
            let len = match number {
                0 => 2_000_000, // spans several members of an archive
                1 => 0,
                _ => {
                    300 + self
                        .noise
                        .below(if number % 10 == 0 { 200_000 } else { 40_000 })
                }
            };
            let bytes = if len == 0 {
                Vec::new()
            } else {
                content(kind, len, &mut self.noise)
            };
            self.add(
                &format!("documents/{uuid}.{kind}"),
                kind,
                &bytes,
                Some(uuid),
            )?;
        }
        self.add("documents/.gitkeep", "", b"", None)
    }

    fn media(&mut self) -> io::Result<()> {
        for number in 0..80 {
            let len = 1_000 + self.noise.below(9_000);
            let bytes = content("jpg", len, &mut self.noise);
            self.add(
                &format!("media/thumbnails/{:02}/{number}.jpg", number % 8),
                "jpg",
                &bytes,
                None,
            )?;
        }
        let logo = content("jpg", 30_000, &mut self.noise);
        self.add("media/logos/logo.png", "png", &logo, None)?;
        let deep = format!(
            "media/templates/{}template.xml",
            "a folder with a rather long name/".repeat(8)
        );
        let form = content("xml", 5_000, &mut self.noise);
        self.add(&deep, "xml", &form, None)
    }

    fn odd_files(&mut self) -> io::Result<()> {
        for name in ODD_NAMES {
            self.add(&format!("media/odd/{name}"), "", name.as_bytes(), None)?;
        }
        self.add("media/odd/case", "", b"differs from CASE", None)?;
        self.add(
            &format!("media/odd/{}", "n".repeat(255)),
            "",
            b"as long as a name can be",
            None,
        )?;
        self.add("media/odd/private", "", b"for the owner", None)?;
        self.add("media/odd/read-only", "", b"not to be changed", None)?;
        self.set_mode("media/odd/private", 0o600)?;
        self.set_mode("media/odd/read-only", 0o400)?;
        self.set_mode("media/odd", 0o750)?;
        let holes = File::create(self.folder.join("media/odd/sparse"))?;
        holes.set_len(3 << 20)
    }

    fn links(&mut self) -> io::Result<()> {
        let media = self.folder.join("media");
        symlink("logos/logo.png", media.join("current-logo.png"))?;
        symlink("../documents", media.join("documents-link"))?;
        symlink("nowhere/at all", media.join("dangling"))?;
        fs::hard_link(
            media.join("logos/logo.png"),
            media.join("logos/same-logo.png"),
        )
    }

    fn add(
        &mut self,
        path: &str,
        kind: &str,
        bytes: &[u8],
        document: Option<String>,
    ) -> io::Result<()> {
        let target = self.folder.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create_new(target)?.write_all(bytes)?;
        let checksum = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.files.push(StoredFile {
            path: path.to_owned(),
            kind: kind.to_owned(),
            size: bytes.len() as u64,
            checksum,
            document,
        });
        Ok(())
    }

    fn set_mode(&self, path: &str, mode: u32) -> io::Result<()> {
        fs::set_permissions(self.folder.join(path), fs::Permissions::from_mode(mode))
    }
}

/// Gives everything below `folder` a fixed modification time with nanoseconds, children before their folder.
fn set_times(folder: &Path) -> io::Result<()> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for (number, path) in (1..).zip(&names) {
        if path.symlink_metadata()?.is_dir() {
            set_times(path)?;
        }
        let time = Timespec {
            tv_sec: 1_700_000_000 + 3_607 * number,
            tv_nsec: 123_456_789 + number,
        };
        utimensat(
            CWD,
            path,
            &Timestamps {
                last_access: time,
                last_modification: time,
            },
            AtFlags::SYMLINK_NOFOLLOW,
        )?;
    }
    Ok(())
}
