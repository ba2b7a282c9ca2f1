//! What rendering one object needs to know about others.

use std::collections::{HashMap, HashSet};

use crate::model::*;
use crate::order::{Graph, Item, NodeId};

/// Look-ups over the model and the graph.
pub(super) struct Context<'a, 'm> {
    pub(super) graph: &'m Graph<'a>,
    pub(super) major: u32,
    /// Not-null constraints have names (18 and later).
    pub(super) names_not_null: bool,
    /// Owner that the schema `public` has in a new database.
    pub(super) public_owner: &'static str,
    pub(super) comments: HashMap<ObjectId, Vec<&'a Comment>>,
    pub(super) labels: HashMap<ObjectId, Vec<&'a SecurityLabel>>,
    relations: HashMap<Oid, &'a Relation>,
    types: HashMap<Oid, &'a Type>,
    defaults: HashMap<(Oid, i32), &'a ColumnDefault>,
    checks: HashMap<Oid, Vec<&'a Constraint>>,
    members: HashMap<ObjectId, Vec<&'a FamilyMember>>,
    not_null_columns: HashSet<(Oid, &'a str)>,
}

impl<'a, 'm> Context<'a, 'm> {
    pub(super) fn new(model: &'a Model, graph: &'m Graph<'a>, major: u32) -> Self {
        let mut checks: HashMap<Oid, Vec<&Constraint>> = HashMap::new();
        for x in &model.constraints {
            if x.domain.is_some() {
                checks.entry(x.domain).or_default().push(x);
            } else if x.kind == 'c' {
                checks.entry(x.relation).or_default().push(x);
            }
        }
        // As the server evaluates them.
        checks
            .values_mut()
            .for_each(|list| list.sort_by(|a, b| a.name.cmp(&b.name)));
        let mut members: HashMap<ObjectId, Vec<&FamilyMember>> = HashMap::new();
        for x in &model.family_members {
            let whole = if x.class.is_some() {
                ObjectId::new(Catalog::OperatorClass, x.class)
            } else {
                ObjectId::new(Catalog::OperatorFamily, x.family)
            };
            members.entry(whole).or_default().push(x);
        }
        Self {
            graph,
            major,
            names_not_null: major >= 18,
            // The target's, which is 15 or later more often than not; for an older one, naming the owner is harmless.
            public_owner: "pg_database_owner",
            comments: grouped(&model.comments, |x| ObjectId::new(x.class, x.oid)),
            labels: grouped(&model.security_labels, |x| ObjectId::new(x.class, x.oid)),
            relations: model.relations.iter().map(|x| (x.head.oid, x)).collect(),
            types: model.types.iter().map(|x| (x.head.oid, x)).collect(),
            defaults: model
                .defaults
                .iter()
                .map(|x| ((x.relation, x.number), x))
                .collect(),
            checks,
            members,
            not_null_columns: model
                .relations
                .iter()
                .flat_map(|x| {
                    x.columns
                        .iter()
                        .filter(|column| column.not_null)
                        .map(|column| (x.head.oid, column.name.as_str()))
                })
                .collect(),
        }
    }

    pub(super) fn relation(&self, oid: Oid) -> Option<&'a Relation> {
        self.relations.get(&oid).copied()
    }

    /// The relation with a composite type's columns.
    pub(super) fn composite(&self, relation: Oid) -> Option<&'a Relation> {
        self.relation(relation)
            .filter(|x| x.kind == RelationKind::CompositeType)
    }

    pub(super) fn domain(&self, oid: Oid) -> Option<&'a Type> {
        self.types.get(&oid).copied()
    }

    /// The constraints that are written in a domain's `CREATE`.
    pub(super) fn domain_checks(&self, domain: Oid) -> Vec<&'a Constraint> {
        self.folded_constraints(domain)
    }

    /// The check constraints that are written in a table's `CREATE`.
    pub(super) fn folded_checks(&self, table: &Relation) -> Vec<&'a Constraint> {
        self.folded_constraints(table.head.oid)
    }

    fn folded_constraints(&self, whole: Oid) -> Vec<&'a Constraint> {
        self.checks
            .get(&whole)
            .into_iter()
            .flatten()
            .copied()
            .filter(|x| x.kind == 'n' || self.is_folded(ObjectId::new(Catalog::Constraint, x.oid)))
            .collect()
    }

    /// The default that is written in a table's `CREATE`.
    pub(super) fn folded_default(
        &self,
        table: &Relation,
        column: &Column,
    ) -> Option<&'a ColumnDefault> {
        self.defaults
            .get(&(table.head.oid, column.number))
            .copied()
            .filter(|x| self.is_folded(ObjectId::new(Catalog::Default, x.oid)))
    }

    fn is_folded(&self, id: ObjectId) -> bool {
        self.graph
            .by_id
            .get(&id)
            .is_some_and(|node| self.graph.node(*node).folded_into.is_some())
    }

    pub(super) fn inherits_not_null(&self, table: &Relation, column: &Column) -> bool {
        table.parents.iter().any(|parent| {
            self.not_null_columns
                .contains(&(*parent, column.name.as_str()))
        })
    }

    /// A parent's not-null constraint that was never checked does not give the child a checked one.
    pub(super) fn inherits_unvalidated_not_null(&self, table: &Relation, column: &Column) -> bool {
        table
            .parents
            .iter()
            .filter_map(|parent| self.relation(*parent))
            .any(|parent| {
                let number = parent
                    .columns
                    .iter()
                    .find(|x| x.name == column.name)
                    .map(|x| x.number);
                parent
                    .not_nulls
                    .iter()
                    .any(|constraint| Some(constraint.number) == number && !constraint.valid)
            })
    }

    /// Operators and functions of an operator class, or loose ones of a family.
    pub(super) fn family_members(&self, id: ObjectId) -> &[&'a FamilyMember] {
        self.members.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn head_of(&self, id: ObjectId) -> Option<&'a Head> {
        let node: NodeId = *self.graph.by_id.get(&id)?;
        self.graph.node(node).item.head()
    }

    /// The table, view or sequence that a step is, or belongs to.
    pub(super) fn table_of(&self, item: Item<'a>) -> Option<&'a Relation> {
        match item {
            Item::Table(x)
            | Item::DummyView(x)
            | Item::View(x)
            | Item::Sequence(x)
            | Item::PartitionAttach(x)
            | Item::DropDefault(x, _)
            | Item::RowSecurity(x)
            | Item::Refresh(x) => Some(x),
            Item::Default(x) => self.relation(x.relation),
            Item::Check(x) | Item::ForeignKey(x) | Item::KeyConstraint(x, _) => {
                self.relation(x.relation)
            }
            Item::NotNull(x) => self.relation(x.relation),
            Item::SequenceValue(x) => self.relation(x.oid),
            Item::Index(x) | Item::IndexAttach(x) => self.relation(x.table),
            Item::Statistics(x) => self.relation(x.relation),
            Item::Rule(x) => self.relation(x.relation),
            Item::Trigger(x) => self.relation(x.relation),
            Item::Policy(x) => self.relation(x.relation),
            Item::PublicationMember(x) => self.relation(x.relation),
            _ => None,
        }
    }
}

fn grouped<T>(rows: &[T], id: impl Fn(&T) -> ObjectId) -> HashMap<ObjectId, Vec<&T>> {
    let mut groups: HashMap<ObjectId, Vec<&T>> = HashMap::new();
    for row in rows {
        groups.entry(id(row)).or_default().push(row);
    }
    groups
}
