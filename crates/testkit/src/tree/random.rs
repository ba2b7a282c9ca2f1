//! Trees that depend on a seed only, for property tests.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{noise, prose, set_mode, set_mtime, sparse_file};

/// Fills an existing folder with `entries` files, folders and links chosen by `seed`: same arguments, same tree.
pub fn random_tree(root: &Path, seed: u64, entries: usize) {
    let mut dice = Dice(noise(seed, 64 * (entries + 1)).into_iter());
    let mut folders = vec![root.to_path_buf()];
    let mut files: Vec<PathBuf> = Vec::new();
    for index in 0..entries {
        let parent = folders[dice.below(folders.len())].clone();
        let path = parent.join(dice.name(index));
        match dice.below(10) {
            0 | 1 => {
                fs::create_dir(&path).unwrap();
                folders.push(path);
                continue;
            }
            2 => symlink(dice.name(index), &path).unwrap(),
            3 if !files.is_empty() => {
                fs::hard_link(&files[dice.below(files.len())], &path).unwrap();
                continue;
            }
            4 => sparse_file(&path, 100_000 + dice.size() as u64, 70_000, b"island"),
            5..=7 => fs::write(&path, noise(seed ^ index as u64, dice.size())).unwrap(),
            _ => fs::write(&path, prose(seed ^ index as u64, dice.size())).unwrap(),
        }
        let mtime = i64::from(dice.byte()) * 10_000_000 - 500_000_000;
        set_mtime(&path, mtime, u32::from(dice.byte()) * 3_921_568);
        if path.symlink_metadata().unwrap().is_file() {
            set_mode(&path, 0o400 | (u32::from(dice.byte()) << 1 & 0o377));
            files.push(path);
        }
    }
    for folder in folders.iter().rev() {
        set_mtime(
            folder,
            i64::from(dice.byte()) * 10_000_000,
            u32::from(dice.byte()),
        );
    }
}

struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn byte(&mut self) -> u8 {
        self.0.next().unwrap_or(0)
    }

    fn below(&mut self, limit: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % limit
    }

    fn size(&mut self) -> usize {
        1 << self.below(18)
    }

    /// A name nobody else has (it ends in `index`) with any bytes a name may have before that.
    fn name(&mut self, index: usize) -> OsString {
        let len = self.below(12);
        let mut name: Vec<u8> = (0..len)
            .map(|_| self.byte())
            .filter(|byte| !matches!(byte, 0 | b'/'))
            .collect();
        name.extend_from_slice(format!("{index}").as_bytes());
        OsString::from_vec(name)
    }
}
