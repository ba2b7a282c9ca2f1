//! Which records of a dump belong to the tables and schemas that were asked for.

use std::collections::{BTreeSet, HashSet};

use super::error::RestoreError;
use super::options::RestoreOptions;
use crate::{ObjectKind, Record, TableName};

/// Where the selected objects go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// There is nothing but them.
    Empty,
    /// Among others, which may have what they need.
    InUse,
}

/// What of a dump is restored.
pub(crate) struct Selection<'a> {
    records: &'a [Record],
    chosen: HashSet<usize>,
    /// Tables with their rows; none: all.
    tables: Option<HashSet<(&'a str, &'a str)>>,
}

impl<'a> Selection<'a> {
    /// Selects the tables and schemas of the options, with everything that these need; everything, when there are none.
    ///
    /// What belongs to a table but needs another table that is not selected (a foreign key, for one) is left out with a warning, unless
    /// others may have it.
    pub(crate) fn new(
        records: &'a [Record],
        options: &RestoreOptions,
        surroundings: Surroundings,
        warnings: &mut Vec<String>,
    ) -> Result<Self, RestoreError> {
        let mut selection = Self {
            records,
            chosen: HashSet::new(),
            tables: None,
        };
        if !options.is_partial() {
            selection.chosen = (0..records.len()).collect();
            return Ok(selection);
        }
        let mut roots = named_tables(records, &options.tables)?;
        roots.extend(of_schemas(records, &options.schemas)?);
        let tables: HashSet<(&str, &str)> = roots
            .iter()
            .filter_map(|index| {
                let record = &records[*index];
                is_relation(record.kind)
                    .then_some((record.schema.as_deref()?, record.name.as_str()))
            })
            .collect();
        for root in &roots {
            let needed = selection.closure(*root);
            selection.chosen.extend(needed);
        }
        selection.add_belongings(&tables, surroundings, warnings);
        selection.tables = Some(tables);
        Ok(selection)
    }

    /// Indexes of the selected records, in the script's order.
    pub(crate) fn records(&self) -> Vec<usize> {
        let mut records: Vec<usize> = self.chosen.iter().copied().collect();
        records.sort_unstable();
        records
    }

    /// Whether the rows of a table are selected.
    pub(crate) fn has_rows(&self, schema: &str, name: &str) -> bool {
        self.tables
            .as_ref()
            .is_none_or(|tables| tables.contains(&(schema, name)))
    }

    /// Indexes, constraints, triggers, owners, comments and the like of what is chosen.
    fn add_belongings(
        &mut self,
        tables: &HashSet<(&str, &str)>,
        surroundings: Surroundings,
        warnings: &mut Vec<String>,
    ) {
        for (index, record) in self.records.iter().enumerate() {
            let of_table = record.table.as_ref().is_some_and(|table| {
                tables.contains(&(table.schema.as_str(), table.name.as_str()))
            });
            let of_chosen = record
                .parent
                .is_some_and(|parent| self.chosen.contains(&(parent as usize)));
            // A sequence is chosen when a column takes its values from it; where it stands comes with it.
            let of_sequence = matches!(
                record.kind,
                ObjectKind::SequenceValue | ObjectKind::SequenceOwner
            ) && record
                .dependencies
                .iter()
                .any(|index| self.chosen.contains(&(*index as usize)));
            // The identity of a column is a sequence that needs its table.
            let of_identity = record.kind == ObjectKind::Sequence
                && record.dependencies.iter().any(|index| {
                    let needed = &self.records[*index as usize];
                    needed.kind == ObjectKind::Table && self.chosen.contains(&(*index as usize))
                });
            if self.chosen.contains(&index)
                || !(of_table || of_chosen || of_sequence || of_identity)
            {
                continue;
            }
            let needed = self.closure(index);
            match needed.iter().find(|needed| {
                is_relation(self.records[**needed].kind) && !self.chosen.contains(needed)
            }) {
                // What it needs is there already, it may be hoped.
                Some(missing) if *missing != index && surroundings == Surroundings::InUse => {
                    self.chosen.insert(index);
                }
                Some(missing) if *missing != index => warnings.push(format!(
                    "{} {} is left out, as it needs {} {}",
                    record.kind.label(),
                    record.name,
                    self.records[*missing].kind.label(),
                    self.records[*missing].name
                )),
                // A view on the table is an object of its own that nobody asked for.
                Some(_) => {}
                None => self.chosen.extend(needed),
            }
        }
    }

    /// A record and all that it needs, directly or not.
    fn closure(&self, index: usize) -> HashSet<usize> {
        let (mut closure, mut open) = (HashSet::new(), vec![index]);
        while let Some(index) = open.pop() {
            if closure.insert(index) {
                let record = &self.records[index];
                open.extend(
                    record
                        .dependencies
                        .iter()
                        .chain(&record.parent)
                        .map(|index| *index as usize),
                );
            }
        }
        closure
    }
}

/// The records of tables, and of the partitions of those that have some.
fn named_tables(records: &[Record], tables: &[TableName]) -> Result<BTreeSet<usize>, RestoreError> {
    let mut found = BTreeSet::new();
    for table in tables {
        let index = records
            .iter()
            .position(|record| {
                is_relation(record.kind)
                    && record.name == table.name
                    && record.schema.as_deref() == Some(&table.schema)
            })
            .ok_or_else(|| RestoreError::NoSuchTable {
                table: format!("{}.{}", table.schema, table.name),
            })?;
        found.insert(index);
    }
    // An attachment needs the partition and its table; it belongs to the partition. Parents come before their partitions' partitions.
    loop {
        let before = found.len();
        for record in records
            .iter()
            .filter(|record| record.kind == ObjectKind::PartitionAttach)
        {
            let needed = || {
                let needed = record.dependencies.iter().map(|index| *index as usize);
                needed.filter(|index| records[*index].kind == ObjectKind::Table)
            };
            let is_the_partition = |index: &usize| records[*index].table == record.table;
            if needed().any(|index| !is_the_partition(&index) && found.contains(&index)) {
                found.extend(needed().filter(is_the_partition));
            }
        }
        if found.len() == before {
            return Ok(found);
        }
    }
}

/// The schemas' own records and those of the objects in them.
fn of_schemas(records: &[Record], schemas: &[String]) -> Result<Vec<usize>, RestoreError> {
    let mut found = Vec::new();
    for schema in schemas {
        let before = found.len();
        found.extend((0..records.len()).filter(|index| {
            let record = &records[*index];
            let is_it = record.kind == ObjectKind::Schema && record.name == *schema;
            // What is about an object comes with it.
            is_it || record.schema.as_ref() == Some(schema) && is_object(record)
        }));
        if found.len() == before {
            return Err(RestoreError::NoSuchSchema {
                schema: schema.clone(),
            });
        }
    }
    Ok(found)
}

/// Whether a record makes something that exists by itself.
fn is_object(record: &Record) -> bool {
    record.parent.is_none()
        && (record.table.is_none() || is_relation(record.kind))
        && record.kind != ObjectKind::DefaultPrivileges
        || record.kind == ObjectKind::Sequence
}

/// Holds or shows rows: nothing to be restored without having been asked for.
fn is_relation(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::DummyView
            | ObjectKind::MaterializedView
    )
}
