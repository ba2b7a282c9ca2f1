//! Operators, their classes and families.

use super::names::{ident, qualified};
use crate::model::{Catalog, FamilyMember, Operator, OperatorClass, OperatorFamily};

/// Schema and operator, as after `ALTER OPERATOR`.
pub(super) fn signature(x: &Operator) -> String {
    let left = x.left_type.as_deref().unwrap_or("NONE");
    let right = x.right_type.as_deref().unwrap_or("NONE");
    format!("{}({left}, {right})", name(x))
}

fn name(x: &Operator) -> String {
    match &x.head.schema {
        Some(schema) => format!("{}.{}", ident(schema), x.head.name),
        None => x.head.name.clone(),
    }
}

/// Nothing for a shell: the operator that names it makes it.
pub(super) fn definition(x: &Operator) -> String {
    let Some(function) = &x.function else {
        return String::new();
    };
    let mut parts = vec![format!("FUNCTION = {function}")];
    let mut add = |key: &str, value: &Option<String>| {
        parts.extend(value.as_ref().map(|value| format!("{key} = {value}")))
    };
    add("LEFTARG", &x.left_type);
    add("RIGHTARG", &x.right_type);
    add(
        "COMMUTATOR",
        &x.commutator
            .as_ref()
            .map(|operator| format!("OPERATOR({operator})")),
    );
    add(
        "NEGATOR",
        &x.negator
            .as_ref()
            .map(|operator| format!("OPERATOR({operator})")),
    );
    if x.merges {
        parts.push("MERGES".to_owned());
    }
    if x.hashes {
        parts.push("HASHES".to_owned());
    }
    let mut add = |key: &str, value: &Option<String>| {
        parts.extend(value.as_ref().map(|value| format!("{key} = {value}")))
    };
    add("RESTRICT", &x.restriction);
    add("JOIN", &x.join);
    format!(
        "CREATE OPERATOR {} (\n    {}\n);",
        name(x),
        parts.join(",\n    ")
    )
}

pub(super) fn family(x: &OperatorFamily, loose: &[&FamilyMember]) -> String {
    let using = format!("{} USING {}", qualified(&x.head), ident(&x.method));
    let mut sql = format!("CREATE OPERATOR FAMILY {using};");
    if !loose.is_empty() {
        let members: Vec<String> = loose.iter().map(|x| member(x)).collect();
        sql += &format!(
            "\nALTER OPERATOR FAMILY {using} ADD\n    {};",
            members.join(",\n    ")
        );
    }
    sql
}

pub(super) fn loose_member(x: &FamilyMember) -> String {
    format!("ALTER OPERATOR FAMILY {} ADD {};", x.family_name, member(x))
}

pub(super) fn class(x: &OperatorClass, members: &[&FamilyMember]) -> String {
    let default = if x.is_default { "DEFAULT " } else { "" };
    let mut items: Vec<String> = x
        .key_type
        .iter()
        .map(|key| format!("STORAGE {key}"))
        .collect();
    items.extend(members.iter().map(|x| member(x)));
    if items.is_empty() {
        // There has to be something between the words.
        items.push(format!("STORAGE {}", x.input_type));
    }
    format!(
        "CREATE OPERATOR CLASS {}\n    {default}FOR TYPE {} USING {} FAMILY {} AS\n    {};",
        qualified(&x.head),
        x.input_type,
        ident(&x.method),
        x.family_name,
        items.join(",\n    ")
    )
}

fn member(x: &FamilyMember) -> String {
    if x.catalogue == Catalog::AccessOperator {
        let order = x
            .sort_family
            .as_ref()
            .map(|family| format!(" FOR ORDER BY {family}"))
            .unwrap_or_default();
        format!("OPERATOR {} {}{order}", x.number, x.member)
    } else {
        let types = format!(" ({}, {})", x.left_type, x.right_type);
        format!("FUNCTION {}{types} {}", x.number, x.member)
    }
}
