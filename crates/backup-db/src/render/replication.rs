//! Publications and subscriptions.

use super::names::{ident, idents, literal, qualified};
use crate::model::{Head, Publication, PublicationMember, Subscription};

pub(super) fn publication(x: &Publication) -> String {
    let operations: Vec<&str> = [
        (x.insert, "insert"),
        (x.update, "update"),
        (x.delete, "delete"),
        (x.truncate, "truncate"),
    ]
    .into_iter()
    .filter_map(|(on, word)| on.then_some(word))
    .collect();
    let mut parts = vec![format!("publish = {}", literal(&operations.join(", ")))];
    if x.via_root {
        parts.push("publish_via_partition_root = true".to_owned());
    }
    if x.generated_columns == 's' {
        parts.push("publish_generated_columns = stored".to_owned());
    }
    let all = if x.all_tables { " FOR ALL TABLES" } else { "" };
    format!(
        "CREATE PUBLICATION {}{all} WITH ({});",
        ident(&x.head.name),
        parts.join(", ")
    )
}

pub(super) fn member(x: &PublicationMember, publication: &Head, table: Option<&Head>) -> String {
    let publication = ident(&publication.name);
    match (&x.member_schema, table) {
        (Some(schema), _) => format!(
            "ALTER PUBLICATION {publication} ADD TABLES IN SCHEMA {};",
            ident(schema)
        ),
        (None, Some(table)) => {
            let columns = x
                .columns
                .as_ref()
                .map(|columns| format!(" ({})", idents(columns)))
                .unwrap_or_default();
            let condition = x
                .condition
                .as_ref()
                .map(|condition| format!(" WHERE ({condition})"))
                .unwrap_or_default();
            format!(
                "ALTER PUBLICATION {publication} ADD TABLE ONLY {}{columns}{condition};",
                qualified(table)
            )
        }
        (None, None) => String::new(),
    }
}

/// Not connected: the other side's slot stays with the database that was dumped.
pub(super) fn subscription(x: &Subscription) -> String {
    let publications: Vec<String> = x.publications.iter().map(|name| ident(name)).collect();
    let slot = x.slot.as_deref().map_or_else(|| "NONE".to_owned(), literal);
    let mut parts = vec!["connect = false".to_owned(), format!("slot_name = {slot}")];
    if x.binary {
        parts.push("binary = true".to_owned());
    }
    match x.streaming.as_str() {
        "t" | "true" => parts.push("streaming = on".to_owned()),
        "p" => parts.push("streaming = parallel".to_owned()),
        // The default since 18 is parallel.
        _ => parts.push("streaming = off".to_owned()),
    }
    if x.two_phase != 'd' {
        parts.push("two_phase = on".to_owned());
    }
    if x.disable_on_error {
        parts.push("disable_on_error = true".to_owned());
    }
    if !x.password_required {
        parts.push("password_required = false".to_owned());
    }
    if x.run_as_owner {
        parts.push("run_as_owner = true".to_owned());
    }
    if x.origin != "any" {
        parts.push(format!("origin = {}", literal(&x.origin)));
    }
    if x.failover {
        parts.push("failover = true".to_owned());
    }
    if x.synchronous_commit != "off" {
        parts.push(format!(
            "synchronous_commit = {}",
            literal(&x.synchronous_commit)
        ));
    }
    format!(
        "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH ({});",
        ident(&x.head.name),
        literal(&x.connection),
        publications.join(", "),
        parts.join(", ")
    )
}
