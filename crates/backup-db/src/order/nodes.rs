//! From the model's objects to steps.

use std::collections::{HashMap, HashSet};

use super::graph::{Graph, NodeId};
use super::item::Item;
use crate::model::*;

/// Makes the steps, without what they need.
pub(crate) fn build(model: &Model) -> Graph<'_> {
    let mut graph = Graph::default();
    find_members_and_parts(&mut graph, model);
    let mut builder = Builder { graph, model };
    builder.objects();
    builder.relations();
    builder.table_parts();
    builder.last_steps();
    builder.graph
}

fn find_members_and_parts(graph: &mut Graph<'_>, model: &Model) {
    for dependency in &model.dependencies {
        match dependency.kind {
            'e' if dependency.needs_class == Catalog::Extension => {
                graph
                    .member_of
                    .insert(dependency.object(), dependency.needs_oid);
            }
            'i' => {
                graph
                    .part_of
                    .insert(dependency.object(), dependency.needs());
            }
            // A partition's copy of its table's trigger or constraint.
            'P' => {
                graph
                    .part_of
                    .entry(dependency.object())
                    .or_insert(dependency.needs());
            }
            // A member that is loose in its operator family.
            'a' if dependency.needs_class == Catalog::OperatorFamily
                && matches!(
                    dependency.class,
                    Catalog::AccessOperator | Catalog::AccessProcedure
                ) =>
            {
                graph
                    .part_of
                    .insert(dependency.object(), dependency.needs());
            }
            _ => {}
        }
    }
    // A class's family and an array of rows are found by their own columns: `pg_depend` names only one step of the way.
    for relation in &model.relations {
        let whole = ObjectId::new(Catalog::Relation, relation.head.oid);
        if relation.kind == RelationKind::CompositeType {
            graph
                .part_of
                .insert(whole, ObjectId::new(Catalog::Type, relation.row_type));
        } else if relation.row_type.is_some() {
            graph
                .part_of
                .insert(ObjectId::new(Catalog::Type, relation.row_type), whole);
            graph
                .part_of
                .insert(ObjectId::new(Catalog::Type, relation.row_array_type), whole);
        }
    }
}

struct Builder<'a> {
    graph: Graph<'a>,
    model: &'a Model,
}

impl<'a> Builder<'a> {
    /// Adds a step unless an extension brings the object; then only its privileges are ours.
    fn add(&mut self, item: Item<'a>) -> Option<NodeId> {
        let member = self.graph.member_of.contains_key(&item.id());
        let system = item.head().is_some_and(|head| head.system);
        if !member && !system {
            return Some(self.graph.add(item));
        }
        if item
            .head()
            .is_some_and(|head| head.acl.acl_initial.is_some() || head.acl.acl.is_some())
            || has_column_privileges(item)
        {
            let node = self.graph.add(item);
            self.graph.node_mut(node).privileges_only = true;
        }
        None
    }

    fn objects(&mut self) {
        let model = self.model;
        for x in &model.schemas {
            self.add(Item::Schema(x));
        }
        for x in model.extensions.iter().filter(|x| !x.head.system) {
            self.graph.add(Item::Extension(x));
        }
        for x in &model.languages {
            self.add(Item::Language(x));
        }
        for x in &model.types {
            self.add(Item::Type(x));
        }
        for x in &model.functions {
            self.add(Item::Function(x));
        }
        for x in &model.casts {
            self.add(Item::Cast(x));
        }
        for x in &model.transforms {
            self.add(Item::Transform(x));
        }
        for x in &model.access_methods {
            self.add(Item::AccessMethod(x));
        }
        for x in &model.operators {
            self.add(Item::Operator(x));
        }
        for x in &model.operator_families {
            self.add(Item::OperatorFamily(x));
        }
        for x in &model.operator_classes {
            self.add(Item::OperatorClass(x));
        }
        self.members_of_foreign_families();
        for x in &model.collations {
            self.add(Item::Collation(x));
        }
        for x in &model.conversions {
            self.add(Item::Conversion(x));
        }
        for x in &model.text_search {
            self.add(Item::TextSearch(x));
        }
        for x in &model.foreign_data_wrappers {
            self.add(Item::ForeignDataWrapper(x));
        }
        for x in &model.foreign_servers {
            self.add(Item::ForeignServer(x));
        }
        // What cannot be read cannot be made again: the coverage guard names it.
        for x in model.user_mappings.iter().filter(|x| !x.hidden) {
            self.add(Item::UserMapping(x));
        }
        for x in &model.large_objects {
            self.add(Item::LargeObject(x));
        }
        for x in &model.statistics {
            self.add(Item::Statistics(x));
        }
        for x in &model.publications {
            self.add(Item::Publication(x));
        }
        for x in &model.publication_members {
            self.add(Item::PublicationMember(x));
        }
        for x in &model.subscriptions {
            self.add(Item::Subscription(x));
        }
    }

    /// Operators and functions in a family of the system. What is in an extension's family, or made of an extension's operators, comes with it.
    fn members_of_foreign_families(&mut self) {
        let model = self.model;
        let of_extensions: HashSet<ObjectId> = model
            .dependencies
            .iter()
            .filter(|x| matches!(x.class, Catalog::AccessOperator | Catalog::AccessProcedure))
            .filter(|x| self.graph.member_of.contains_key(&x.needs()))
            .map(Dependency::object)
            .collect();
        for x in model.family_members.iter().filter(|x| !x.class.is_some()) {
            let id = ObjectId::new(x.catalogue, x.oid);
            let family = ObjectId::new(Catalog::OperatorFamily, x.family);
            if of_extensions.contains(&id) {
                self.graph.implied.insert(id);
            } else if !self.graph.by_id.contains_key(&family) {
                self.graph.add(Item::FamilyMember(x));
            }
        }
    }

    fn relations(&mut self) {
        for relation in &self.model.relations {
            match relation.kind {
                RelationKind::Table
                | RelationKind::PartitionedTable
                | RelationKind::ForeignTable => {
                    if self.add(Item::Table(relation)).is_some() && relation.partition {
                        self.graph.add(Item::PartitionAttach(relation));
                    }
                }
                RelationKind::View | RelationKind::MaterializedView => {
                    self.add(Item::View(relation));
                }
                RelationKind::Sequence => {
                    self.add(Item::Sequence(relation));
                }
                RelationKind::CompositeType => continue,
            }
            if relation.row_security && self.graph.relation(relation.head.oid).is_some() {
                self.graph.add(Item::RowSecurity(relation));
            }
        }
        for value in &self.model.sequence_values {
            if self.graph.relation(value.oid).is_some() {
                self.graph.add(Item::SequenceValue(value));
            }
        }
    }

    /// Defaults, constraints, indexes, rules, triggers, policies. Those of an extension's table come with the extension.
    fn table_parts(&mut self) {
        let model = self.model;
        self.defaults();
        self.constraints();
        for x in &model.rules {
            if self.made_or_implied(x.relation, ObjectId::new(Catalog::Rule, x.oid)) {
                self.graph.add(Item::Rule(x));
            }
        }
        for x in &model.triggers {
            if self.made_or_implied(x.relation, ObjectId::new(Catalog::Trigger, x.oid)) {
                self.graph.add(Item::Trigger(x));
            }
        }
        for x in &model.policies {
            self.add(Item::Policy(x));
        }
    }

    /// Whether a step makes the relation. If not, the part comes with the extension or the system.
    fn made_or_implied(&mut self, relation: Oid, part: ObjectId) -> bool {
        let made = self.graph.relation(relation).is_some();
        if !made
            && self
                .graph
                .member_of
                .contains_key(&ObjectId::new(Catalog::Relation, relation))
        {
            self.graph.implied.insert(part);
        }
        made
    }

    fn defaults(&mut self) {
        let model = self.model;
        let inheritance = Inheritance::new(model);
        for x in &model.defaults {
            let id = ObjectId::new(Catalog::Default, x.oid);
            if inheritance.brings_expression(x) {
                self.graph.implied.insert(id);
            } else if self.made_or_implied(x.relation, id) {
                self.graph.add(Item::Default(x));
            }
        }
        for child in model
            .relations
            .iter()
            .filter(|x| !x.partition && !x.parents.is_empty())
        {
            if self.graph.relation(child.head.oid).is_none() {
                continue;
            }
            for column in child
                .columns
                .iter()
                .filter(|column| inheritance.brings_unwanted_default(child, column))
            {
                self.graph.add(Item::DropDefault(child, column));
            }
        }
    }

    fn constraints(&mut self) {
        let model = self.model;
        let mut index_of: HashMap<Oid, &'a Index> = HashMap::new();
        for index in &model.indexes {
            let id = ObjectId::new(Catalog::Relation, index.head.oid);
            if index.constraint.is_some() {
                index_of.insert(index.constraint, index);
            } else if !index.valid && index.kind == 'i' {
                self.graph.implied.insert(id);
            } else if self.made_or_implied(index.table, id) {
                self.graph.add(Item::Index(index));
                self.index_attach(index);
            }
        }
        for x in &model.constraints {
            let id = ObjectId::new(Catalog::Constraint, x.oid);
            if x.domain.is_some() {
                let domain = ObjectId::new(Catalog::Type, x.domain);
                // A domain's NOT NULL is a flag of the type as well.
                if self.graph.member_of.contains_key(&domain) || x.kind == 'n' {
                    self.graph.implied.insert(id);
                } else {
                    self.graph.add(Item::DomainConstraint(x));
                }
            } else if self.made_or_implied(x.relation, id) {
                self.table_constraint(x, index_of.get(&x.oid).copied());
            }
        }
        for relation in &model.relations {
            for x in &relation.not_nulls {
                let id = ObjectId::new(Catalog::Constraint, x.oid);
                if !x.valid && x.local && self.made_or_implied(relation.head.oid, id) {
                    self.graph.add(Item::NotNull(x));
                } else {
                    // Part of the table's CREATE, or inherited.
                    self.graph
                        .part_of
                        .insert(id, ObjectId::new(Catalog::Relation, relation.head.oid));
                }
            }
        }
    }

    fn table_constraint(&mut self, x: &'a Constraint, index: Option<&'a Index>) {
        let id = ObjectId::new(Catalog::Constraint, x.oid);
        let partition = match self
            .graph
            .relation(x.relation)
            .map(|node| self.graph.node(node).item)
        {
            Some(Item::Table(relation)) => relation.partition,
            _ => false,
        };
        match (x.kind, index) {
            ('c', _) if x.local || partition => {
                self.graph.add(Item::Check(x));
            }
            ('p' | 'u' | 'x', Some(index)) => {
                self.graph.add(Item::KeyConstraint(x, index));
                self.graph
                    .part_of
                    .insert(ObjectId::new(Catalog::Relation, index.head.oid), id);
                // The server cannot attach the index of an exclusion constraint: the parent's constraint makes it.
                if x.kind != 'x' {
                    self.index_attach(index);
                }
            }
            ('f', _) if !x.parent.is_some() => {
                self.graph.add(Item::ForeignKey(x));
            }
            // Made by the parent's own.
            ('c' | 'f', _) => {
                self.graph.implied.insert(id);
            }
            _ => {}
        }
    }

    fn index_attach(&mut self, index: &'a Index) {
        if index.parent.is_some() {
            self.graph.add(Item::IndexAttach(index));
        }
    }

    fn last_steps(&mut self) {
        let model = self.model;
        for x in &model.default_privileges {
            self.graph.add(Item::DefaultPrivileges(x));
        }
        if let Some(x) = &model.database {
            self.graph.add(Item::Database(x));
        }
        for relation in model
            .relations
            .iter()
            .filter(|x| x.kind == RelationKind::MaterializedView && x.populated)
        {
            if self.graph.relation(relation.head.oid).is_some() {
                self.graph.add(Item::Refresh(relation));
            }
        }
        for x in &model.event_triggers {
            self.add(Item::EventTrigger(x));
        }
    }
}

/// What `INHERITS` gives to the columns of a child.
struct Inheritance<'a> {
    relations: HashMap<Oid, &'a Relation>,
    defaults: HashMap<(Oid, i32), &'a ColumnDefault>,
}

impl<'a> Inheritance<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            relations: model
                .relations
                .iter()
                .map(|relation| (relation.head.oid, relation))
                .collect(),
            defaults: model
                .defaults
                .iter()
                .map(|x| ((x.relation, x.number), x))
                .collect(),
        }
    }

    /// The columns of the parents that merge into a child's column.
    fn parents_of(
        &self,
        child: &'a Relation,
        column: &'a Column,
    ) -> impl Iterator<Item = (&'a Relation, &'a Column)> {
        let parents = child
            .parents
            .iter()
            .filter_map(|oid| self.relations.get(oid).copied());
        parents.flat_map(|parent| {
            parent
                .columns
                .iter()
                .filter(|x| x.name == column.name)
                .map(move |x| (parent, x))
        })
    }

    /// A generation expression that the parents give to the child's column; a child may not repeat it (before 16).
    fn brings_expression(&self, x: &ColumnDefault) -> bool {
        let Some(child) = self
            .relations
            .get(&x.relation)
            .filter(|child| !child.partition)
        else {
            return false;
        };
        let Some(column) = child
            .columns
            .iter()
            .find(|column| column.number == x.number && !column.generated.is_empty())
        else {
            return false;
        };
        let mut expressions = self
            .parents_of(child, column)
            .filter(|(_, of_parent)| !of_parent.generated.is_empty())
            .filter_map(|(parent, of_parent)| {
                self.defaults.get(&(parent.head.oid, of_parent.number))
            })
            .peekable();
        expressions.peek().is_some()
            && expressions.all(|of_parent| of_parent.expression == x.expression)
    }

    /// A default of a parent that the child's column does not have.
    fn brings_unwanted_default(&self, child: &'a Relation, column: &'a Column) -> bool {
        !self.defaults.contains_key(&(child.head.oid, column.number))
            && self.parents_of(child, column).any(|(parent, of_parent)| {
                of_parent.generated.is_empty()
                    && self
                        .defaults
                        .contains_key(&(parent.head.oid, of_parent.number))
            })
    }
}

fn has_column_privileges(item: Item<'_>) -> bool {
    match item {
        Item::Table(x) | Item::View(x) => x
            .columns
            .iter()
            .any(|column| column.acl.acl.is_some() || column.acl.acl_initial.is_some()),
        _ => false,
    }
}
