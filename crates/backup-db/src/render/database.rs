//! Settings of the database itself, for whatever database the script runs in.

use super::names::{ident, literal, unused_tag};
use super::sql::Sql;
use crate::model::Database;

/// Settings whose value is a list of names: each is a string of its own in `SET`.
const NAME_LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
];

/// One statement per setting; they find out the database's name when they run.
pub(super) fn settings(x: &Database) -> Sql {
    let mut sql = Sql::default();
    if let Some(comment) = &x.comment {
        statement(
            &mut sql,
            &Sql::text("COMMENT ON DATABASE "),
            &format!(" IS {}", literal(comment)),
        );
    }
    if x.connection_limit >= 0 {
        statement(
            &mut sql,
            &Sql::text("ALTER DATABASE "),
            &format!(" CONNECTION LIMIT {}", x.connection_limit),
        );
    }
    for group in &x.settings {
        let mut start = Sql::default();
        match &group.role {
            Some(role) => start.push("ALTER ROLE ").role(role).push(" IN DATABASE "),
            None => start.push("ALTER DATABASE "),
        };
        for (name, value) in group
            .settings
            .iter()
            .filter_map(|setting| setting.split_once('='))
        {
            statement(
                &mut sql,
                &start,
                &format!(
                    " SET {} TO {}",
                    setting_name(name),
                    setting_value(name, value)
                ),
            );
        }
    }
    sql
}

/// Dollar quotes leave a role's name as it is, so that a restore can rename it.
fn statement(sql: &mut Sql, before: &Sql, after: &str) {
    let inner = unused_tag("sql", &[before.as_str(), after]);
    let outer = unused_tag("do", &[before.as_str(), after]);
    if !sql.is_empty() {
        sql.push("\n");
    }
    sql.push(&format!("DO {outer}BEGIN EXECUTE {inner}"))
        .append(before);
    sql.push(&format!("{inner} || pg_catalog.quote_ident(pg_catalog.current_database()) || {inner}{after}{inner}; END{outer};"));
}

fn setting_name(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
}

fn setting_value(name: &str, value: &str) -> String {
    if !NAME_LISTS.contains(&name.to_lowercase().as_str()) {
        return literal(value);
    }
    let elements = name_list(value);
    if elements.is_empty() {
        "''".to_owned()
    } else {
        elements
            .iter()
            .map(|element| literal(element))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The names of a list such as `"$user", public`.
fn name_list(value: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            c if c.is_whitespace() && !quoted => {}
            c => name.push(c),
        }
    }
    if !value.trim().is_empty() {
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_split() {
        assert_eq!(
            name_list(r#""$user", public, "a ""b"", c""#),
            ["$user", "public", "a \"b\", c"]
        );
        assert!(name_list(" ").is_empty());
        assert_eq!(
            setting_value("search_path", "\"$user\", public"),
            "'$user', 'public'"
        );
    }
}
