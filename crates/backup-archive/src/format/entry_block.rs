//! Blocks of entries: paths share the beginning of the path before, owners and times refer to the entry before.

use super::Malformed;
use super::varint::{Reader, put_bytes, put_signed, put_varint};
use crate::tar::{BLOCK, MAX_HEADER_LEN, padded};
use crate::{ArchivePath, Digest, Entry, EntryKind, Location, Metadata, Origin, Timestamp};

const KIND_MASK: u8 = 0b111;
const KIND_FILE: u8 = 0;
const KIND_DIRECTORY: u8 = 1;
const KIND_SYMLINK: u8 = 2;
const KIND_HARD_LINK: u8 = 3;
const SPARSE: u8 = 1 << 3;
const HAS_DIGEST: u8 = 1 << 4;
const ELSEWHERE: u8 = 1 << 5;
const SAME_OWNER: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// A block holds no more entries than this, whatever its length: each takes more memory than it takes bytes.
const MAX_ENTRIES: u64 = 1 << 16;
/// The paths of a block together: they share their beginnings, so that few bytes can mean many.
const MAX_PATH_BYTES: usize = 16 << 20;
/// When paths sum up to so much, a block is full.
const FULL_PATH_BYTES: usize = 4 << 20;
/// The longest name of an owner.
const MAX_NAME_LEN: usize = 256;

const EXTENSION_XATTRS: u64 = 1;
const EXTENSION_ORIGIN: u64 = 2;
const EXTENSION_STORED_AS: u64 = 3;

/// Collects the entries of one block of the table of contents.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryBlockBuilder {
    bytes: Vec<u8>,
    count: u64,
    path_bytes: usize,
    first_tar_offset: u64,
    range: Option<(ArchivePath, ArchivePath)>,
    previous: Previous,
}

/// What an entry may refer to: the one before it in the block.
#[derive(Debug, Clone, Default)]
struct Previous {
    path: Vec<u8>,
    owner: (u32, u32, Vec<u8>, Vec<u8>),
    seconds: i64,
}

impl EntryBlockBuilder {
    /// Appends an entry whose headers begin at `tar_offset`, or would if they were in this archive.
    pub(crate) fn push(&mut self, entry: &Entry, tar_offset: u64) {
        if self.count == 0 {
            self.first_tar_offset = tar_offset;
        }
        self.count += 1;
        self.path_bytes += entry.path.as_bytes().len();
        if let Location::Elsewhere {
            stored_as: Some(path),
            ..
        } = &entry.location
        {
            self.path_bytes += path.as_bytes().len();
        }
        self.widen_range(&entry.path);
        let owner = owner_of(&entry.metadata);
        let extensions = encode_extensions(entry);
        let is_same_owner = owner == self.previous.owner;
        self.put_path(&entry.path);
        let out = &mut self.bytes;
        out.push(flags_of(entry, is_same_owner, !extensions.is_empty()));
        put_varint(out, entry.metadata.mode.into());
        if !is_same_owner {
            put_varint(out, owner.0.into());
            put_varint(out, owner.1.into());
            put_bytes(out, &owner.2);
            put_bytes(out, &owner.3);
            self.previous.owner = owner;
        }
        let mtime = entry.metadata.mtime;
        put_signed(out, mtime.seconds.wrapping_sub(self.previous.seconds));
        put_varint(out, mtime.nanoseconds.into());
        self.previous.seconds = mtime.seconds;
        match &entry.kind {
            EntryKind::File => put_varint(out, entry.size),
            EntryKind::Directory => {}
            EntryKind::Symlink { target } => put_bytes(out, target),
            EntryKind::HardLink { target } => put_bytes(out, target.as_bytes()),
        }
        if let Some(digest) = &entry.digest {
            out.extend_from_slice(digest.as_bytes());
        }
        match entry.location {
            Location::Here { header_len, .. } => {
                put_varint(out, u64::from(header_len) / BLOCK as u64)
            }
            Location::Elsewhere { archive, .. } => put_varint(out, archive.into()),
        }
        if !extensions.is_empty() {
            put_bytes(out, &extensions);
        }
    }

    /// Whether the block should be closed, being `len` bytes long or hard on the memory of readers.
    pub(crate) fn is_full(&self, len: usize) -> bool {
        self.bytes.len() >= len
            || self.path_bytes >= FULL_PATH_BYTES
            || self.count >= MAX_ENTRIES / 4
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn first_tar_offset(&self) -> u64 {
        self.first_tar_offset
    }

    /// The least and the greatest path of the block.
    pub(crate) fn range(&self) -> Option<&(ArchivePath, ArchivePath)> {
        self.range.as_ref()
    }

    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }

    fn widen_range(&mut self, path: &ArchivePath) {
        match &mut self.range {
            None => self.range = Some((path.clone(), path.clone())),
            Some((least, _)) if path < least => *least = path.clone(),
            Some((_, greatest)) if path > greatest => *greatest = path.clone(),
            Some(_) => {}
        }
    }

    fn put_path(&mut self, path: &ArchivePath) {
        let path = path.as_bytes();
        let previous = &mut self.previous.path;
        let shared = previous
            .iter()
            .zip(path)
            .take_while(|(a, b)| a == b)
            .count();
        put_varint(&mut self.bytes, shared as u64);
        put_bytes(&mut self.bytes, &path[shared..]);
        previous.truncate(shared);
        previous.extend_from_slice(&path[shared..]);
    }
}

fn owner_of(metadata: &Metadata) -> (u32, u32, Vec<u8>, Vec<u8>) {
    (
        metadata.uid,
        metadata.gid,
        metadata.user.clone(),
        metadata.group.clone(),
    )
}

fn flags_of(entry: &Entry, is_same_owner: bool, has_extensions: bool) -> u8 {
    let kind = match entry.kind {
        EntryKind::File => KIND_FILE,
        EntryKind::Directory => KIND_DIRECTORY,
        EntryKind::Symlink { .. } => KIND_SYMLINK,
        EntryKind::HardLink { .. } => KIND_HARD_LINK,
    };
    let is_elsewhere = matches!(entry.location, Location::Elsewhere { .. });
    [
        (entry.metadata.sparse, SPARSE),
        (entry.digest.is_some(), HAS_DIGEST),
        (is_elsewhere, ELSEWHERE),
        (is_same_owner, SAME_OWNER),
        (has_extensions, HAS_EXTENSIONS),
    ]
    .iter()
    .fold(
        kind,
        |flags, &(is_set, flag)| if is_set { flags | flag } else { flags },
    )
}

fn encode_extensions(entry: &Entry) -> Vec<u8> {
    let metadata = &entry.metadata;
    let mut out = Vec::new();
    if !metadata.xattrs.is_empty() {
        let mut body = Vec::new();
        for (name, value) in &metadata.xattrs {
            put_bytes(&mut body, name);
            put_bytes(&mut body, value);
        }
        put_varint(&mut out, EXTENSION_XATTRS);
        put_bytes(&mut out, &body);
    }
    if let Some(origin) = metadata.origin {
        let mut body = Vec::new();
        put_signed(&mut body, origin.ctime.seconds);
        put_varint(&mut body, origin.ctime.nanoseconds.into());
        put_varint(&mut body, origin.inode);
        put_varint(&mut out, EXTENSION_ORIGIN);
        put_bytes(&mut out, &body);
    }
    if let Location::Elsewhere {
        stored_as: Some(path),
        ..
    } = &entry.location
    {
        put_varint(&mut out, EXTENSION_STORED_AS);
        put_bytes(&mut out, path.as_bytes());
    }
    out
}

/// Decodes a block of `count` entries; the first that is in this archive begins at `tar_offset`, each other where the one before ends.
pub(crate) fn decode_entry_block(
    bytes: &[u8],
    count: u64,
    mut tar_offset: u64,
) -> Result<Vec<Entry>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut previous = Previous::default();
    let mut entries = Vec::new();
    let mut path_bytes = 0;
    if count > MAX_ENTRIES {
        return Err(Malformed);
    }
    while !reader.is_empty() {
        let entry = decode_entry(&mut reader, &mut previous, tar_offset)?;
        if let Location::Here { header_len, .. } = entry.location {
            let len = padded(entry.size)
                .checked_add(header_len.into())
                .ok_or(Malformed)?;
            tar_offset = tar_offset.checked_add(len).ok_or(Malformed)?;
        }
        path_bytes += entry.path.as_bytes().len();
        if let Location::Elsewhere {
            stored_as: Some(path),
            ..
        } = &entry.location
        {
            path_bytes += path.as_bytes().len();
        }
        entries.push(entry);
        if path_bytes > MAX_PATH_BYTES || entries.len() as u64 > count {
            return Err(Malformed);
        }
    }
    if entries.len() as u64 == count {
        Ok(entries)
    } else {
        Err(Malformed)
    }
}

fn decode_entry(
    reader: &mut Reader<'_>,
    previous: &mut Previous,
    tar_offset: u64,
) -> Result<Entry, Malformed> {
    let shared = usize::try_from(reader.varint()?).map_err(|_| Malformed)?;
    if shared > previous.path.len() {
        return Err(Malformed);
    }
    previous.path.truncate(shared);
    previous.path.extend_from_slice(reader.bytes()?);
    let path = ArchivePath::new(&previous.path).map_err(|_| Malformed)?;
    let flags = reader.byte()?;
    let mode = reader.u32()?;
    if flags & SAME_OWNER == 0 {
        previous.owner = (
            reader.u32()?,
            reader.u32()?,
            owner_name(reader)?,
            owner_name(reader)?,
        );
    }
    let (uid, gid, user, group) = previous.owner.clone();
    previous.seconds = previous.seconds.wrapping_add(reader.signed()?);
    let mtime = Timestamp {
        seconds: previous.seconds,
        nanoseconds: nanoseconds(reader)?,
    };
    let mut size = 0;
    let kind = match flags & KIND_MASK {
        KIND_FILE => {
            size = reader.varint()?;
            EntryKind::File
        }
        KIND_DIRECTORY => EntryKind::Directory,
        KIND_SYMLINK => EntryKind::Symlink {
            target: reader.bytes()?.to_vec(),
        },
        KIND_HARD_LINK => EntryKind::HardLink {
            target: ArchivePath::new(reader.bytes()?).map_err(|_| Malformed)?,
        },
        _ => return Err(Malformed),
    };
    let digest = if flags & HAS_DIGEST == 0 {
        None
    } else {
        Some(Digest::from(reader.array()?))
    };
    let mut location = if flags & ELSEWHERE == 0 {
        Location::Here {
            offset: tar_offset,
            header_len: header_len(reader)?,
        }
    } else {
        Location::Elsewhere {
            archive: reader.u32()?,
            stored_as: None,
        }
    };
    let sparse = flags & SPARSE != 0;
    let mut metadata = Metadata {
        mode,
        uid,
        gid,
        user,
        group,
        mtime,
        xattrs: Vec::new(),
        sparse,
        origin: None,
    };
    if flags & HAS_EXTENSIONS != 0 {
        decode_extensions(reader.bytes()?, &mut metadata, &mut location)?;
    }
    if mode > 0o7777 {
        return Err(Malformed);
    }
    Ok(Entry {
        path,
        kind,
        metadata,
        size,
        digest,
        location,
    })
}

fn owner_name(reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let name = reader.bytes()?;
    if name.len() <= MAX_NAME_LEN {
        Ok(name.to_vec())
    } else {
        Err(Malformed)
    }
}

fn header_len(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    let blocks = reader.u32()?;
    let is_possible = blocks > 0 && blocks as usize <= 3 + MAX_HEADER_LEN / BLOCK;
    if is_possible {
        Ok(blocks * BLOCK as u32)
    } else {
        Err(Malformed)
    }
}

fn nanoseconds(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    let value = reader.u32()?;
    if value < 1_000_000_000 {
        Ok(value)
    } else {
        Err(Malformed)
    }
}

/// Extensions of unknown kinds are skipped: those that a reader must understand set a required feature in the footer.
fn decode_extensions(
    bytes: &[u8],
    metadata: &mut Metadata,
    location: &mut Location,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let kind = reader.varint()?;
        let mut body = Reader::new(reader.bytes()?);
        match kind {
            EXTENSION_XATTRS => {
                while !body.is_empty() {
                    metadata
                        .xattrs
                        .push((body.bytes()?.to_vec(), body.bytes()?.to_vec()));
                }
            }
            EXTENSION_ORIGIN => {
                let ctime = Timestamp {
                    seconds: body.signed()?,
                    nanoseconds: nanoseconds(&mut body)?,
                };
                metadata.origin = Some(Origin {
                    ctime,
                    inode: body.varint()?,
                });
            }
            EXTENSION_STORED_AS => match location {
                Location::Elsewhere { stored_as, .. } => {
                    let path = ArchivePath::new(body.rest()).map_err(|_| Malformed)?;
                    *stored_as = Some(path);
                }
                Location::Here { .. } => return Err(Malformed),
            },
            _ => {}
        }
    }
    Ok(())
}
