//! The records of format version 1, as `docs/archive-format.md` defines them.

mod entry_block;
mod footer;
mod index;
mod member;
mod varint;

pub(crate) use entry_block::{EntryBlockBuilder, decode_entry_block};
pub(crate) use footer::{FOOTER_PAYLOAD_LEN, Footer, FooterError};
pub(crate) use index::{Block, BlockKind, Index};
pub(crate) use member::{Member, MemberBlockBuilder, MemberHeader, decode_member_block};
pub(crate) use varint::{Reader, put_bytes};

/// The format that this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u16 = 1;

/// Path of the entry that holds the table of contents: always the last one.
pub const CONTENTS_PATH: &str = ".edms-backup/contents";

/// The most bytes of the tar stream that one member may hold.
pub(crate) const MAX_MEMBER_LEN: u32 = 16 << 20;

/// A record does not follow the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;
