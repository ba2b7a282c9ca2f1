//! How the rows of all tables are shared out among connections.

use crate::TableInfo;

/// A table, or a range of its pages: what one `COPY` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) table: usize,
    pub(crate) number: u32,
    /// A condition on `ctid`; none: the whole table.
    pub(crate) range: Option<String>,
}

/// Cuts tables larger than `part_bytes` into ranges of pages of about that size.
///
/// The order is that of reading: parts of large tables first, so that no connection is left with one at the end.
pub(crate) fn plan(tables: &[TableInfo], part_bytes: u64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        // A heap without pages has no rows; other access methods may keep theirs elsewhere.
        if table.heap && table.pages == 0 {
            continue;
        }
        let count = if table.heap && table.condition.is_none() {
            table
                .bytes
                .div_ceil(part_bytes.max(1))
                .clamp(1, table.pages)
        } else {
            1
        };
        for number in 0..count {
            parts.push(Part {
                table: index,
                number: u32::try_from(number).unwrap_or(u32::MAX),
                range: (count > 1).then(|| range(table.pages, number, count)),
            });
        }
    }
    parts.sort_by_key(|part| {
        (
            std::cmp::Reverse(tables[part.table].bytes),
            part.table,
            part.number,
        )
    });
    parts
}

/// Pages of part `number` of `count`; the last has no end, as the table may have grown since its size was asked.
fn range(pages: u64, number: u64, count: u64) -> String {
    let bound = |number: u64| pages * number / count;
    let from = format!("ctid >= '({},0)'", bound(number));
    if number + 1 == count {
        from
    } else {
        format!("{from} AND ctid < '({},0)'", bound(number + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: u64, pages: u64) -> TableInfo {
        TableInfo {
            oid: 0,
            schema: "s".into(),
            name: "t".into(),
            columns: vec![],
            bytes,
            rows: 0,
            pages,
            heap: true,
            condition: None,
        }
    }

    #[test]
    fn ranges_meet_and_the_last_is_open() {
        let parts = plan(&[table(100, 10)], 40);
        let ranges: Vec<_> = parts
            .iter()
            .map(|part| part.range.as_deref().unwrap())
            .collect();
        assert_eq!(
            ranges,
            [
                "ctid >= '(0,0)' AND ctid < '(3,0)'",
                "ctid >= '(3,0)' AND ctid < '(6,0)'",
                "ctid >= '(6,0)'"
            ]
        );
    }

    #[test]
    fn small_and_odd_tables() {
        assert_eq!(plan(&[table(0, 0)], 40), []);
        assert_eq!(plan(&[table(30, 3)], 40)[0].range, None);
        // One page with much behind it in TOAST cannot be cut.
        assert_eq!(plan(&[table(1000, 1)], 40)[0].range, None);
        let other = TableInfo {
            heap: false,
            ..table(0, 0)
        };
        assert_eq!(plan(&[other], 40).len(), 1);
        let order: Vec<usize> = plan(&[table(30, 3), table(100, 10)], 40)
            .iter()
            .map(|part| part.table)
            .collect();
        assert_eq!(order, [1, 1, 1, 0]);
    }
}
