//! The journal of one placement: JSON lines, appended and synced before what they announce is done.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use backup_archive::extract::Folder;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::error::PlacementError;
use super::folder_state::FolderState;

const NAME: &[u8] = b"journal";
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(super) enum Record {
    /// The first line.
    Begin {
        version: u32,
        target_created: bool,
        before: FolderState,
    },
    /// Part of the plan: a folder that is missing above a selected path.
    Folder(FolderRecord),
    /// Part of the plan: a folder that is there above a selected path, and how it was before.
    Parent(FolderRecord),
    /// Part of the plan: something to swap.
    Child(Child),
    /// The plan is complete and everything staged is on disk. `after` is there when the whole target is replaced: its new metadata.
    Ready { after: Option<FolderState> },
    /// Swapping begins: from here on an interrupted restore is finished, not taken back.
    Swap,
    /// Everything is in place and on disk.
    Placed,
    /// Going back begins.
    Undo,
    /// Everything is back.
    Undone,
    /// The old files are being deleted.
    Forget,
}

/// A folder of the target above a selected path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderRecord {
    #[serde(with = "super::names")]
    pub(super) path: Vec<u8>,
    pub(super) state: FolderState,
}

/// Something that is replaced, added or taken away. The path is relative to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Child {
    #[serde(with = "super::names")]
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Node>,
    pub(super) new: Option<Node>,
}

/// What is known of a file or folder that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Node {
    /// Tells where it is after an interruption.
    pub(super) inode: u64,
    /// Of a folder that must be made writable to be moved: what to set it to afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<u32>,
}

/// How far a placement came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Staging,
    Ready,
    Swapping,
    Placed,
    Undoing,
    Undone,
    Forgetting,
}

/// Everything in a journal but the children, which may be many: those are read again when needed.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) phase: Phase,
    pub(super) target_created: bool,
    /// Metadata of the target before and after; unknown as long as there is no such record.
    pub(super) before: Option<FolderState>,
    pub(super) after: Option<FolderState>,
    /// Folders to make.
    pub(super) folders: Vec<FolderRecord>,
    /// Folders whose time changes because something in them is swapped.
    pub(super) parents: Vec<FolderRecord>,
    pub(super) children: u64,
    pub(super) replaced: u64,
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Journal {
    /// Creates the journal in a new staging folder. The folder is synced by the caller.
    pub(super) fn create(
        area: &Folder,
        area_path: &Path,
        begin: &Record,
    ) -> Result<Self, PlacementError> {
        let path = area_path.join("journal");
        let file = area
            .create_file(NAME)
            .map_err(PlacementError::io("create", &path))?;
        let mut journal = Self {
            file: BufWriter::new(file),
            path,
        };
        journal.commit(begin)?;
        Ok(journal)
    }

    /// Opens an existing one to go on with it; a last line that was cut off by a crash is cut away.
    pub(super) fn open(area: &Folder, area_path: &Path) -> Result<Option<Self>, PlacementError> {
        let path = area_path.join("journal");
        let fd = match area.open_beneath(NAME, OFlags::RDWR | OFlags::APPEND, Mode::empty()) {
            Ok(fd) => fd,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PlacementError::io("open", &path)(error)),
        };
        let file = File::from(fd);
        let whole_lines = whole_lines_len(&file).map_err(PlacementError::io("read", &path))?;
        file.set_len(whole_lines)
            .map_err(PlacementError::io("cut", &path))?;
        Ok(Some(Self {
            file: BufWriter::new(file),
            path,
        }))
    }

    /// Appends a line, in memory until [`Journal::commit`].
    pub(super) fn write(&mut self, record: &Record) -> Result<(), PlacementError> {
        let written = serde_json::to_writer(&mut self.file, record)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(PlacementError::io("write", &self.path))
    }

    /// Appends a line and waits until it is on disk, with all before it.
    pub(super) fn commit(&mut self, record: &Record) -> Result<(), PlacementError> {
        self.write(record)?;
        let synced = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(PlacementError::io("sync", &self.path))
    }

    /// Reads the journal as far as it goes.
    pub(super) fn summary(&self) -> Result<Summary, PlacementError> {
        let mut summary = Summary::default();
        for record in self.records()? {
            match record? {
                Record::Begin {
                    version: VERSION,
                    target_created,
                    before,
                } => {
                    (summary.target_created, summary.before) = (target_created, Some(before));
                }
                Record::Begin { version, .. } => {
                    return Err(
                        self.damaged(1, format!("version {version} is newer than {VERSION}"))
                    );
                }
                Record::Folder(folder) => summary.folders.push(folder),
                Record::Parent(folder) => summary.parents.push(folder),
                Record::Child(child) => {
                    summary.children += 1;
                    summary.replaced += u64::from(child.old.is_some());
                }
                Record::Ready { after } => (summary.phase, summary.after) = (Phase::Ready, after),
                Record::Swap => summary.phase = Phase::Swapping,
                Record::Placed => summary.phase = Phase::Placed,
                Record::Undo => summary.phase = Phase::Undoing,
                Record::Undone => summary.phase = Phase::Undone,
                Record::Forget => summary.phase = Phase::Forgetting,
            }
        }
        Ok(summary)
    }

    /// The children of the plan, in order, without holding all of them.
    pub(super) fn children(
        &self,
    ) -> Result<impl Iterator<Item = Result<Child, PlacementError>>, PlacementError> {
        Ok(self.records()?.filter_map(|record| match record {
            Ok(Record::Child(child)) => Some(Ok(child)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }))
    }

    fn records(
        &self,
    ) -> Result<impl Iterator<Item = Result<Record, PlacementError>>, PlacementError> {
        let file = File::open(&self.path).map_err(PlacementError::io("open", &self.path))?;
        let mut number = 0;
        Ok(BufReader::new(file).split(b'\n').map(move |line| {
            number += 1;
            let line = line.map_err(PlacementError::io("read", &self.path))?;
            serde_json::from_slice(&line).map_err(|error| self.damaged(number, error.to_string()))
        }))
    }

    fn damaged(&self, line: u64, reason: String) -> PlacementError {
        PlacementError::Journal {
            path: self.path.clone(),
            line,
            reason,
        }
    }
}

/// Length up to and with the last line feed.
fn whole_lines_len(file: &File) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut len, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(len);
        }
        len += read as u64;
    }
}
