//! Which records and tables of a dump a restore takes, and as which SQL.

use std::collections::BTreeSet;

use super::error::RestoreError;
use super::options::{Parts, RestoreOptions};
use super::selection::{Selection, Surroundings};
use super::source::DumpSource;
use crate::quote::literal;
use crate::{ObjectKind, Record, Section};

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
        Self::select(source, options, Surroundings::Empty)
    }

    /// Selects by the options, for a database that has more than what is selected.
    pub(crate) fn within(
        source: &'a dyn DumpSource,
        options: &RestoreOptions,
    ) -> Result<Self, RestoreError> {
        Self::select(source, options, Surroundings::InUse)
    }

    fn select(
        source: &'a dyn DumpSource,
        options: &RestoreOptions,
        surroundings: Surroundings,
    ) -> Result<Self, RestoreError> {
        let (script, stats) = (source.script(), source.stats());
        let mut warnings = Vec::new();
        let selection = Selection::new(script.records(), options, surroundings, &mut warnings)?;
        let selected = selection.records();
        let wanted = |record: &Record| {
            let about = |parent: u32| script.records()[parent as usize].kind;
            options.parts.hold(record.parent.map_or(record.kind, about))
                && match record.kind {
                    ObjectKind::Owner => options.owners,
                    ObjectKind::Privileges | ObjectKind::DefaultPrivileges => options.privileges,
                    _ => true,
                }
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
        let tables = (0..stats.tables.len()).filter(|index| {
            let table = &stats.tables[*index];
            options.parts.have_rows() && selection.has_rows(&table.schema, &table.name)
        });
        Ok(Self {
            pre_data,
            tables: tables.collect(),
            large_objects: !options.is_partial() && options.parts == Parts::All,
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

/// Changes what happens to later sessions and objects, not what is there.
fn is_setting(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Database | ObjectKind::DefaultPrivileges)
}
