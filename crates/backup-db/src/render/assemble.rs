//! Puts the SQL of all steps into the two texts and keeps a record of each.

use std::collections::{BTreeSet, HashMap};

use super::names::{ident, literal};
use super::sql::Sql;
use super::{
    Context, database, foreign, functions, indexes, operators, privileges, replication, rules,
    satellites, table, text_search, types, view,
};
use crate::model::{Catalog, Model, ObjectId, RelationKind};
use crate::order::{Graph, Item, NodeId};
use crate::script::{ObjectKind, Record, Script, Section, TableName};

/// What both texts begin with.
pub(crate) const SETTINGS: &str = "\
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
";

/// Renders ordered steps, for a server of major version `major`.
pub(crate) fn script<'a>(
    model: &'a Model,
    graph: &Graph<'a>,
    order: &[NodeId],
    major: u32,
) -> Script {
    let context = Context::new(model, graph, major);
    let mut writer = Writer {
        context: &context,
        pre_data: header("before"),
        post_data: header("after"),
        records: Vec::new(),
        record_of: HashMap::new(),
    };
    let made: Vec<NodeId> = order
        .iter()
        .copied()
        .filter(|id| graph.node(*id).folded_into.is_none())
        .collect();
    for id in made.iter().filter(|id| !graph.node(**id).item.is_last()) {
        writer.step(*id);
    }
    for id in &made {
        writer.privileges(*id);
    }
    for id in made.iter().filter(|id| graph.node(**id).item.is_last()) {
        writer.step(*id);
    }
    Script::new(writer.pre_data, writer.post_data, writer.records)
}

/// How each text begins.
pub(super) fn header(when: &str) -> String {
    format!("-- The schema's part that is made {when} the rows are loaded.\n\n{SETTINGS}")
}

/// Appends an object's statements under a comment that names it. Returns where they begin.
pub(super) fn push_statements(
    text: &mut String,
    kind: ObjectKind,
    schema: Option<&str>,
    name: &str,
    tablespace: Option<&str>,
    sql: &str,
) -> u64 {
    text.push_str(&format!(
        "\n-- {}: {}\n",
        kind.label(),
        one_line(schema, name)
    ));
    if let Some(tablespace) = tablespace {
        text.push_str(&format!(
            "SET default_tablespace = {};\n",
            literal(tablespace)
        ));
    }
    let offset = text.len() as u64;
    text.push_str(sql);
    text.push('\n');
    if tablespace.is_some() {
        text.push_str("SET default_tablespace = '';\n");
    }
    offset
}

struct Writer<'c, 'a, 'm> {
    context: &'c Context<'a, 'm>,
    pre_data: String,
    post_data: String,
    records: Vec<Record>,
    /// The record of each step.
    record_of: HashMap<NodeId, u32>,
}

impl Writer<'_, '_, '_> {
    fn step(&mut self, id: NodeId) {
        let node = self.context.graph.node(id);
        if node.privileges_only {
            return;
        }
        let item = node.item;
        let sql = if is_public(item) {
            Sql::default()
        } else {
            self.definition(item, id)
        };
        let own = (!sql.is_empty()).then(|| {
            let index = self.push(item.kind(), id, None, &sql);
            self.record_of.insert(id, index);
            index
        });
        // The schema `public` has no record: it is there. A shell operator has none: the operator that names it makes it.
        if own.is_none() && !is_public(item) {
            return;
        }
        if let Some(owner) = satellites::owner(item, self.context) {
            self.push(ObjectKind::Owner, id, own, &owner);
        }
        if let Item::Sequence(x) = item
            && let Some(owned_by) = table::sequence_owner(x, self.context)
        {
            self.push(ObjectKind::SequenceOwner, id, own, &owned_by.into());
        }
        for extension in node.depends_on_extensions.clone() {
            if let Some(head) = self.context.graph.node(extension).item.head()
                && let Some(sql) = satellites::depends_on_extension(item, &head.name, self.context)
            {
                self.push(item.kind(), id, own, &sql);
            }
        }
        self.remarks(id, own);
        for part in self.folded_into(id) {
            self.remarks(part, own);
        }
    }

    fn remarks(&mut self, id: NodeId, parent: Option<u32>) {
        let item = self.context.graph.node(id).item;
        for sql in satellites::comments(item, self.context) {
            self.push(ObjectKind::Comment, id, parent, &sql);
        }
        for sql in satellites::labels(item, self.context) {
            self.push(ObjectKind::SecurityLabel, id, parent, &sql);
        }
    }

    fn privileges(&mut self, id: NodeId) {
        if let Some(sql) = satellites::privileges(self.context.graph.node(id).item, self.context) {
            let parent = self.record_of.get(&id).copied();
            self.push(ObjectKind::Privileges, id, parent, &sql);
        }
    }

    fn folded_into(&self, whole: NodeId) -> Vec<NodeId> {
        let graph = self.context.graph;
        graph
            .node(whole)
            .needs
            .iter()
            .copied()
            .filter(|part| graph.node(*part).folded_into == Some(whole))
            .collect()
    }

    fn definition(&self, item: Item<'_>, id: NodeId) -> Sql {
        let context = self.context;
        let graph = context.graph;
        let class = |oid| ObjectId::new(Catalog::Relation, oid);
        let text: String = match item {
            Item::Schema(x) => format!("CREATE SCHEMA {};", ident(&x.head.name)),
            Item::Extension(x) => format!(
                "CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {};",
                ident(&x.head.name),
                ident(&x.target_schema)
            ),
            Item::Language(x) => functions::language(x),
            Item::ShellType(x) => types::shell(x),
            Item::Type(x) => types::definition(x, context),
            Item::DomainConstraint(x) => context
                .domain(x.domain)
                .map(|domain| types::domain_constraint(x, domain))
                .unwrap_or_default(),
            Item::Function(x) => functions::definition(x),
            Item::Cast(x) => functions::cast(x),
            Item::Transform(x) => functions::transform(x),
            Item::AccessMethod(x) => functions::access_method(x),
            Item::Operator(x) => operators::definition(x),
            Item::OperatorFamily(x) => operators::family(x, context.family_members(item.id())),
            Item::OperatorClass(x) => operators::class(x, context.family_members(item.id())),
            Item::FamilyMember(x) => operators::loose_member(x),
            Item::Collation(x) => types::collation(x),
            Item::Conversion(x) => functions::conversion(x),
            Item::TextSearch(x) => text_search::definition(x),
            Item::ForeignDataWrapper(x) => foreign::wrapper(x),
            Item::ForeignServer(x) => foreign::server(x),
            Item::UserMapping(x) => return foreign::user_mapping(x),
            Item::Table(x) => table::definition(x, context),
            Item::DummyView(x) => view::stand_in(x),
            Item::View(x) => {
                let replace = graph.node(id).needs.iter().any(|needed| matches!(graph.node(*needed).item, Item::DummyView(dummy) if dummy.head.oid == x.head.oid));
                view::definition(x, replace, context)
            }
            Item::Sequence(x) => table::sequence(x, context),
            Item::PartitionAttach(x) => x
                .parents
                .first()
                .and_then(|parent| context.relation(*parent))
                .map(|parent| table::partition_attach(x, parent))
                .unwrap_or_default(),
            Item::DropDefault(x, column) => table::drop_default(x, column),
            Item::LargeObject(x) => {
                format!("SELECT pg_catalog.lo_create({});", literal(&x.head.name))
            }
            Item::IndexAttach(x) => {
                let parent = graph
                    .by_id
                    .get(&class(x.parent))
                    .copied()
                    .or_else(|| graph.resolve(class(x.parent)));
                let parent = parent.and_then(|parent| graph.node(parent).item.head());
                parent
                    .map(|parent| indexes::attach(x, &super::qualified(parent)))
                    .unwrap_or_default()
            }
            Item::Statistics(x) => indexes::statistics(x),
            Item::Publication(x) => replication::publication(x),
            Item::PublicationMember(x) => {
                let publication =
                    context.head_of(ObjectId::new(Catalog::Publication, x.publication));
                let table = context.relation(x.relation).map(|relation| &relation.head);
                publication
                    .map(|publication| replication::member(x, publication, table))
                    .unwrap_or_default()
            }
            Item::Subscription(x) => replication::subscription(x),
            Item::DefaultPrivileges(x) => return privileges::default_privileges(x),
            Item::Database(x) => return database::settings(x),
            Item::EventTrigger(x) => rules::event_trigger(x),
            Item::RowSecurity(x) => table::row_security(x),
            Item::Refresh(x) => view::refresh(x),
            // Parts of a table.
            _ => {
                let Some(relation) = context.table_of(item) else {
                    return Sql::default();
                };
                match item {
                    Item::Default(x) => table::default(x, relation),
                    Item::Check(x) => table::check(x, relation),
                    Item::NotNull(x) => table::not_null_constraint(x, relation),
                    Item::SequenceValue(x) => {
                        table::sequence_value(relation, &x.last_value, x.is_called)
                    }
                    Item::KeyConstraint(x, index) => {
                        let parent = graph.resolve(class(index.parent));
                        match parent.and_then(|parent| graph.node(parent).item.head()) {
                            Some(parent) if x.kind == 'x' => {
                                indexes::inherited_exclusion(x, index, relation, parent)
                            }
                            _ => indexes::key_constraint(x, index, relation),
                        }
                    }
                    Item::Index(x) => indexes::index(x, relation),
                    Item::Rule(x) => rules::rule(x, relation),
                    Item::Trigger(x) => rules::trigger(x, relation),
                    Item::ForeignKey(x) => indexes::foreign_key(x, relation),
                    Item::Policy(x) => return rules::policy(x, relation),
                    _ => String::new(),
                }
            }
        };
        text.into()
    }

    fn push(&mut self, kind: ObjectKind, id: NodeId, parent: Option<u32>, sql: &Sql) -> u32 {
        let item = self.context.graph.node(id).item;
        // Privileges come last of all: they must not hinder the restore.
        let section = if kind == ObjectKind::Privileges {
            Section::PostData
        } else {
            self.context.graph.node(id).section
        };
        let tablespace = if parent.is_none() {
            tablespace(item)
        } else {
            None
        };
        let (schema, name) = self.name(item);
        let table = self
            .context
            .table_of(item)
            .filter(|relation| relation.kind != RelationKind::CompositeType);
        let table = table.map(|relation| TableName {
            schema: relation.head.schema.clone().unwrap_or_default(),
            name: relation.head.name.clone(),
        });
        let dependencies = match parent {
            Some(parent) => vec![parent],
            None => self.dependencies(id),
        };
        let text = match section {
            Section::PreData => &mut self.pre_data,
            Section::PostData => &mut self.post_data,
        };
        let offset = push_statements(
            text,
            kind,
            schema.as_deref(),
            &name,
            tablespace.as_deref(),
            sql.as_str(),
        );
        let index = u32::try_from(self.records.len())
            .expect("fewer objects than the catalogue has numbers");
        self.records.push(Record {
            kind,
            section,
            schema,
            name,
            table,
            offset,
            length: sql.as_str().len() as u64,
            roles: sql
                .roles()
                .iter()
                .map(|range| range.start as u32..range.end as u32)
                .collect(),
            dependencies,
            parent,
            tablespace,
        });
        index
    }

    /// Records of what a step needs, through the parts that are folded into it.
    fn dependencies(&self, id: NodeId) -> Vec<u32> {
        let mut records = BTreeSet::new();
        let mut pending = vec![id];
        while let Some(next) = pending.pop() {
            for needed in &self.context.graph.node(next).needs {
                match self.record_of.get(needed) {
                    Some(record) => {
                        records.insert(*record);
                    }
                    // A folded part, or a step without SQL: what it needs is needed.
                    None => pending.push(*needed),
                }
            }
        }
        records.into_iter().collect()
    }

    fn name(&self, item: Item<'_>) -> (Option<String>, String) {
        let table_schema = || {
            self.context
                .table_of(item)
                .and_then(|relation| relation.head.schema.clone())
        };
        match item {
            Item::Check(x) | Item::ForeignKey(x) | Item::KeyConstraint(x, _) => {
                (table_schema(), x.name.clone())
            }
            Item::DomainConstraint(x) => (
                self.context
                    .domain(x.domain)
                    .and_then(|domain| domain.head.schema.clone()),
                x.name.clone(),
            ),
            Item::NotNull(x) => (table_schema(), x.name.clone()),
            Item::Rule(x) => (table_schema(), x.name.clone()),
            Item::Trigger(x) => (table_schema(), x.name.clone()),
            Item::Policy(x) => (table_schema(), x.name.clone()),
            Item::Cast(x) => (None, x.name.clone()),
            Item::FamilyMember(x) => (None, x.family_name.clone()),
            Item::Transform(x) => (None, x.name.clone()),
            Item::AccessMethod(x) => (None, x.name.clone()),
            Item::UserMapping(x) => (None, format!("{} at {}", x.name, x.server)),
            Item::DefaultPrivileges(x) => (x.in_schema.clone(), x.owner.clone()),
            Item::Function(x) => (
                x.head.schema.clone(),
                format!("{}({})", x.head.name, x.arguments),
            ),
            Item::PublicationMember(x) if x.member_schema.is_some() => {
                (x.member_schema.clone(), String::from("*"))
            }
            Item::Default(_)
            | Item::DropDefault(..)
            | Item::SequenceValue(_)
            | Item::PublicationMember(_) => match self.context.table_of(item) {
                Some(relation) => (relation.head.schema.clone(), relation.head.name.clone()),
                None => (None, item.id().oid.to_string()),
            },
            _ => match item.head() {
                Some(head) => (head.schema.clone(), head.name.clone()),
                None => (None, item.id().oid.to_string()),
            },
        }
    }
}

fn is_public(item: Item<'_>) -> bool {
    matches!(item, Item::Schema(x) if x.head.name == "public")
}

fn tablespace(item: Item<'_>) -> Option<String> {
    match item {
        Item::Table(x) | Item::View(x) => x.tablespace.clone(),
        Item::Index(x) => x.tablespace.clone(),
        Item::KeyConstraint(x, _) => x.tablespace.clone(),
        _ => None,
    }
}

/// For a comment: a name may hold line breaks.
fn one_line(schema: Option<&str>, name: &str) -> String {
    let text = schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
