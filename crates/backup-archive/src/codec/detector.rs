//! Tells from a sample whether content shrinks when compressed. Most of a document store does not: PDF, DOCX, JPEG.

/// What the detector says of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Compressible,
    Incompressible,
}

/// Samples are this many pieces of this length, spread over the content: the beginning alone misleads.
const SAMPLE_PIECES: usize = 4;
const SAMPLE_PIECE_LEN: usize = 4 << 10;
/// Contents below are not worth a decision.
const SMALLEST: usize = 4 << 10;
/// Below so many bits per byte, entropy coding alone pays. Found to miss almost nothing, base64 included.
const LOW_ENTROPY_BITS: f32 = 7.6;
/// Or if matching alone saves so much, whatever the entropy.
const LZ_RATIO_PERCENT: usize = 97;

/// Classifies contents; each worker has its own.
pub(crate) struct Detector {
    sample: Vec<u8>,
    scratch: Vec<u8>,
}

impl Detector {
    pub(crate) fn new() -> Self {
        let sample_len = SAMPLE_PIECES * SAMPLE_PIECE_LEN;
        Self {
            sample: Vec::with_capacity(sample_len),
            scratch: vec![0; lz4_flex::block::get_maximum_output_size(sample_len)],
        }
    }

    /// Depends on the content alone.
    pub(crate) fn classify(&mut self, content: &[u8]) -> Class {
        if content.len() < SMALLEST {
            return Class::Compressible;
        }
        self.take_sample(content);
        if entropy_bits(&self.sample) < LOW_ENTROPY_BITS || self.has_matches() {
            Class::Compressible
        } else {
            Class::Incompressible
        }
    }

    fn take_sample(&mut self, content: &[u8]) {
        self.sample.clear();
        if content.len() <= SAMPLE_PIECES * SAMPLE_PIECE_LEN {
            self.sample.extend_from_slice(content);
            return;
        }
        let last = content.len() - SAMPLE_PIECE_LEN;
        for piece in 0..SAMPLE_PIECES {
            let start = last * piece / (SAMPLE_PIECES - 1);
            self.sample
                .extend_from_slice(&content[start..start + SAMPLE_PIECE_LEN]);
        }
    }

    fn has_matches(&mut self) -> bool {
        let len =
            lz4_flex::block::compress_into(&self.sample, &mut self.scratch).unwrap_or(usize::MAX);
        len < self.sample.len() * LZ_RATIO_PERCENT / 100
    }
}

/// Entropy of the bytes taken one by one, in bits.
fn entropy_bits(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f32;
    let weighted = counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| count as f32 * (count as f32).log2());
    total.log2() - weighted.sum::<f32>() / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn tells_noise_from_text() {
        let mut detector = Detector::new();
        assert_eq!(detector.classify(&noise(100_000)), Class::Incompressible);
        assert_eq!(detector.classify(&noise(SMALLEST)), Class::Incompressible);
        assert_eq!(detector.classify(&[0; 100_000]), Class::Compressible);
        assert_eq!(
            detector.classify(&b"the quick brown fox ".repeat(1000)),
            Class::Compressible
        );
        let base64: Vec<u8> = noise(50_000).iter().map(|byte| b' ' + byte % 64).collect();
        assert_eq!(
            detector.classify(&base64),
            Class::Compressible,
            "high entropy for text, low for compression"
        );
        assert_eq!(
            detector.classify(&noise(10_000).repeat(2)[..16_384]),
            Class::Compressible,
            "repeats itself"
        );
        assert_eq!(detector.classify(b"short"), Class::Compressible);
    }
}
