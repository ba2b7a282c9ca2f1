//! Records that are about another record's object: its owner, comments, security labels and privileges.

use super::names::{ident, literal, qualified};
use super::privileges::{self, On};
use super::sql::Sql;
use super::target::{grant_target, relation_kind, target};
use super::{Context, functions};
use crate::model::{Catalog, ObjectId, Relation};
use crate::order::Item;

/// `ALTER … OWNER TO`; none for objects that have no owner of their own.
pub(super) fn owner(item: Item<'_>, context: &Context<'_, '_>) -> Option<Sql> {
    let head = item.head()?;
    let owner = head.owner.as_deref()?;
    match item {
        // Their owner is that of the table, or whoever runs the script.
        Item::Sequence(x)
            if x.sequence.as_ref().is_some_and(|sequence| {
                sequence.is_identity() && context.relation(sequence.owner_table).is_some()
            }) =>
        {
            return None;
        }
        Item::Index(_) | Item::KeyConstraint(..) | Item::Extension(_) => return None,
        Item::Schema(_) if head.name == "public" && owner == context.public_owner => return None,
        Item::Operator(x) if x.function.is_none() => return None,
        _ if !item.is_main() => return None,
        _ => {}
    }
    let mut sql = Sql::text(format!("ALTER {} OWNER TO ", target(item, context)?));
    sql.role(owner).push(";");
    Some(sql)
}

/// `COMMENT ON` the object, its columns, and what is folded into it.
pub(super) fn comments(item: Item<'_>, context: &Context<'_, '_>) -> Vec<Sql> {
    if !item.is_main() {
        return Vec::new();
    }
    described(item, context, &|id, what, sql| {
        let own = context.comments.get(&id);
        if own.is_none() && matches!(item, Item::Schema(x) if x.head.name == "public") {
            // Somebody took away the one that every database has.
            sql.push(Sql::text("COMMENT ON SCHEMA public IS NULL;"));
        }
        for comment in own.into_iter().flatten() {
            if comment.sub == 0 && comes_by_itself(item, &comment.text) {
                continue;
            }
            if let Some(what) = what(comment.sub) {
                sql.push(Sql::text(format!(
                    "COMMENT ON {what} IS {};",
                    literal(&comment.text)
                )));
            }
        }
    })
}

/// Comments that a new database or the extension brings.
fn comes_by_itself(item: Item<'_>, text: &str) -> bool {
    match item {
        Item::Schema(x) => x.head.name == "public" && text == "standard public schema",
        Item::Extension(x) => x.default_comment.as_deref() == Some(text),
        _ => false,
    }
}

/// `SECURITY LABEL` for the same.
pub(super) fn labels(item: Item<'_>, context: &Context<'_, '_>) -> Vec<Sql> {
    if !item.is_main() {
        return Vec::new();
    }
    described(item, context, &|id, what, sql| {
        for label in context.labels.get(&id).into_iter().flatten() {
            if let Some(what) = what(label.sub) {
                sql.push(Sql::text(format!(
                    "SECURITY LABEL FOR {} ON {what} IS {};",
                    ident(&label.provider),
                    literal(&label.text)
                )));
            }
        }
    })
}

/// Gets an identity, and how to name it or a part of it.
type Collect<'c> = &'c dyn Fn(ObjectId, &dyn Fn(i32) -> Option<String>, &mut Vec<Sql>);

/// Runs `collect` for each identity that the catalogues may use for the object or its parts.
fn described(item: Item<'_>, context: &Context<'_, '_>, collect: Collect<'_>) -> Vec<Sql> {
    let mut sql = Vec::new();
    let whole = target(item, context);
    let columns: Option<&Relation> = match item {
        Item::Table(x) | Item::View(x) | Item::Sequence(x) => Some(x),
        Item::Type(x) => context.composite(x.relation),
        _ => None,
    };
    collect(
        item.id(),
        &|sub| {
            if sub == 0 {
                whole.clone()
            } else {
                columns.and_then(|relation| column(relation, sub))
            }
        },
        &mut sql,
    );
    match item {
        // The columns of a composite type belong to its relation.
        Item::Type(x) => {
            let id = ObjectId::new(Catalog::Relation, x.relation);
            collect(
                id,
                &|sub| {
                    columns
                        .filter(|_| sub > 0)
                        .and_then(|relation| column(relation, sub))
                },
                &mut sql,
            );
            // A domain's named NOT NULL is written in its CREATE.
            for constraint in context.domain_checks(x.head.oid) {
                let id = ObjectId::new(Catalog::Constraint, constraint.oid);
                let name = ident(&constraint.name);
                let name = format!("CONSTRAINT {name} ON DOMAIN {}", qualified(&x.head));
                if constraint.kind == 'n' {
                    collect(id, &|_| Some(name.clone()), &mut sql);
                }
            }
        }
        Item::Table(x) => {
            for constraint in &x.not_nulls {
                let id = ObjectId::new(Catalog::Constraint, constraint.oid);
                let name = format!(
                    "CONSTRAINT {} ON {}",
                    ident(&constraint.name),
                    qualified(&x.head)
                );
                // One that is added later has a record of its own.
                if !context.graph.by_id.contains_key(&id) {
                    collect(id, &|_| Some(name.clone()), &mut sql);
                }
            }
        }
        Item::KeyConstraint(_, index) => {
            let id = ObjectId::new(Catalog::Relation, index.head.oid);
            collect(
                id,
                &|_| Some(format!("INDEX {}", qualified(&index.head))),
                &mut sql,
            );
        }
        _ => {}
    }
    sql
}

fn column(relation: &Relation, number: i32) -> Option<String> {
    let column = relation
        .columns
        .iter()
        .find(|column| column.number == number)?;
    Some(format!(
        "COLUMN {}.{}",
        qualified(&relation.head),
        ident(&column.name)
    ))
}

/// `GRANT` and `REVOKE` on the object and its columns.
pub(super) fn privileges(item: Item<'_>, context: &Context<'_, '_>) -> Option<Sql> {
    if !item.is_main() {
        return None;
    }
    let head = item.head()?;
    let on = grant_target(item, context)?;
    let owner = head.owner.as_deref().unwrap_or_default();
    let public = matches!(item, Item::Schema(_)) && head.name == "public";
    let mut acl = head.acl.clone();
    let mut revoked = Sql::default();
    if public {
        // What a new database's `public` allows once it has this owner: to everybody its use, before 15 everything.
        let quoted = acl_name(owner);
        let mut initial = vec![format!("{quoted}=UC/{quoted}")];
        if context.major >= 15 {
            initial.push(format!("=U/{quoted}"));
        } else {
            revoked.push(&format!("REVOKE ALL ON {on} FROM PUBLIC;"));
        }
        acl.acl_initial = Some(initial);
    }
    let all = privileges::all_of(kind_letter(item));
    let mut sql = privileges::statements(
        &acl,
        On {
            target: &on,
            column: None,
            prefix: None,
            all,
            owner,
        },
    );
    if !revoked.is_empty() {
        revoked.push("\n").append(&sql);
        sql = revoked;
    }
    if let Item::Table(x) | Item::View(x) = item {
        for column in &x.columns {
            let all = privileges::all_of('c');
            let more = privileges::statements(
                &column.acl,
                On {
                    target: &on,
                    column: Some(&column.name),
                    prefix: None,
                    all,
                    owner,
                },
            );
            if !sql.is_empty() && !more.is_empty() {
                sql.push("\n");
            }
            sql.append(&more);
        }
    }
    (!sql.is_empty()).then_some(sql)
}

/// A role as access control items spell it.
fn acl_name(role: &str) -> String {
    if role.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        role.to_owned()
    } else {
        format!("\"{}\"", role.replace('"', "\"\""))
    }
}

fn kind_letter(item: Item<'_>) -> char {
    match item {
        Item::Table(_) | Item::View(_) => 'r',
        Item::Sequence(_) => 's',
        Item::Function(_) => 'f',
        Item::Schema(_) => 'n',
        Item::LargeObject(_) => 'L',
        _ => 'U',
    }
}

/// `ALTER … DEPENDS ON EXTENSION`.
pub(super) fn depends_on_extension(
    item: Item<'_>,
    extension: &str,
    context: &Context<'_, '_>,
) -> Option<Sql> {
    let what = match item {
        Item::Function(x) => {
            let kind = if x.kind == 'p' {
                "PROCEDURE"
            } else {
                "FUNCTION"
            };
            format!("{kind} {}", functions::signature(x))
        }
        Item::View(x) => format!("{} {}", relation_kind(x.kind), qualified(&x.head)),
        Item::KeyConstraint(_, x) | Item::Index(x) => format!("INDEX {}", qualified(&x.head)),
        Item::Trigger(_) => target(item, context)?,
        _ => return None,
    };
    Some(Sql::text(format!(
        "ALTER {what} DEPENDS ON EXTENSION {};",
        ident(extension)
    )))
}
