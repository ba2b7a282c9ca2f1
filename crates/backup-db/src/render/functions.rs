//! Functions and what is made of them.

use super::names::{ident, literal, qualified};
use crate::model::{AccessMethod, Aggregate, Cast, Conversion, Function, Language, Transform};

pub(super) fn definition(x: &Function) -> String {
    match (&x.definition, &x.aggregate) {
        (_, Some(aggregate)) => aggregate_definition(x, aggregate),
        (Some(definition), None) => {
            let definition = definition.trim_end_matches('\n');
            format!("{definition};")
        }
        (None, None) => String::new(),
    }
}

/// Its name with the types that identify it.
pub(super) fn signature(x: &Function) -> String {
    let arguments = match &x.aggregate {
        // An aggregate without direct arguments is named with a star.
        Some(_) if x.arguments.is_empty() => "*",
        _ => &x.arguments,
    };
    format!("{}({arguments})", qualified(&x.head))
}

fn aggregate_definition(x: &Function, a: &Aggregate) -> String {
    let arguments = if a.arguments.is_empty() {
        "*"
    } else {
        &a.arguments
    };
    let mut parts = vec![
        format!("SFUNC = {}", a.transition),
        format!("STYPE = {}", a.state_type),
    ];
    let mut add = |key: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{key} = {value}")))
    };
    add(
        "SSPACE",
        (a.state_space != 0).then(|| a.state_space.to_string()),
    );
    add("FINALFUNC", a.final_function.clone());
    if a.final_function.is_some() {
        add("FINALFUNC_MODIFY", modify(a.final_modify, a.kind));
    }
    add("COMBINEFUNC", a.combine.clone());
    add("SERIALFUNC", a.serial.clone());
    add("DESERIALFUNC", a.deserial.clone());
    add("INITCOND", a.initial.as_deref().map(literal));
    add("MSFUNC", a.moving_transition.clone());
    add("MINVFUNC", a.moving_inverse.clone());
    add("MSTYPE", a.moving_state_type.clone());
    add(
        "MSSPACE",
        (a.moving_state_space != 0).then(|| a.moving_state_space.to_string()),
    );
    add("MFINALFUNC", a.moving_final.clone());
    if a.moving_final.is_some() {
        add("MFINALFUNC_MODIFY", modify(a.moving_final_modify, a.kind));
    }
    add("MINITCOND", a.moving_initial.as_deref().map(literal));
    add(
        "SORTOP",
        a.sort_operator
            .as_ref()
            .map(|operator| format!("OPERATOR({operator})")),
    );
    add(
        "PARALLEL",
        match a.parallel {
            's' => Some("SAFE".to_owned()),
            'r' => Some("RESTRICTED".to_owned()),
            _ => None,
        },
    );
    if a.final_extra {
        parts.push("FINALFUNC_EXTRA".to_owned());
    }
    if a.moving_final_extra {
        parts.push("MFINALFUNC_EXTRA".to_owned());
    }
    if a.kind == 'h' {
        parts.push("HYPOTHETICAL".to_owned());
    }
    format!(
        "CREATE AGGREGATE {}({arguments}) (\n    {}\n);",
        qualified(&x.head),
        parts.join(",\n    ")
    )
}

/// Nothing when it is what the kind of aggregate has by default.
fn modify(letter: char, kind: char) -> Option<String> {
    let default = if kind == 'n' { 'r' } else { 'w' };
    let word = match letter {
        's' => "SHAREABLE",
        'w' => "READ_WRITE",
        _ => "READ_ONLY",
    };
    (letter != default).then(|| word.to_owned())
}

pub(super) fn language(x: &Language) -> String {
    let trusted = if x.trusted { "TRUSTED " } else { "" };
    let mut sql = format!(
        "CREATE {trusted}PROCEDURAL LANGUAGE {}",
        ident(&x.head.name)
    );
    for (key, function) in [
        ("HANDLER", &x.handler),
        ("INLINE", &x.inline),
        ("VALIDATOR", &x.validator),
    ] {
        if let Some(function) = function {
            sql += &format!(" {key} {function}");
        }
    }
    sql + ";"
}

pub(super) fn cast(x: &Cast) -> String {
    let method = match x.method {
        'b' => "WITHOUT FUNCTION".to_owned(),
        'i' => "WITH INOUT".to_owned(),
        _ => format!(
            "WITH FUNCTION {}",
            x.function.as_deref().unwrap_or_default()
        ),
    };
    let context = match x.context {
        'a' => " AS ASSIGNMENT",
        'i' => " AS IMPLICIT",
        _ => "",
    };
    format!("CREATE CAST ({}) {method}{context};", x.name)
}

pub(super) fn transform(x: &Transform) -> String {
    let mut parts = Vec::new();
    parts.extend(
        x.from_sql
            .as_ref()
            .map(|function| format!("FROM SQL WITH FUNCTION {function}")),
    );
    parts.extend(
        x.to_sql
            .as_ref()
            .map(|function| format!("TO SQL WITH FUNCTION {function}")),
    );
    format!("CREATE TRANSFORM FOR {} ({});", x.name, parts.join(", "))
}

pub(super) fn access_method(x: &AccessMethod) -> String {
    let kind = if x.kind == 't' { "TABLE" } else { "INDEX" };
    format!(
        "CREATE ACCESS METHOD {} TYPE {kind} HANDLER {};",
        ident(&x.name),
        x.handler
    )
}

pub(super) fn conversion(x: &Conversion) -> String {
    let default = if x.is_default { "DEFAULT " } else { "" };
    format!(
        "CREATE {default}CONVERSION {} FOR {} TO {} FROM {};",
        qualified(&x.head),
        literal(&x.source),
        literal(&x.target),
        x.function
    )
}
