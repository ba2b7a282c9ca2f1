//! Accounts and people.

use super::facts::{Class, Column, Table};

/// What stands in place of something that says who a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pseudonym {
    /// `user-<key>`.
    Name,
    /// `user-<key>@example.invalid`: a domain that no mail is ever sent to (RFC 2606).
    Address,
    /// The same for the same person, wherever the name stands.
    Hash,
    /// Nothing.
    Blank,
}

/// Whether a table holds accounts: named so by the site, or with the columns of Django's `AbstractBaseUser`.
pub(super) fn is_user_table(table: &Table, named: &[String]) -> bool {
    named.iter().any(|name| table.is_called(name))
        || (table
            .column("password")
            .is_some_and(|column| column.class == Class::Text)
            && table.column("last_login").is_some())
}

/// Columns of other tables that name people.
const NAMES_ELSEWHERE: [&str; 14] = [
    "username",
    "user_name",
    "user_username",
    "full_name",
    "first_name",
    "last_name",
    "user_display_name",
    "user_full_name",
    "display_name",
    "actor_name",
    "author_name",
    "performed_by_name",
    "created_by_name",
    "employee_id",
];

/// What stands in place of a column that tells who somebody is; none when it does not.
pub(super) fn pseudonym(table: &Table, column: &Column, is_user_table: bool) -> Option<Pseudonym> {
    let name = column.name.to_ascii_lowercase();
    let has = |part: &str| name.contains(part);
    match column.class {
        Class::Address => Some(Pseudonym::Blank),
        Class::Text if column.key || column.linked => None,
        Class::Text if is_user_table => {
            if has("email") {
                Some(Pseudonym::Address)
            } else if name == "username" || name == "user_name" {
                Some(Pseudonym::Name)
            } else if [
                "name",
                "phone",
                "mobile",
                "address",
                "employee",
                "title",
                "bio",
                "avatar",
                "photo",
                "signature",
            ]
            .into_iter()
            .any(has)
            {
                Some(if column.unique {
                    Pseudonym::Name
                } else {
                    Pseudonym::Blank
                })
            } else {
                None
            }
        }
        Class::Text if has("email") && !has("template") && !has("subject") && !has("host") => {
            let can_be_named = table.columns.iter().any(|column| column.key);
            Some(if can_be_named {
                Pseudonym::Address
            } else {
                Pseudonym::Blank
            })
        }
        Class::Text if NAMES_ELSEWHERE.contains(&name.as_str()) => Some(Pseudonym::Hash),
        Class::Text if matches!(name.as_str(), "user_agent" | "ip_address" | "remote_addr") => {
            Some(Pseudonym::Blank)
        }
        _ => None,
    }
}
