//! Rules, triggers, event triggers and policies.

use super::names::{ident, literal, qualified};
use super::sql::Sql;
use super::table::foreign;
use crate::model::{EventTrigger, Policy, Relation, Rule, Trigger};

pub(super) fn rule(x: &Rule, relation: &Relation) -> String {
    let definition = x.definition.trim_end().trim_end_matches(';');
    format!(
        "{definition};{}",
        enabled(x.enabled, "RULE", &x.name, relation)
    )
}

pub(super) fn trigger(x: &Trigger, relation: &Relation) -> String {
    if x.parent.is_some() {
        // The parent's trigger made it; only its state is its own.
        return match x.enabled {
            'O' => format!(
                "ALTER {}TABLE {} ENABLE TRIGGER {};",
                foreign(relation),
                qualified(&relation.head),
                ident(&x.name)
            ),
            other => enabled(other, "TRIGGER", &x.name, relation)
                .trim_start()
                .to_owned(),
        };
    }
    format!(
        "{};{}",
        x.definition,
        enabled(x.enabled, "TRIGGER", &x.name, relation)
    )
}

/// Nothing for the state that it is made in.
fn enabled(letter: char, what: &str, name: &str, relation: &Relation) -> String {
    let state = match letter {
        'D' => "DISABLE",
        'R' => "ENABLE REPLICA",
        'A' => "ENABLE ALWAYS",
        _ => return String::new(),
    };
    format!(
        "\nALTER {}TABLE {} {state} {what} {};",
        foreign(relation),
        qualified(&relation.head),
        ident(name)
    )
}

pub(super) fn event_trigger(x: &EventTrigger) -> String {
    let name = ident(&x.head.name);
    let mut sql = format!("CREATE EVENT TRIGGER {name} ON {}", ident(&x.event));
    if !x.tags.is_empty() {
        let tags: Vec<String> = x.tags.iter().map(|tag| literal(tag)).collect();
        sql += &format!("\n    WHEN TAG IN ({})", tags.join(", "));
    }
    sql += &format!("\n    EXECUTE FUNCTION {}();", x.function);
    let state = match x.enabled {
        'D' => "DISABLE",
        'R' => "ENABLE REPLICA",
        'A' => "ENABLE ALWAYS",
        _ => return sql,
    };
    sql + &format!("\nALTER EVENT TRIGGER {name} {state};")
}

pub(super) fn policy(x: &Policy, relation: &Relation) -> Sql {
    let mut sql = Sql::text(format!(
        "CREATE POLICY {} ON {}",
        ident(&x.name),
        qualified(&relation.head)
    ));
    if !x.permissive {
        sql.push(" AS RESTRICTIVE");
    }
    sql.push(match x.command {
        'r' => " FOR SELECT",
        'a' => " FOR INSERT",
        'w' => " FOR UPDATE",
        'd' => " FOR DELETE",
        _ => "",
    });
    for (position, role) in x.roles.iter().enumerate() {
        sql.push(if position == 0 { " TO " } else { ", " });
        sql.role(role);
    }
    if x.public && !x.roles.is_empty() {
        sql.push(", PUBLIC");
    }
    if let Some(condition) = &x.using {
        sql.push(&format!(" USING ({condition})"));
    }
    if let Some(condition) = &x.with_check {
        sql.push(&format!(" WITH CHECK ({condition})"));
    }
    sql.push(";");
    sql
}
