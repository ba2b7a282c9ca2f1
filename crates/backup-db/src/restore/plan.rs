//! Which records and tables of a dump a restore takes, and as which SQL.

use std::collections::{BTreeSet, HashSet};

use super::error::RestoreError;
use super::options::RestoreOptions;
use super::source::DumpSource;
use crate::quote::literal;
use crate::{ObjectKind, Record, Section, TableName};

/// What is restored.
pub(crate) struct Plan<'a> {
    /// Records before the rows, in order.
    pub(crate) pre_data: Vec<Step<'a>>,
    /// Tables whose rows are loaded: indexes into the dump's.
    pub(crate) tables: Vec<usize>,
    /// Whether large objects are restored.
    pub(crate) large_objects: bool,
    /// Records after the rows, in order.
    pub(crate) post_data: Vec<Step<'a>>,
    /// Records of the database itself and of objects to come, in order. They are the last: some of them limit who may connect.
    pub(crate) settings: Vec<Step<'a>>,
    /// What is left out although somebody may expect it.
    pub(crate) warnings: Vec<String>,
}

/// One record and its SQL, roles replaced.
pub(crate) struct Step<'a> {
    /// Index of the record in the script.
    pub(crate) index: usize,
    pub(crate) record: &'a Record,
    pub(crate) sql: String,
}

impl Step<'_> {
    /// Name with schema, as a person reads it.
    pub(crate) fn name(&self) -> String {
        match &self.record.schema {
            Some(schema) => format!("{schema}.{}", self.record.name),
            None => self.record.name.clone(),
        }
    }
}

impl<'a> Plan<'a> {
    /// Selects by the options.
    pub(crate) fn new(
        source: &'a dyn DumpSource,
        options: &RestoreOptions,
    ) -> Result<Self, RestoreError> {
        let (script, stats) = (source.script(), source.stats());
        let mut warnings = Vec::new();
        let selected = if options.tables.is_empty() {
            (0..script.records().len()).collect()
        } else {
            select_tables(script.records(), &options.tables, &mut warnings)?
        };
        let wanted = |record: &Record| match record.kind {
            ObjectKind::Owner => options.owners,
            ObjectKind::Privileges | ObjectKind::DefaultPrivileges => options.privileges,
            _ => true,
        };
        let step = |index: usize| {
            let record = &script.records()[index];
            wanted(record).then(|| {
                let sql = script.sql_with_roles(record, |role| options.role(role));
                Step {
                    index,
                    record,
                    sql: in_tablespace(sql, record.tablespace.as_deref()),
                }
            })
        };
        let steps: Vec<Step<'a>> = selected.iter().filter_map(|index| step(*index)).collect();
        let (settings, steps): (Vec<_>, Vec<_>) = steps
            .into_iter()
            .partition(|step| is_setting(step.record.kind));
        let (pre_data, post_data) = steps
            .into_iter()
            .partition(|step| step.record.section == Section::PreData);
        let loaded = |schema: &str, name: &str| {
            options.tables.is_empty()
                || options
                    .tables
                    .iter()
                    .any(|table| table.schema == schema && table.name == name)
        };
        let tables = (0..stats.tables.len())
            .filter(|index| loaded(&stats.tables[*index].schema, &stats.tables[*index].name));
        Ok(Self {
            pre_data,
            tables: tables.collect(),
            large_objects: options.tables.is_empty(),
            post_data,
            settings,
            warnings,
        })
    }

    /// All records, in order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step<'a>> {
        self.pre_data
            .iter()
            .chain(&self.post_data)
            .chain(&self.settings)
    }

    /// The tablespaces that hold something.
    pub(crate) fn tablespaces(&self) -> BTreeSet<&str> {
        self.steps()
            .filter_map(|step| step.record.tablespace.as_deref())
            .collect()
    }

    /// The roles that must exist, new names.
    pub(crate) fn roles(
        &self,
        source: &dyn DumpSource,
        options: &RestoreOptions,
    ) -> BTreeSet<String> {
        let named = self
            .steps()
            .flat_map(|step| source.script().roles(step.record));
        named
            .map(|role| options.role(&role))
            .filter(|role| role != "public")
            .collect()
    }
}

/// SQL in a tablespace, if there is one of that name that the role may use; otherwise in the database's own.
fn in_tablespace(sql: String, tablespace: Option<&str>) -> String {
    let Some(name) = tablespace else { return sql };
    let name = literal(name);
    format!(
        "SELECT pg_catalog.set_config('default_tablespace', spcname, false) FROM pg_catalog.pg_tablespace
          WHERE spcname = {name} AND pg_catalog.has_tablespace_privilege(oid, 'CREATE');
{sql}
SET default_tablespace = '';"
    )
}

/// The records of some tables, and of everything that these need; in the script's order.
///
/// What belongs to a table but needs another table that is not selected (a foreign key, for one) is left out with a warning.
fn select_tables(
    records: &[Record],
    tables: &[TableName],
    warnings: &mut Vec<String>,
) -> Result<Vec<usize>, RestoreError> {
    let mut selection = Selection {
        records,
        chosen: HashSet::new(),
    };
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
        let needed = selection.closure(index);
        selection.chosen.extend(needed);
    }
    for (index, record) in records.iter().enumerate() {
        let of_table = record
            .table
            .as_ref()
            .is_some_and(|table| tables.contains(table));
        let of_chosen = record
            .parent
            .is_some_and(|parent| selection.chosen.contains(&(parent as usize)));
        // A sequence is chosen when a column takes its values from it; where it stands comes with it.
        let of_sequence = matches!(
            record.kind,
            ObjectKind::SequenceValue | ObjectKind::SequenceOwner
        ) && record
            .dependencies
            .iter()
            .any(|index| selection.chosen.contains(&(*index as usize)));
        if selection.chosen.contains(&index) || !(of_table || of_chosen || of_sequence) {
            continue;
        }
        let needed = selection.closure(index);
        match needed.iter().find(|needed| {
            is_relation(records[**needed].kind) && !selection.chosen.contains(needed)
        }) {
            Some(missing) if *missing != index => warnings.push(format!(
                "{} {} is left out, as it needs {} {}",
                record.kind.label(),
                record.name,
                records[*missing].kind.label(),
                records[*missing].name
            )),
            // A view on the table is an object of its own that nobody asked for.
            Some(_) => {}
            None => selection.chosen.extend(needed),
        }
    }
    let mut chosen: Vec<usize> = selection.chosen.into_iter().collect();
    chosen.sort_unstable();
    Ok(chosen)
}

struct Selection<'a> {
    records: &'a [Record],
    chosen: HashSet<usize>,
}

impl Selection<'_> {
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

/// Changes what happens to later sessions and objects, not what is there.
fn is_setting(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Database | ObjectKind::DefaultPrivileges)
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
