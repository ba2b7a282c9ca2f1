//! Reads the catalogues of one database into a [`Model`].
//!
//! One query per catalogue, in the transaction and with the settings of the caller: the snapshot of the dump, an empty `search_path`.

mod query;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::{Catalog, Column, Model, NotNull, ObjectId, Oid, Relation, SequenceValue};
use query::for_version;

/// Runs one query and gives the first column of its rows.
pub(crate) trait RowSource {
    /// Why it could not.
    type Error;

    /// The rows' first column, as text.
    fn texts(&mut self, sql: &str) -> Result<Vec<String>, Self::Error>;
}

/// Why the catalogues could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError<E: std::error::Error + 'static> {
    /// The server refused.
    #[error("cannot read the catalogue query {query}")]
    Query {
        /// Which one.
        query: &'static str,
        /// The server's reason.
        source: E,
    },
    /// The server's answer is not what the model expects.
    #[error("the rows of catalogue query {query} are not understood")]
    Shape {
        /// Which one.
        query: &'static str,
        /// The field.
        source: serde_json::Error,
    },
}

/// Runs the catalogue queries against a server of major version `major`.
pub(crate) fn read<S: RowSource>(
    source: &mut S,
    major: u32,
) -> Result<Model, CatalogueError<S::Error>>
where
    S::Error: std::error::Error + 'static,
{
    let mut reader = Reader { source, major };
    macro_rules! rows {
        ($name:literal) => {
            reader.rows($name, include_str!(concat!("../../sql/", $name, ".sql")))?
        };
    }
    let mut model = Model {
        database: rows!("database").pop(),
        schemas: rows!("schemas"),
        extensions: rows!("extensions"),
        languages: rows!("languages"),
        types: rows!("types"),
        functions: rows!("functions"),
        casts: rows!("casts"),
        transforms: rows!("transforms"),
        access_methods: rows!("access_methods"),
        operators: rows!("operators"),
        operator_families: rows!("operator_families"),
        operator_classes: rows!("operator_classes"),
        family_members: rows!("operator_members"),
        collations: rows!("collations"),
        conversions: rows!("conversions"),
        text_search: rows!("text_search"),
        foreign_data_wrappers: rows!("foreign_data_wrappers"),
        foreign_servers: rows!("foreign_servers"),
        user_mappings: rows!("user_mappings"),
        relations: rows!("relations"),
        defaults: rows!("defaults"),
        constraints: rows!("constraints"),
        indexes: rows!("indexes"),
        rules: rows!("rules"),
        triggers: rows!("triggers"),
        policies: rows!("policies"),
        statistics: rows!("statistics"),
        publications: rows!("publications"),
        publication_members: rows!("publication_members"),
        event_triggers: rows!("event_triggers"),
        default_privileges: rows!("default_privileges"),
        large_objects: rows!("large_objects"),
        comments: rows!("comments"),
        security_labels: rows!("security_labels"),
        dependencies: rows!("dependencies"),
        ..Model::default()
    };
    let columns: Vec<Column> = rows!("columns");
    let not_nulls: Vec<NotNull> = if major >= 18 {
        rows!("not_nulls")
    } else {
        Vec::new()
    };
    // Others may not read the connection strings; the coverage guard tells whether there are any.
    if reader.is_superuser()? {
        model.subscriptions = rows!("subscriptions");
    }
    model.sequence_values = reader.sequence_values(&model.relations)?;
    attach(
        &mut model.relations,
        columns,
        |column| column.relation,
        |relation| &mut relation.columns,
    );
    attach(
        &mut model.relations,
        not_nulls,
        |not_null| not_null.relation,
        |relation| &mut relation.not_nulls,
    );
    Ok(model)
}

/// An object that somebody made, of whatever kind.
#[derive(Debug, Deserialize)]
pub(crate) struct UserObject {
    pub(crate) class: Catalog,
    pub(crate) oid: Oid,
}

/// Lists every object that was not there after initdb.
pub(crate) fn user_objects<S: RowSource>(
    source: &mut S,
    major: u32,
) -> Result<Vec<UserObject>, CatalogueError<S::Error>>
where
    S::Error: std::error::Error + 'static,
{
    Reader { source, major }.rows("user_objects", include_str!("../../sql/user_objects.sql"))
}

/// The server's descriptions of objects.
pub(crate) fn describe<S: RowSource>(
    source: &mut S,
    objects: &[ObjectId],
) -> Result<Vec<String>, CatalogueError<S::Error>>
where
    S::Error: std::error::Error + 'static,
{
    let list: Vec<String> = objects
        .iter()
        .map(|id| format!("('{}', {})", id.class.name(), id.oid))
        .collect();
    let sql = format!(
        "select coalesce(pg_describe_object(o.class::regclass, o.oid, 0), o.class || ' ' || o.oid) from (values {}) o(class, oid)",
        list.join(", ")
    );
    source.texts(&sql).map_err(|source| CatalogueError::Query {
        query: "describe",
        source,
    })
}

/// Gives each relation the parts that name it. Relations are in the order of their oids.
fn attach<T>(
    relations: &mut [Relation],
    parts: Vec<T>,
    relation_of: impl Fn(&T) -> Oid,
    field: impl Fn(&mut Relation) -> &mut Vec<T>,
) {
    for part in parts {
        let oid = relation_of(&part);
        if let Ok(index) = relations.binary_search_by_key(&oid, |relation| relation.head.oid) {
            field(&mut relations[index]).push(part);
        }
    }
}

struct Reader<'a, S> {
    source: &'a mut S,
    major: u32,
}

impl<S: RowSource> Reader<'_, S>
where
    S::Error: std::error::Error + 'static,
{
    fn rows<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        sql: &str,
    ) -> Result<Vec<T>, CatalogueError<S::Error>> {
        let sql = format!(
            "select row_to_json(q)::text from (\n{}) q",
            for_version(sql, self.major)
        );
        let texts = self
            .source
            .texts(&sql)
            .map_err(|source| CatalogueError::Query {
                query: name,
                source,
            })?;
        texts
            .iter()
            .map(|text| {
                serde_json::from_str(text).map_err(|source| CatalogueError::Shape {
                    query: name,
                    source,
                })
            })
            .collect()
    }

    fn is_superuser(&mut self) -> Result<bool, CatalogueError<S::Error>> {
        let answer = self
            .source
            .texts("select current_setting('is_superuser')")
            .map_err(|source| CatalogueError::Query {
                query: "is_superuser",
                source,
            })?;
        Ok(answer.first().is_some_and(|text| text == "on"))
    }

    /// A sequence is read like a table; many of them in one query.
    fn sequence_values(
        &mut self,
        relations: &[Relation],
    ) -> Result<Vec<SequenceValue>, CatalogueError<S::Error>> {
        const SEQUENCES_PER_QUERY: usize = 200;
        let sequences: Vec<&Relation> = relations
            .iter()
            .filter(|relation| relation.sequence.is_some() && !relation.head.system)
            .collect();
        let mut values = Vec::with_capacity(sequences.len());
        for batch in sequences.chunks(SEQUENCES_PER_QUERY) {
            let sql: Vec<String> = batch
                .iter()
                .map(|relation| {
                    let name = crate::render::qualified(&relation.head);
                    format!(
                        "select {} as oid, last_value::text, is_called from {name}",
                        relation.head.oid
                    )
                })
                .collect();
            values
                .extend(self.rows::<SequenceValue>("sequence_values", &sql.join("\nunion all "))?);
        }
        Ok(values)
    }
}
