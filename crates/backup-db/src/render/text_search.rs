//! Text search objects.

use super::names::{ident, qualified};
use crate::model::{TextSearch, TextSearchKind};

pub(super) fn definition(x: &TextSearch) -> String {
    let name = qualified(&x.head);
    match x.kind {
        TextSearchKind::Parser => {
            let parts = [
                ("START", &x.start),
                ("GETTOKEN", &x.token),
                ("END", &x.end),
                ("LEXTYPES", &x.lextypes),
                ("HEADLINE", &x.headline),
            ];
            format!(
                "CREATE TEXT SEARCH PARSER {name} (\n    {}\n);",
                joined(&parts)
            )
        }
        TextSearchKind::Template => {
            format!(
                "CREATE TEXT SEARCH TEMPLATE {name} (\n    {}\n);",
                joined(&[("INIT", &x.init), ("LEXIZE", &x.lexize)])
            )
        }
        TextSearchKind::Dictionary => {
            // The catalogue keeps the options as they are written here.
            let options = x
                .options
                .as_ref()
                .map(|options| format!(",\n    {options}"))
                .unwrap_or_default();
            format!(
                "CREATE TEXT SEARCH DICTIONARY {name} (\n    TEMPLATE = {}{options}\n);",
                x.template.as_deref().unwrap_or_default()
            )
        }
        TextSearchKind::Configuration => {
            let mut sql = format!(
                "CREATE TEXT SEARCH CONFIGURATION {name} (\n    PARSER = {}\n);",
                x.parser.as_deref().unwrap_or_default()
            );
            for mapping in x.mappings.iter().flatten() {
                let dictionaries = mapping.dictionaries.join(", ");
                sql += &format!(
                    "\nALTER TEXT SEARCH CONFIGURATION {name} ADD MAPPING FOR {} WITH {dictionaries};",
                    ident(&mapping.token)
                );
            }
            sql
        }
    }
}

fn joined(parts: &[(&str, &Option<String>)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} = {value}")))
        .collect();
    parts.join(",\n    ")
}
