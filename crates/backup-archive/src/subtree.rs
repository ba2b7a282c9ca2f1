//! BLAKE3 digests of long contents, put together from segments that were hashed apart.

use blake3::Hasher;
use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};

use crate::Digest;

/// Hash of one segment. `offset` is a multiple of the length of the segments before, which is a power of two of at least 1024 and the
/// same for all but the last; and there is more than one segment.
pub(crate) fn hash_segment(offset: u64, segment: &[u8]) -> ChainingValue {
    Hasher::new()
        .set_input_offset(offset)
        .update(segment)
        .finalize_non_root()
}

/// Whether contents cut into segments of this length can be hashed by [`hash_segment`].
pub(crate) fn is_segment_len(len: u64) -> bool {
    len.is_power_of_two() && len >= blake3::CHUNK_LEN as u64
}

/// Takes the hashes of all segments in order, and keeps one per level of the tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct SegmentHashes {
    stack: Vec<ChainingValue>,
    count: u64,
}

impl SegmentHashes {
    pub(crate) fn push(&mut self, segment: ChainingValue) {
        // Only now is it known that the segments before are not the end, so that those of full subtrees may be merged.
        while self.stack.len() > self.count.count_ones() as usize {
            self.merge_last();
        }
        self.stack.push(segment);
        self.count += 1;
    }

    /// Digest of the whole; `None` of fewer than two segments, which are not hashed this way.
    pub(crate) fn finish(mut self) -> Option<Digest> {
        while self.stack.len() > 2 {
            self.merge_last();
        }
        match self.stack.as_slice() {
            [left, right] => Some(merge_subtrees_root(left, right, Mode::Hash).into()),
            _ => None,
        }
    }

    fn merge_last(&mut self) {
        if let (Some(right), Some(left)) = (self.stack.pop(), self.stack.pop()) {
            self.stack
                .push(merge_subtrees_non_root(&left, &right, Mode::Hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_give_the_digest_of_the_whole() {
        let content: Vec<u8> = (0..40 * 1024_u32 + 17)
            .map(|index| (index / 7) as u8)
            .collect();
        for segment_len in [1024, 4096] {
            for len in (segment_len + 1..content.len())
                .step_by(991)
                .chain([2 * segment_len, 8 * segment_len])
            {
                let content = &content[..len];
                let mut hashes = SegmentHashes::default();
                for (index, segment) in content.chunks(segment_len).enumerate() {
                    hashes.push(hash_segment((index * segment_len) as u64, segment));
                }
                assert_eq!(
                    hashes.finish(),
                    Some(Digest::of(content)),
                    "{len} bytes in segments of {segment_len}"
                );
            }
        }
    }
}
