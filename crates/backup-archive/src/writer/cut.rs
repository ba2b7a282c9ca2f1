//! Cuts a unit into members where its content changes between what compresses and what does not.

use std::ops::Range;

use crate::codec::Class;

/// An entry within the unit: where it ends, and what its content is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) end: usize,
    pub(super) class: Class,
}

/// A shorter run of what does not compress is compressed along with its neighbours: it costs less than a member of its own.
const SHORTEST_STORED: usize = 32 << 10;
/// A shorter run of what compresses is stored along with its neighbours.
const SHORTEST_COMPRESSED: usize = 8 << 10;

/// Cuts at the ends of entries only. Depends on nothing but the spans.
pub(super) fn cut(spans: &[Span]) -> Vec<(Range<usize>, Class)> {
    let runs = merge_equal(spans.iter().copied());
    let runs = absorb(runs, Class::Incompressible, SHORTEST_STORED);
    let runs = absorb(runs, Class::Compressible, SHORTEST_COMPRESSED);
    let mut start = 0;
    let ranges = runs.into_iter().map(|run| {
        let range = start..run.end;
        start = run.end;
        (range, run.class)
    });
    ranges.collect()
}

fn merge_equal(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut runs: Vec<Span> = Vec::new();
    for span in spans {
        match runs.last_mut() {
            Some(last) if last.class == span.class => last.end = span.end,
            _ => runs.push(span),
        }
    }
    runs
}

/// Turns runs of `class` shorter than `shortest` into the other class, if there is a neighbour to join.
fn absorb(runs: Vec<Span>, class: Class, shortest: usize) -> Vec<Span> {
    if runs.len() == 1 {
        return runs;
    }
    let other = match class {
        Class::Compressible => Class::Incompressible,
        Class::Incompressible => Class::Compressible,
    };
    let mut start = 0;
    let changed = runs.into_iter().map(|run| {
        let len = run.end - start;
        start = run.end;
        if run.class == class && len < shortest {
            Span {
                class: other,
                ..run
            }
        } else {
            run
        }
    });
    merge_equal(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Compressible as C, Incompressible as I};

    fn cut_lengths(lengths: &[(usize, Class)]) -> Vec<(usize, Class)> {
        let mut end = 0;
        let spans: Vec<Span> = lengths
            .iter()
            .map(|&(len, class)| {
                end += len;
                Span { end, class }
            })
            .collect();
        let members = cut(&spans);
        let mut next = 0;
        for (range, _) in &members {
            assert_eq!(range.start, next);
            next = range.end;
        }
        assert_eq!(next, end);
        members
            .into_iter()
            .map(|(range, class)| (range.len(), class))
            .collect()
    }

    #[test]
    fn cuts_where_it_pays() {
        const K: usize = 1024;
        assert_eq!(cut_lengths(&[]), []);
        assert_eq!(cut_lengths(&[(K, I)]), [(K, I)]);
        assert_eq!(cut_lengths(&[(K, C), (K, C)]), [(2 * K, C)]);
        assert_eq!(
            cut_lengths(&[(50 * K, C), (40 * K, I), (9 * K, C)]),
            [(50 * K, C), (40 * K, I), (9 * K, C)]
        );
        assert_eq!(
            cut_lengths(&[(50 * K, C), (31 * K, I), (9 * K, C)]),
            [(90 * K, C)]
        );
        assert_eq!(
            cut_lengths(&[(50 * K, I), (7 * K, C), (50 * K, I)]),
            [(107 * K, I)]
        );
        assert_eq!(
            cut_lengths(&[(20 * K, I), (20 * K, I), (7 * K, C)]),
            [(47 * K, I)]
        );
    }
}
