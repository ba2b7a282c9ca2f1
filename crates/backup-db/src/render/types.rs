//! Types, domains and collations.

use super::Context;
use super::names::{ident, literal, qualified};
use crate::model::{Collation, Constraint, Range, Relation, Type, TypeKind};

pub(super) fn shell(x: &Type) -> String {
    format!("CREATE TYPE {};", qualified(&x.head))
}

pub(super) fn definition(x: &Type, context: &Context<'_, '_>) -> String {
    let name = qualified(&x.head);
    match (x.kind, &x.range) {
        (TypeKind::Range, Some(range)) => range_type(&name, range),
        (TypeKind::Domain, _) => domain(x, &context.domain_checks(x.head.oid)),
        (TypeKind::Enum, _) => {
            let labels: Vec<String> = x
                .labels
                .iter()
                .map(|label| format!("    {}", literal(label)))
                .collect();
            format!("CREATE TYPE {name} AS ENUM (\n{}\n);", labels.join(",\n"))
        }
        (TypeKind::Composite, _) => match context.composite(x.relation) {
            Some(relation) => composite(&name, relation),
            None => format!("CREATE TYPE {name} AS ();"),
        },
        _ if !x.defined => shell(x),
        _ => base(x, &name),
    }
}

fn composite(name: &str, relation: &Relation) -> String {
    let columns: Vec<String> = relation
        .columns
        .iter()
        .map(|column| {
            let collation = column
                .collation
                .as_ref()
                .map(|collation| format!(" COLLATE {collation}"))
                .unwrap_or_default();
            format!(
                "    {} {}{collation}",
                ident(&column.name),
                column.data_type
            )
        })
        .collect();
    format!("CREATE TYPE {name} AS (\n{}\n);", columns.join(",\n"))
}

fn range_type(name: &str, range: &Range) -> String {
    let mut parts = vec![
        format!("    subtype = {}", range.subtype),
        format!("    multirange_type_name = {}", range.multirange),
    ];
    let optional = [
        ("subtype_opclass", &range.operator_class),
        ("collation", &range.collation),
        ("canonical", &range.canonical),
        ("subtype_diff", &range.subtype_diff),
    ];
    parts.extend(
        optional
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("    {key} = {value}"))),
    );
    format!("CREATE TYPE {name} AS RANGE (\n{}\n);", parts.join(",\n"))
}

fn domain(x: &Type, checks: &[&Constraint]) -> String {
    let mut sql = format!(
        "CREATE DOMAIN {} AS {}",
        qualified(&x.head),
        x.base_type.as_deref().unwrap_or_default()
    );
    if let Some(collation) = &x.collation {
        sql += &format!(" COLLATE {collation}");
    }
    if x.not_null {
        match checks.iter().find(|check| check.kind == 'n') {
            Some(named) => sql += &format!(" CONSTRAINT {} NOT NULL", ident(&named.name)),
            None => sql += " NOT NULL",
        }
    }
    if let Some(default) = &x.default_expression {
        sql += &format!(" DEFAULT {default}");
    } else if let Some(text) = &x.default_text {
        sql += &format!(" DEFAULT {}", literal(text));
    }
    for check in checks.iter().filter(|check| check.kind != 'n') {
        sql += &format!(
            "\n    CONSTRAINT {} {}",
            ident(&check.name),
            check.definition
        );
    }
    sql + ";"
}

pub(super) fn domain_constraint(x: &Constraint, domain: &Type) -> String {
    format!(
        "ALTER DOMAIN {} ADD CONSTRAINT {} {};",
        qualified(&domain.head),
        ident(&x.name),
        x.definition
    )
}

fn base(x: &Type, name: &str) -> String {
    let length = if x.length < 0 {
        "variable".to_owned()
    } else {
        x.length.to_string()
    };
    let mut parts = vec![format!("INTERNALLENGTH = {length}")];
    let functions = [
        ("INPUT", &x.input),
        ("OUTPUT", &x.output),
        ("RECEIVE", &x.receive),
        ("SEND", &x.send),
        ("TYPMOD_IN", &x.modifier_in),
        ("TYPMOD_OUT", &x.modifier_out),
        ("ANALYZE", &x.analyze),
        ("SUBSCRIPT", &x.subscript),
    ];
    parts.extend(
        functions
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} = {value}"))),
    );
    if x.collatable {
        parts.push("COLLATABLE = true".to_owned());
    }
    if let Some(expression) = &x.default_expression {
        parts.push(format!("DEFAULT = {expression}"));
    } else if let Some(text) = &x.default_text {
        parts.push(format!("DEFAULT = {}", literal(text)));
    }
    if let Some(element) = &x.element {
        parts.push(format!("ELEMENT = {element}"));
    }
    if x.category != 'U' {
        parts.push(format!("CATEGORY = {}", literal(&x.category.to_string())));
    }
    if x.preferred {
        parts.push("PREFERRED = true".to_owned());
    }
    if x.delimiter != ',' {
        parts.push(format!("DELIMITER = {}", literal(&x.delimiter.to_string())));
    }
    parts.push(format!("ALIGNMENT = {}", alignment(x.alignment)));
    parts.push(format!("STORAGE = {}", storage(x.storage)));
    if x.by_value {
        parts.push("PASSEDBYVALUE".to_owned());
    }
    format!("CREATE TYPE {name} (\n    {}\n);", parts.join(",\n    "))
}

fn alignment(letter: char) -> &'static str {
    match letter {
        'c' => "char",
        's' => "int2",
        'd' => "double",
        _ => "int4",
    }
}

/// A storage strategy's name, for types and columns.
pub(super) fn storage(letter: char) -> &'static str {
    match letter {
        'e' => "external",
        'x' => "extended",
        'm' => "main",
        _ => "plain",
    }
}

pub(super) fn collation(x: &Collation) -> String {
    let provider = match x.provider {
        'b' => "builtin",
        'i' => "icu",
        'd' => "default",
        _ => "libc",
    };
    let mut parts = vec![format!("provider = {provider}")];
    if !x.deterministic {
        parts.push("deterministic = false".to_owned());
    }
    match (&x.locale, &x.collate, &x.ctype) {
        (Some(locale), _, _) => parts.push(format!("locale = {}", literal(locale))),
        // Before 15, ICU locales are in both of these.
        (None, Some(collate), Some(ctype)) if collate == ctype => {
            parts.push(format!("locale = {}", literal(collate)))
        }
        (None, collate, ctype) => {
            parts.extend(
                collate
                    .as_ref()
                    .map(|text| format!("lc_collate = {}", literal(text))),
            );
            parts.extend(
                ctype
                    .as_ref()
                    .map(|text| format!("lc_ctype = {}", literal(text))),
            );
        }
    }
    parts.extend(
        x.rules
            .as_ref()
            .map(|rules| format!("rules = {}", literal(rules))),
    );
    format!(
        "CREATE COLLATION {} ({});",
        qualified(&x.head),
        parts.join(", ")
    )
}
