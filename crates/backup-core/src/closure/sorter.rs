//! Sorting more than fits into memory: sorted runs in nameless temporary files, merged when they are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes that are sorted in memory.
const RUN_BYTES: usize = 16 << 20;
/// What a record costs besides its bytes.
const OVERHEAD: usize = 64;

/// A key, and what belongs to it.
pub(super) type Record = (Vec<u8>, Vec<u8>);

/// Takes records in any order and gives them back sorted by key; records with one key come in the order in which they were put.
#[derive(Debug)]
pub(super) struct Sorter {
    folder: PathBuf,
    limit: usize,
    records: Vec<Record>,
    bytes: usize,
    runs: Vec<File>,
}

impl Sorter {
    /// A sorter with its temporary files in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            limit: RUN_BYTES,
            records: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, key: Vec<u8>, payload: Vec<u8>) -> io::Result<()> {
        self.bytes += key.len() + payload.len() + OVERHEAD;
        self.records.push((key, payload));
        if self.bytes >= self.limit {
            self.spill()?;
        }
        Ok(())
    }

    fn sort(&mut self) -> Vec<Record> {
        // Stable, so that records with one key stay in order.
        self.records.sort_by(|a, b| a.0.cmp(&b.0));
        self.bytes = 0;
        std::mem::take(&mut self.records)
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut writer = BufWriter::new(tempfile::tempfile_in(&self.folder)?);
        for (key, payload) in self.sort() {
            for part in [&key, &payload] {
                writer.write_all(&(part.len() as u64).to_le_bytes())?;
                writer.write_all(part)?;
            }
        }
        let mut file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// Every record, in order.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        let last = self.sort();
        let mut sources: Vec<Source> = self
            .runs
            .into_iter()
            .map(|file| Source::File(BufReader::new(file)))
            .collect();
        sources.push(Source::Memory(last.into_iter()));
        let mut heap = BinaryHeap::new();
        for (index, source) in sources.iter_mut().enumerate() {
            if let Some((key, payload)) = source.next()? {
                heap.push(Reverse((key, index, payload)));
            }
        }
        Ok(Sorted { sources, heap })
    }
}

/// The records of a sorter, in order.
#[derive(Debug)]
pub(super) struct Sorted {
    sources: Vec<Source>,
    /// The next record of each source. Earlier runs come first among equal keys.
    heap: BinaryHeap<Reverse<Next>>,
}

/// Key, number of the source, payload.
type Next = (Vec<u8>, usize, Vec<u8>);

#[derive(Debug)]
enum Source {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<Record>),
}

impl Sorted {
    /// The key that comes next.
    pub(super) fn peek(&self) -> Option<&[u8]> {
        self.heap.peek().map(|Reverse((key, _, _))| key.as_slice())
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(Reverse((key, index, payload))) = self.heap.pop() else {
            return Ok(None);
        };
        if let Some((key, payload)) = self.sources[index].next()? {
            self.heap.push(Reverse((key, index, payload)));
        }
        Ok(Some((key, payload)))
    }
}

impl Source {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Memory(records) => Ok(records.next()),
            Self::File(reader) => {
                let Some(key) = read_part(reader)? else {
                    return Ok(None);
                };
                let payload = read_part(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                Ok(Some((key, payload)))
            }
        }
    }
}

fn read_part(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match reader.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut part = vec![0; u64::from_le_bytes(length) as usize];
    reader.read_exact(&mut part)?;
    Ok(Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_more_than_it_holds_and_keeps_the_order_of_equals() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path());
        sorter.limit = 2_000;
        let mut expected = Vec::new();
        for number in 0..500_u32 {
            let key = format!("{:03}", (number * 7919) % 101).into_bytes();
            let payload = number.to_be_bytes().to_vec();
            expected.push((key.clone(), payload.clone()));
            sorter.put(key, payload).unwrap();
        }
        assert!(
            sorter.runs.len() > 5,
            "it spilled {} runs",
            sorter.runs.len()
        );
        expected.sort();
        let mut sorted = sorter.finish().unwrap();
        let mut got = Vec::new();
        while let Some(record) = sorted.next().unwrap() {
            got.push(record);
        }
        assert_eq!(got, expected);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
