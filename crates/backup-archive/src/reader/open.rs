//! Opens an archive by its footer.

use std::sync::Arc;

use super::table::{Table, damaged, decode_contents_member};
use super::{ArchiveReader, Layout, ScanDamage};
use crate::codec::{Codec, MAX_FOOTER_FROM_END};
use crate::format::{BlockKind, FORMAT_VERSION, Footer, FooterError, Index, MAX_MEMBER_LEN};
use crate::source::read_exact_at;
use crate::writer::{contents_headers, contents_size, tail};
use crate::{Digest, Limits, ReadError, Source};

/// The longest that the end of the tar stream can be in the file, whatever compresses it.
const MAX_TAIL_LEN: u64 = 4096;

pub(super) fn open(source: Arc<dyn Source>, limits: Limits) -> Result<ArchiveReader, ReadError> {
    let (footer, footer_offset) = find_footer(source.as_ref())?;
    check_places(&footer, footer_offset, &limits)?;
    let index = read_index(source.as_ref(), &footer, footer_offset)?;
    if index.entry_count() > limits.entries {
        return Err(ReadError::Limit {
            what: "entries",
            max: limits.entries,
        });
    }
    let Footer {
        codec,
        contents_offset,
        contents_tar_offset,
        ..
    } = footer;
    let table = Table::new(
        Arc::clone(&source),
        codec,
        index.blocks,
        contents_offset,
        contents_tar_offset,
        limits.path_bytes,
    )?;
    let layout = Layout::Members {
        codec,
        end: Some((contents_offset, contents_tar_offset)),
    };
    Ok(ArchiveReader {
        source,
        layout,
        table,
        damage: ScanDamage::default(),
        table_damage: None,
    })
}

/// What kind of container a file begins with.
pub(super) fn sniff(source: &dyn Source) -> Result<Option<Codec>, ReadError> {
    let mut start = [0; 512];
    let len = source.len().min(start.len() as u64) as usize;
    read_exact_at(source, &mut start[..len], 0)
        .map_err(|source| ReadError::Io { offset: 0, source })?;
    Ok(match &start {
        [0x1f, 0x8b, ..] => Some(Codec::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Codec::Zstd),
        _ if start[257..262] == *b"ustar" => Some(Codec::Plain),
        _ => None,
    })
}

fn find_footer(source: &dyn Source) -> Result<(Footer, u64), ReadError> {
    let file_len = source.len();
    let tail_len = file_len.min(MAX_FOOTER_FROM_END as u64);
    let tail_offset = file_len - tail_len;
    let mut tail = vec![0; tail_len as usize];
    read_exact_at(source, &mut tail, tail_offset).map_err(|source| ReadError::Io {
        offset: tail_offset,
        source,
    })?;
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Plain] {
        match codec.decode_footer(&tail) {
            Ok(footer) => return Ok((footer, file_len - codec.footer_place().from_end as u64)),
            Err(FooterError::Missing) => {}
            Err(FooterError::Damaged) => return Err(damaged("the footer is not what was written")),
            Err(FooterError::Version(found)) => {
                return Err(ReadError::UnsupportedVersion {
                    found,
                    newest_known: FORMAT_VERSION,
                });
            }
            Err(FooterError::Features(bits)) => {
                return Err(ReadError::UnsupportedFeatures { bits });
            }
        }
    }
    Err(if sniff(source)?.is_some() {
        ReadError::NoFooter
    } else {
        ReadError::NotAnArchive
    })
}

/// Holds what the footer claims against the file and the limits, before anything is allocated for it.
fn check_places(footer: &Footer, footer_offset: u64, limits: &Limits) -> Result<(), ReadError> {
    let index_end = footer
        .index_offset
        .checked_add(footer.index_stored_len.into());
    let is_in_order = footer.contents_offset <= footer.index_offset
        && index_end.is_some_and(|end| end <= footer_offset && footer_offset - end <= MAX_TAIL_LEN)
        && footer.contents_tar_offset.is_multiple_of(512);
    if !is_in_order {
        return Err(damaged("the footer points outside the file"));
    }
    if u64::from(footer.index_plain_len) > limits.index_bytes {
        return Err(ReadError::Limit {
            what: "bytes in its index",
            max: limits.index_bytes,
        });
    }
    if footer.contents_tar_offset > limits.content_bytes {
        return Err(ReadError::Limit {
            what: "bytes of content",
            max: limits.content_bytes,
        });
    }
    Ok(())
}

/// Reads the index, and checks all that other readers see of the table of contents: its headers, and the end of the tar stream.
fn read_index(
    source: &dyn Source,
    footer: &Footer,
    footer_offset: u64,
) -> Result<Index, ReadError> {
    let Footer {
        codec,
        index_offset,
        index_stored_len,
        index_plain_len,
        ..
    } = *footer;
    let mut stored = vec![0; (footer_offset - index_offset) as usize];
    read_exact_at(source, &mut stored, index_offset).map_err(|source| ReadError::Io {
        offset: index_offset,
        source,
    })?;
    if Digest::of(&stored) != footer.digest {
        return Err(damaged("the index is not what was written"));
    }
    let (index_stored, tail_stored) = stored.split_at(index_stored_len as usize);
    // Where the index is in the tar stream, only the index tells: its header is checked below.
    let plain = decode_index(codec, index_stored, index_plain_len)
        .ok_or(damaged("the index does not decode"))?;
    let index = Index::decode(&plain).map_err(|_| damaged("the index is malformed"))?;

    let stored_len = index
        .blocks
        .iter()
        .map(|block| u64::from(block.stored_len))
        .fold(0, u64::saturating_add);
    let plain_len = index
        .blocks
        .iter()
        .map(|block| u64::from(block.plain_len))
        .fold(0, u64::saturating_add);
    let is_header = |kind: &BlockKind| matches!(kind, BlockKind::TarHeader);
    let (first, others) = index
        .blocks
        .split_first()
        .ok_or(damaged("the index is empty"))?;
    if !is_header(&first.kind)
        || others.iter().any(|block| is_header(&block.kind))
        || footer.contents_offset.checked_add(stored_len) != Some(index_offset)
    {
        return Err(damaged("the index does not add up"));
    }
    let index_tar_offset = footer.contents_tar_offset.saturating_add(plain_len);
    let size = contents_size(codec, &index.blocks, index_plain_len.into());
    let tail_plain = tail(codec, &index.blocks, index_plain_len.into());
    let tail_offset = index_tar_offset.saturating_add(index_plain_len.into());
    let has_right_header =
        decode_contents_member(codec, index_stored, index_tar_offset, index_plain_len, None)
            .is_some();
    let has_right_tail = match tail_plain.len() {
        0 => tail_stored.is_empty(),
        len => {
            decode_contents_member(codec, tail_stored, tail_offset, len as u32, None).as_deref()
                == Some(&tail_plain[..])
        }
    };
    if !has_right_header || !has_right_tail {
        return Err(damaged("the end of the archive is not as it must be"));
    }
    check_tar_header(source, footer, first, size)?;
    Ok(index)
}

fn decode_index(codec: Codec, stored: &[u8], plain_len: u32) -> Option<Vec<u8>> {
    if codec == Codec::Plain {
        return Some(stored.to_vec());
    }
    let header = codec.decode_header(stored)?;
    decode_contents_member(codec, stored, header.tar_offset, plain_len, None)
}

fn check_tar_header(
    source: &dyn Source,
    footer: &Footer,
    block: &crate::format::Block,
    size: u64,
) -> Result<(), ReadError> {
    let Footer {
        codec,
        contents_offset,
        contents_tar_offset,
        ..
    } = *footer;
    debug_assert!(
        block.plain_len <= MAX_MEMBER_LEN,
        "the index was held against it"
    );
    let mut stored = vec![0; block.stored_len as usize];
    read_exact_at(source, &mut stored, contents_offset).map_err(|source| ReadError::Io {
        offset: contents_offset,
        source,
    })?;
    let header = decode_contents_member(
        codec,
        &stored,
        contents_tar_offset,
        block.plain_len,
        Some(&block.digest),
    );
    if header.is_none_or(|header| header != contents_headers(size)) {
        return Err(damaged("its tar header is not what was written"));
    }
    Ok(())
}
