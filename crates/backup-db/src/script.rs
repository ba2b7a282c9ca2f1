//! The schema as SQL: two texts and one record per object.
//!
//! [`Script::pre_data`] makes everything that must be there before rows are loaded, [`Script::post_data`] the rest. Both are plain SQL that psql
//! runs as it is. The records say which bytes belong to which object, so that a restore can leave out owners or privileges, rename roles, pick
//! tables, and run independent objects in parallel.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Before or after the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Schemas, types, functions, tables, views: what rows need.
    PreData,
    /// Sequence values, indexes, constraints, triggers, privileges: what is better, or only correct, after the rows.
    PostData,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $label:literal),* $(,)?) => {
        /// What a record makes or changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum ObjectKind {
            $($(#[$doc])* $variant,)*
        }

        impl ObjectKind {
            /// In words, as in the comments of the SQL.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }
        }
    };
}

kinds! {
    /// An access method.
    AccessMethod = "access method",
    /// An aggregate function.
    Aggregate = "aggregate",
    /// A cast.
    Cast = "cast",
    /// A check constraint outside its table's `CREATE`.
    CheckConstraint = "check constraint",
    /// A collation.
    Collation = "collation",
    /// A comment on the record's `parent`.
    Comment = "comment",
    /// An encoding conversion.
    Conversion = "conversion",
    /// Settings of the database itself; applied to the database that the script runs in.
    Database = "database settings",
    /// A column default outside its table's `CREATE`.
    Default = "default",
    /// Privileges of future objects.
    DefaultPrivileges = "default privileges",
    /// A domain.
    Domain = "domain",
    /// A check of a domain outside its `CREATE`.
    DomainConstraint = "domain constraint",
    /// A view's columns without its query, replaced by the view later.
    DummyView = "view columns",
    /// An event trigger.
    EventTrigger = "event trigger",
    /// An extension.
    Extension = "extension",
    /// A foreign data wrapper.
    ForeignDataWrapper = "foreign data wrapper",
    /// A foreign key.
    ForeignKey = "foreign key",
    /// A foreign server.
    ForeignServer = "foreign server",
    /// A foreign table.
    ForeignTable = "foreign table",
    /// A function.
    Function = "function",
    /// An index.
    Index = "index",
    /// Ties the index of a partition to that of its table.
    IndexAttach = "index attachment",
    /// A primary key, unique or exclusion constraint.
    KeyConstraint = "constraint",
    /// A procedural language.
    Language = "language",
    /// A large object, without its content.
    LargeObject = "large object",
    /// A materialized view, not filled.
    MaterializedView = "materialized view",
    /// A not-null constraint outside its table's `CREATE`.
    NotNullConstraint = "not-null constraint",
    /// An operator.
    Operator = "operator",
    /// An operator class.
    OperatorClass = "operator class",
    /// An operator family.
    OperatorFamily = "operator family",
    /// The owner of the record's `parent`.
    Owner = "owner",
    /// Ties a partition to its table.
    PartitionAttach = "partition attachment",
    /// A row security policy.
    Policy = "policy",
    /// Privileges on the record's `parent`, or on an object of the system or of an extension.
    Privileges = "privileges",
    /// A procedure.
    Procedure = "procedure",
    /// A publication.
    Publication = "publication",
    /// A table or schema of a publication.
    PublicationMember = "publication member",
    /// Fills a materialized view.
    Refresh = "refresh",
    /// Turns row security on.
    RowSecurity = "row security",
    /// A rewrite rule.
    Rule = "rule",
    /// A schema.
    Schema = "schema",
    /// A security label on the record's `parent`.
    SecurityLabel = "security label",
    /// A sequence, or the identity of a column.
    Sequence = "sequence",
    /// The column that a sequence belongs to.
    SequenceOwner = "sequence owner",
    /// Where a sequence stands.
    SequenceValue = "sequence value",
    /// A type's name, before its definition.
    ShellType = "shell type",
    /// Extended statistics.
    Statistics = "statistics",
    /// A subscription, disabled.
    Subscription = "subscription",
    /// A table or partitioned table.
    Table = "table",
    /// A text search configuration.
    TextSearchConfiguration = "text search configuration",
    /// A text search dictionary.
    TextSearchDictionary = "text search dictionary",
    /// A text search parser.
    TextSearchParser = "text search parser",
    /// A text search template.
    TextSearchTemplate = "text search template",
    /// A transform.
    Transform = "transform",
    /// A trigger.
    Trigger = "trigger",
    /// A type other than a domain.
    Type = "type",
    /// A user mapping.
    UserMapping = "user mapping",
    /// A view.
    View = "view",
}

/// A table by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Schema, not quoted.
    pub schema: String,
    /// Name, not quoted.
    pub name: String,
}

/// One object's part of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is.
    pub kind: ObjectKind,
    /// Which of the two texts it is in.
    pub section: Section,
    /// Schema of the object, not quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name of the object, not quoted.
    pub name: String,
    /// The table, view or sequence that it is, or belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableName>,
    /// Where its SQL starts in the section's text, in bytes.
    pub offset: u64,
    /// Bytes of its SQL: one or more whole statements.
    pub length: u64,
    /// Where the SQL names roles: byte ranges within it, in order, each a role's name, quoted if it needs quotes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Range<u32>>,
    /// Records that come first, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<u32>,
    /// The record of the object that this owner, comment, label or privilege is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The tablespace that the text selects before it by `SET default_tablespace`; whoever runs records singly does that, or leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
}

/// A whole schema as SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    pre_data: String,
    post_data: String,
    records: Vec<Record>,
}

/// Why a stored script cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A line of the record list is no record.
    #[error("line {line} of the object list is not understood")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record points outside its text, or at no record.
    #[error("object {index} ({name}) of the object list does not fit the SQL text")]
    OutOfRange {
        /// Counted from 0.
        index: usize,
        /// The object's name.
        name: String,
    },
}

impl Script {
    pub(crate) fn new(pre_data: String, post_data: String, records: Vec<Record>) -> Self {
        Self {
            pre_data,
            post_data,
            records,
        }
    }

    /// SQL to run before the rows are loaded.
    pub fn pre_data(&self) -> &str {
        &self.pre_data
    }

    /// SQL to run after the rows are loaded.
    pub fn post_data(&self) -> &str {
        &self.post_data
    }

    /// Every object, in the order of the texts: pre-data first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The SQL of one of this script's records.
    pub fn sql(&self, record: &Record) -> &str {
        let text = match record.section {
            Section::PreData => &self.pre_data,
            Section::PostData => &self.post_data,
        };
        &text[record.offset as usize..(record.offset + record.length) as usize]
    }

    /// The SQL of a record with every role renamed by `rename`, which gets a name without quotes.
    pub fn sql_with_roles(
        &self,
        record: &Record,
        mut rename: impl FnMut(&str) -> String,
    ) -> String {
        let sql = self.sql(record);
        let mut out = String::with_capacity(sql.len());
        let mut done = 0;
        for range in &record.roles {
            let (start, end) = (range.start as usize, range.end as usize);
            out.push_str(&sql[done..start]);
            out.push_str(&crate::render::ident(&rename(&unquoted(&sql[start..end]))));
            done = end;
        }
        out.push_str(&sql[done..]);
        out
    }

    /// The roles that a record names, without quotes, in order; a role may come twice.
    pub fn roles(&self, record: &Record) -> Vec<String> {
        let sql = self.sql(record);
        record
            .roles
            .iter()
            .map(|range| unquoted(&sql[range.start as usize..range.end as usize]))
            .collect()
    }

    /// The statements that both texts begin with: settings of the session that runs them.
    pub fn session_settings() -> &'static str {
        crate::render::SETTINGS
    }

    /// One line of JSON per record.
    pub fn records_to_jsonl(&self) -> String {
        let mut out = String::new();
        for record in &self.records {
            out.push_str(&serde_json::to_string(record).expect("a record is plain data"));
            out.push('\n');
        }
        out
    }

    /// Puts a script together from its stored parts.
    ///
    /// # Errors
    /// [`ScriptError`] when a line is no record, or a record points outside the texts.
    pub fn from_parts(
        pre_data: String,
        post_data: String,
        jsonl: &str,
    ) -> Result<Self, ScriptError> {
        let records = jsonl
            .lines()
            .enumerate()
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|source| ScriptError::Line {
                    line: index + 1,
                    source,
                })
            })
            .collect::<Result<Vec<Record>, _>>()?;
        let script = Self {
            pre_data,
            post_data,
            records,
        };
        for (index, record) in script.records.iter().enumerate() {
            if !script.is_in_range(record) {
                return Err(ScriptError::OutOfRange {
                    index,
                    name: record.name.clone(),
                });
            }
        }
        Ok(script)
    }

    fn is_in_range(&self, record: &Record) -> bool {
        let text = match record.section {
            Section::PreData => &self.pre_data,
            Section::PostData => &self.post_data,
        };
        let Some(end) = record.offset.checked_add(record.length) else {
            return false;
        };
        let Some(sql) = usize::try_from(record.offset)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| text.get(start..end))
        else {
            return false;
        };
        let mut done = 0;
        let roles_fit = record.roles.iter().all(|range| {
            let fits = done <= range.start
                && sql
                    .get(range.start as usize..range.end as usize)
                    .is_some_and(|role| !role.is_empty());
            done = range.end;
            fits
        });
        let count = self.records.len() as u64;
        roles_fit
            && record
                .dependencies
                .iter()
                .chain(&record.parent)
                .all(|index| u64::from(*index) < count)
    }
}

fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}
